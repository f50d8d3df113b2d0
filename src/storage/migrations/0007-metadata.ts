import type { Connection, Engine } from '../engine.ts'
import type { Migration } from './migration.ts'

/** Metadata of messages and drafts, and the pairs that find them. Ids and pairs may be too long for an index: hashed. */
export const metadata: Migration = {
  name: '0007-metadata',
  async up(transaction, engine) {
    await createMetadata(transaction, engine)
    await createPairs(transaction, engine)
  },
}

async function createMetadata({ schema }: Connection, { text, sequence }: Engine): Promise<void> {
  await schema
    .createTable('metadata')
    .addColumn('seq', sequence, (column) => column.primaryKey().notNull())
    .addColumn('application_id', text, (column) => column.notNull())
    .addColumn('grant_id', text, (column) => column.notNull())
    .addColumn('kind', text, (column) => column.notNull())
    .addColumn('object_hash', text, (column) => column.notNull())
    .addColumn('object_id', text, (column) => column.notNull())
    .addColumn('pairs', text, (column) => column.notNull())
    .addForeignKeyConstraint('metadata_grant', ['grant_id'], 'grants', ['id'], (key) =>
      key.onDelete('cascade').deferrable().initiallyDeferred(),
    )
    .execute()
  await schema
    .createIndex('metadata_object')
    .unique()
    .on('metadata')
    .columns(['grant_id', 'kind', 'object_hash'])
    .execute()
}

async function createPairs({ schema }: Connection, { text }: Engine): Promise<void> {
  await schema
    .createTable('metadata_pairs')
    .addColumn('grant_id', text, (column) => column.notNull())
    .addColumn('kind', text, (column) => column.notNull())
    .addColumn('pair_hash', text, (column) => column.notNull())
    .addColumn('seq', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('metadata_pairs_key', ['grant_id', 'kind', 'pair_hash', 'seq'])
    .addForeignKeyConstraint('metadata_pairs_seq', ['seq'], 'metadata', ['seq'], (key) =>
      key.onDelete('cascade').deferrable().initiallyDeferred(),
    )
    .execute()
  await schema.createIndex('metadata_pairs_seq').on('metadata_pairs').column('seq').execute()
}
