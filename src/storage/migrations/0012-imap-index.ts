import type { Migration } from './migration.ts'

/** What is known of IMAP accounts' messages: places and digests, packed, in pieces as they were learned. */
export const imapIndex: Migration = {
  name: '0012-imap-index',
  async up({ schema }, { text, sequence }) {
    await schema
      .createTable('imap_index')
      .addColumn('seq', sequence, (column) => column.primaryKey().notNull())
      .addColumn('grant_id', text, (column) => column.notNull())
      .addColumn('account', text, (column) => column.notNull())
      .addColumn('path', text, (column) => column.notNull())
      .addColumn('uid_validity', 'bigint', (column) => column.notNull())
      .addColumn('rows', text, (column) => column.notNull())
      .addForeignKeyConstraint('imap_index_grant', ['grant_id'], 'grants', ['id'], (key) =>
        key.onDelete('cascade').deferrable().initiallyDeferred(),
      )
      .execute()
    await schema
      .createIndex('imap_index_account')
      .on('imap_index')
      .columns(['grant_id', 'account', 'seq'])
      .execute()
  },
}
