import { sql } from 'kysely'
import type { Connection, Engine } from '../engine.ts'
import type { Migration } from './migration.ts'

/** Messages whose opens and links are tracked, and threads that are watched for replies. Ids may be too long for an index: hashed. */
export const tracking: Migration = {
  name: '0011-tracking',
  async up(transaction, engine) {
    await createTracked(transaction, engine)
    await createWatches(transaction, engine)
    await engine.refuseClosedKeys(transaction, 'tracked_messages', ['sealed_links'])
  },
}

async function createTracked({ schema }: Connection, { text }: Engine): Promise<void> {
  await schema
    .createTable('tracked_messages')
    .addColumn('id', text, (column) => column.primaryKey().notNull())
    .addColumn('application_id', text, (column) => column.notNull())
    .addColumn('grant_id', text, (column) => column.notNull())
    .addColumn('message_hash', text)
    .addColumn('message_id', text)
    .addColumn('options', text, (column) => column.notNull())
    .addColumn('sealed_links', text, (column) => column.notNull())
    .addColumn('activity', text)
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addForeignKeyConstraint('tracked_messages_grant', ['grant_id'], 'grants', ['id'], (key) =>
      key.onDelete('cascade').deferrable().initiallyDeferred(),
    )
    .execute()
  await schema
    .createIndex('tracked_messages_message')
    .on('tracked_messages')
    .columns(['grant_id', 'message_hash'])
    .execute()
  await schema.createIndex('tracked_messages_age').on('tracked_messages').column('created_at_ms').execute()
  await schema
    .createIndex('tracked_messages_unsent')
    .on('tracked_messages')
    .column('created_at_ms')
    .where(sql`message_hash`, 'is', null)
    .execute()
  await schema
    .createIndex('tracked_messages_active')
    .on('tracked_messages')
    .column('created_at_ms')
    .where(sql`activity`, 'is not', null)
    .execute()
}

async function createWatches({ schema }: Connection, { text }: Engine): Promise<void> {
  await schema
    .createTable('reply_watches')
    .addColumn('id', text, (column) => column.primaryKey().notNull())
    .addColumn('application_id', text, (column) => column.notNull())
    .addColumn('grant_id', text, (column) => column.notNull())
    .addColumn('thread_hash', text, (column) => column.notNull())
    .addColumn('thread_id', text, (column) => column.notNull())
    .addColumn('message_id', text, (column) => column.notNull())
    .addColumn('label', text, (column) => column.notNull())
    .addColumn('sent_at', 'bigint', (column) => column.notNull())
    .addColumn('replies', 'integer', (column) => column.notNull())
    .addColumn('began_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('stirred_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('due_at_ms', 'bigint', (column) => column.notNull())
    .addForeignKeyConstraint('reply_watches_grant', ['grant_id'], 'grants', ['id'], (key) =>
      key.onDelete('cascade').deferrable().initiallyDeferred(),
    )
    .execute()
  await schema.createIndex('reply_watches_due').on('reply_watches').column('due_at_ms').execute()
  await schema
    .createIndex('reply_watches_thread')
    .on('reply_watches')
    .columns(['grant_id', 'thread_hash'])
    .execute()
  await schema
    .createTable('watched_replies')
    .addColumn('watch_id', text, (column) => column.notNull())
    .addColumn('message_hash', text, (column) => column.notNull())
    .addPrimaryKeyConstraint('watched_replies_key', ['watch_id', 'message_hash'])
    .addForeignKeyConstraint('watched_replies_watch', ['watch_id'], 'reply_watches', ['id'], (key) =>
      key.onDelete('cascade').deferrable().initiallyDeferred(),
    )
    .execute()
}
