import { sql } from 'kysely'
import type { Connection, Engine } from '../engine.ts'
import type { Migration } from './migration.ts'

/** Messages that wait to be sent. */
export const scheduledSends: Migration = {
  name: '0008-scheduled-sends',
  async up(transaction, engine) {
    await createTable(transaction, engine)
    await createIndexes(transaction)
    await engine.refuseClosedKeys(transaction, 'scheduled_sends', ['sealed_message'])
  },
}

async function createTable({ schema }: Connection, { text }: Engine): Promise<void> {
  await schema
    .createTable('scheduled_sends')
    .addColumn('id', text, (column) => column.primaryKey().notNull())
    .addColumn('application_id', text, (column) => column.notNull())
    .addColumn('grant_id', text, (column) => column.notNull())
    .addColumn('state', text, (column) => column.notNull())
    .addColumn('description', text, (column) => column.notNull())
    .addColumn('send_at', 'bigint', (column) => column.notNull())
    .addColumn('use_draft', 'integer', (column) => column.notNull())
    .addColumn('sealed_message', text)
    .addColumn('due_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('attempts', 'integer', (column) => column.notNull())
    .addColumn('first_tried_at_ms', 'bigint')
    .addColumn('sending_at_ms', 'bigint')
    .addColumn('lease', text)
    .addColumn('holder', text)
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('closed_at_ms', 'bigint')
    .addForeignKeyConstraint('scheduled_sends_grant', ['grant_id'], 'grants', ['id'], (key) =>
      key.onDelete('cascade').deferrable().initiallyDeferred(),
    )
    .execute()
}

async function createIndexes({ schema }: Connection): Promise<void> {
  await schema
    .createIndex('scheduled_sends_grant')
    .on('scheduled_sends')
    .columns(['grant_id', 'send_at', 'id'])
    .execute()
  await schema
    .createIndex('scheduled_sends_due')
    .on('scheduled_sends')
    .columns(['due_at_ms', 'id'])
    .where(sql<boolean>`state = 'waiting'`)
    .execute()
  await schema
    .createIndex('scheduled_sends_holder')
    .on('scheduled_sends')
    .columns(['holder', 'id'])
    .where('holder', 'is not', null)
    .execute()
  await schema
    .createIndex('scheduled_sends_closed')
    .on('scheduled_sends')
    .columns(['closed_at_ms', 'id'])
    .where('closed_at_ms', 'is not', null)
    .execute()
}
