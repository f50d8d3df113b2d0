import { sql } from 'kysely'
import type { Connection, Engine } from '../engine.ts'
import type { Migration } from './migration.ts'

/** Signatures of grants, and templates of grants and applications. */
export const signaturesAndTemplates: Migration = {
  name: '0010-signatures-and-templates',
  async up(transaction, engine) {
    await createSignatures(transaction, engine)
    await createTemplates(transaction, engine)
  },
}

async function createSignatures({ schema }: Connection, { text, sequence }: Engine): Promise<void> {
  await schema
    .createTable('signatures')
    .addColumn('seq', sequence, (column) => column.primaryKey().notNull())
    .addColumn('id', text, (column) => column.notNull().unique())
    .addColumn('application_id', text, (column) => column.notNull())
    .addColumn('grant_id', text, (column) => column.notNull())
    .addColumn('name', text, (column) => column.notNull())
    .addColumn('body', text, (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('updated_at', 'bigint', (column) => column.notNull())
    .addForeignKeyConstraint('signatures_grant', ['grant_id'], 'grants', ['id'], (key) =>
      key.onDelete('cascade').deferrable().initiallyDeferred(),
    )
    .execute()
  await schema.createIndex('signatures_list').on('signatures').columns(['grant_id', 'seq']).execute()
}

async function createTemplates({ schema }: Connection, { text, sequence }: Engine): Promise<void> {
  await schema
    .createTable('templates')
    .addColumn('seq', sequence, (column) => column.primaryKey().notNull())
    .addColumn('id', text, (column) => column.notNull().unique())
    .addColumn('application_id', text, (column) => column.notNull())
    .addColumn('grant_id', text)
    .addColumn('engine', text, (column) => column.notNull())
    .addColumn('name', text, (column) => column.notNull())
    .addColumn('subject', text, (column) => column.notNull())
    .addColumn('body', text, (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('updated_at', 'bigint', (column) => column.notNull())
    .addForeignKeyConstraint('templates_grant', ['grant_id'], 'grants', ['id'], (key) =>
      key.onDelete('cascade').deferrable().initiallyDeferred(),
    )
    .execute()
  await schema.createIndex('templates_of_grant').on('templates').columns(['grant_id', 'seq']).execute()
  await schema
    .createIndex('templates_of_application')
    .on('templates')
    .columns(['application_id', 'seq'])
    .where(sql.ref('grant_id'), 'is', null)
    .execute()
}
