import type { Connection, Engine } from '../engine.ts'
import type { Migration } from './migration.ts'

/** Keys of requests that are carried out once, and how drafts are to be tracked once they are sent. */
export const idempotency: Migration = {
  name: '0006-idempotency',
  async up(transaction, engine) {
    await createKeys(transaction, engine)
    await createDraftTracking(transaction, engine)
    await engine.refuseClosedKeys(transaction, 'idempotency_keys', ['sealed_answer'])
  },
}

async function createKeys({ schema }: Connection, { text }: Engine): Promise<void> {
  await schema
    .createTable('idempotency_keys')
    .addColumn('id', text, (column) => column.primaryKey().notNull())
    .addColumn('application_id', text, (column) => column.notNull())
    .addColumn('grant_id', text, (column) => column.notNull())
    .addColumn('attempt_id', text, (column) => column.notNull())
    .addColumn('payload_hash', text, (column) => column.notNull())
    .addColumn('sealed_answer', text)
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addForeignKeyConstraint('idempotency_keys_grant', ['grant_id'], 'grants', ['id'], (key) =>
      key.onDelete('cascade').deferrable().initiallyDeferred(),
    )
    .execute()
  await schema.createIndex('idempotency_keys_grant').on('idempotency_keys').column('grant_id').execute()
  await schema
    .createIndex('idempotency_keys_age')
    .on('idempotency_keys')
    .columns(['created_at_ms', 'id'])
    .execute()
}

async function createDraftTracking({ schema }: Connection, { text }: Engine): Promise<void> {
  await schema
    .createTable('draft_tracking')
    .addColumn('grant_id', text, (column) => column.notNull())
    .addColumn('draft_hash', text, (column) => column.notNull())
    .addColumn('draft_id', text, (column) => column.notNull())
    .addColumn('options', text, (column) => column.notNull())
    .addPrimaryKeyConstraint('draft_tracking_key', ['grant_id', 'draft_hash'])
    .addForeignKeyConstraint('draft_tracking_grant', ['grant_id'], 'grants', ['id'], (key) =>
      key.onDelete('cascade').deferrable().initiallyDeferred(),
    )
    .execute()
}
