import type { Connection, Engine } from '../engine.ts'
import type { Migration } from './migration.ts'

/** Bytes that are kept for a while (files of scheduled messages, uploads), and sessions of large uploads. */
export const content: Migration = {
  name: '0009-content',
  async up(transaction, engine) {
    await createContents(transaction, engine)
    await createPieces(transaction, engine)
    await createUploads(transaction, engine)
    await engine.refuseClosedKeys(transaction, 'contents', ['sealed_key'])
  },
}

async function createContents({ schema }: Connection, { text }: Engine): Promise<void> {
  await schema
    .createTable('contents')
    .addColumn('id', text, (column) => column.primaryKey().notNull())
    .addColumn('application_id', text, (column) => column.notNull())
    .addColumn('grant_id', text, (column) => column.notNull())
    .addColumn('owner_id', text, (column) => column.notNull())
    .addColumn('sealed_key', text, (column) => column.notNull())
    .addColumn('size_bytes', 'bigint')
    .addColumn('expires_at_ms', 'bigint')
    .addForeignKeyConstraint('contents_grant', ['grant_id'], 'grants', ['id'], (key) =>
      key.onDelete('cascade').deferrable().initiallyDeferred(),
    )
    .execute()
  await schema.createIndex('contents_grant').on('contents').column('grant_id').execute()
  await schema.createIndex('contents_owner').on('contents').column('owner_id').execute()
  await schema
    .createIndex('contents_expiry')
    .on('contents')
    .columns(['expires_at_ms', 'id'])
    .where('expires_at_ms', 'is not', null)
    .execute()
}

/** Sealed under the key of their content: a rotation of data keys need not touch them. */
async function createPieces({ schema }: Connection, { text, bytes }: Engine): Promise<void> {
  await schema
    .createTable('content_pieces')
    .addColumn('content_id', text, (column) => column.notNull())
    .addColumn('position', 'integer', (column) => column.notNull())
    .addColumn('box', bytes, (column) => column.notNull())
    .addPrimaryKeyConstraint('content_pieces_key', ['content_id', 'position'])
    .addForeignKeyConstraint('content_pieces_content', ['content_id'], 'contents', ['id'], (key) =>
      key.onDelete('cascade').deferrable().initiallyDeferred(),
    )
    .execute()
}

async function createUploads({ schema }: Connection, { text }: Engine): Promise<void> {
  await schema
    .createTable('uploads')
    .addColumn('id', text, (column) => column.primaryKey().notNull())
    .addColumn('application_id', text, (column) => column.notNull())
    .addColumn('grant_id', text, (column) => column.notNull())
    .addColumn('filename', text, (column) => column.notNull())
    .addColumn('content_type', text, (column) => column.notNull())
    .addColumn('announced_bytes', 'bigint', (column) => column.notNull())
    .addColumn('state', text, (column) => column.notNull())
    .addColumn('content_id', text)
    .addColumn('size_bytes', 'bigint')
    .addColumn('token_hash', text, (column) => column.notNull())
    .addColumn('expires_at_ms', 'bigint', (column) => column.notNull())
    .addForeignKeyConstraint('uploads_grant', ['grant_id'], 'grants', ['id'], (key) =>
      key.onDelete('cascade').deferrable().initiallyDeferred(),
    )
    .execute()
  await schema.createIndex('uploads_grant').on('uploads').column('grant_id').execute()
  await schema.createIndex('uploads_expiry').on('uploads').columns(['expires_at_ms', 'id']).execute()
}
