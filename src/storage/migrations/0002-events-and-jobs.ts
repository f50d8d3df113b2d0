import { sql } from 'kysely'
import { isJsonObject, parseJson, stringField } from '../../kit/json.ts'
import type { Connection, Engine } from '../engine.ts'
import type { Migration } from './migration.ts'

/** Webhook destinations, the job queue, shared rate limits, and what refreshing ahead needs to know. */
export const eventsAndJobs: Migration = {
  name: '0002-events-and-jobs',
  async up(transaction, engine) {
    await extendOutbox(transaction, engine)
    await createWebhooks(transaction, engine)
    await createJobs(transaction, engine)
    await createRates(transaction, engine)
    await extendConnectorsAndGrants(transaction, engine)
    await extendSecrets(transaction, engine)
    await extendAuditLog(transaction, engine)
  },
}

/** Events from before there were destinations had no subscriber, and had another shape. */
async function extendOutbox(transaction: Connection, { text }: Engine): Promise<void> {
  const { schema } = transaction
  await transaction.deleteFrom('outbox').execute()
  await schema
    .alterTable('outbox')
    .addColumn('source', text, (column) => column.notNull().defaultTo('/nylas/system'))
    .execute()
  await schema
    .alterTable('outbox')
    .addColumn('fanned_out', 'integer', (column) => column.notNull().defaultTo(0))
    .execute()
  await schema
    .createIndex('outbox_unsent')
    .on('outbox')
    .columns(['fanned_out', 'seq'])
    .where('fanned_out', '=', 0)
    .execute()
  await schema
    .createIndex('outbox_range')
    .on('outbox')
    .columns(['application_id', 'created_at', 'seq'])
    .execute()
  await schema.createIndex('outbox_created').on('outbox').columns(['created_at', 'seq']).execute()
}

async function createWebhooks({ schema }: Connection, { text }: Engine): Promise<void> {
  await schema
    .createTable('webhooks')
    .addColumn('id', text, (column) => column.primaryKey().notNull())
    .addColumn('application_id', text, (column) => column.notNull())
    .addColumn('description', text, (column) => column.notNull())
    .addColumn('trigger_types', text, (column) => column.notNull())
    .addColumn('url', text, (column) => column.notNull())
    .addColumn('sealed_secret', text, (column) => column.notNull())
    .addColumn('status', text, (column) => column.notNull())
    .addColumn('told_status', text)
    .addColumn('notification_email_addresses', text, (column) => column.notNull())
    .addColumn('compressed_delivery', 'integer', (column) => column.notNull())
    .addColumn('status_updated_at', 'bigint', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('updated_at', 'bigint', (column) => column.notNull())
    .execute()
  await schema
    .createIndex('webhooks_application')
    .on('webhooks')
    .columns(['application_id', 'created_at', 'id'])
    .execute()
  await schema.createIndex('webhooks_status').on('webhooks').columns(['status', 'id']).execute()
  await schema
    .createTable('webhook_counts')
    .addColumn('webhook_id', text, (column) => column.notNull())
    .addColumn('minute', 'bigint', (column) => column.notNull())
    .addColumn('succeeded', 'bigint', (column) => column.notNull())
    .addColumn('failed', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('webhook_counts_key', ['minute', 'webhook_id'])
    .execute()
}

async function createJobs({ schema }: Connection, { text, sequence }: Engine): Promise<void> {
  await schema
    .createTable('jobs')
    .addColumn('seq', sequence, (column) => column.primaryKey().notNull())
    .addColumn('id', text, (column) => column.notNull().unique())
    .addColumn('kind', text, (column) => column.notNull())
    .addColumn('lane', text, (column) => column.notNull())
    .addColumn('dedupe_key', text, (column) => column.notNull())
    .addColumn('application_id', text, (column) => column.notNull())
    .addColumn('payload', text, (column) => column.notNull())
    .addColumn('state', text, (column) => column.notNull())
    .addColumn('attempts', 'integer', (column) => column.notNull())
    .addColumn('due_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('lease', text)
    .addColumn('holder', text)
    .addColumn('outcome', text)
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('finished_at_ms', 'bigint')
    .addUniqueConstraint('jobs_dedupe', ['kind', 'dedupe_key'])
    .execute()
  await schema
    .createIndex('jobs_due')
    .on('jobs')
    .columns(['kind', 'lane', 'due_at_ms', 'seq'])
    .where(sql<boolean>`state = 'waiting'`)
    .execute()
  await schema
    .createIndex('jobs_oldest_due')
    .on('jobs')
    .columns(['kind', 'due_at_ms'])
    .where(sql<boolean>`state = 'waiting'`)
    .execute()
  await schema
    .createIndex('jobs_holder')
    .on('jobs')
    .column('holder')
    .where('holder', 'is not', null)
    .execute()
  await schema.createIndex('jobs_lane').on('jobs').columns(['kind', 'lane', 'seq']).execute()
  await schema.createIndex('jobs_state').on('jobs').columns(['kind', 'state', 'finished_at_ms']).execute()
}

async function createRates({ schema }: Connection, { text }: Engine): Promise<void> {
  await schema
    .createTable('rate_windows')
    .addColumn('key', text, (column) => column.primaryKey().notNull())
    .addColumn('window_start_ms', 'bigint', (column) => column.notNull())
    .addColumn('used', 'bigint', (column) => column.notNull())
    .execute()
  await schema
    .createIndex('rate_windows_start')
    .on('rate_windows')
    .columns(['window_start_ms', 'key'])
    .execute()
}

async function extendConnectorsAndGrants(transaction: Connection, { text }: Engine): Promise<void> {
  const { schema } = transaction
  await schema.alterTable('connectors').addColumn('alarm', text).execute()
  await schema
    .createIndex('connectors_alarmed')
    .on('connectors')
    .column('id')
    .where(sql<boolean>`alarm is not null`)
    .execute()
  await schema.alterTable('grants').addColumn('reason_code', text).execute()
  const invalid = await transaction
    .selectFrom('grants')
    .select(['id', 'reason'])
    .where('status', '=', 'invalid')
    .execute()
  for (const { id, reason } of invalid) {
    const parsed = reason === null ? null : parseJson(reason)
    const code = isJsonObject(parsed) ? (stringField(parsed, 'code') ?? null) : null
    await transaction.updateTable('grants').set({ reason_code: code }).where('id', '=', id).execute()
  }
  await schema
    .createIndex('grants_invalid')
    .on('grants')
    .columns(['provider', 'reason_code'])
    .where(sql<boolean>`status = 'invalid'`)
    .execute()
  // Narrow, so that counting a million valid grants holds nothing up.
  await schema
    .createIndex('grants_valid')
    .on('grants')
    .column('provider')
    .where(sql<boolean>`status = 'valid'`)
    .execute()
}

async function extendSecrets(transaction: Connection, { text }: Engine): Promise<void> {
  const { schema } = transaction
  await schema.alterTable('grant_secrets').addColumn('connector_id', text).execute()
  await schema.alterTable('grant_secrets').addColumn('last_used_at_ms', 'bigint').execute()
  await transaction
    .updateTable('grant_secrets')
    .set((eb) => ({
      connector_id: eb
        .selectFrom('grants')
        .select('grants.connector_id')
        .whereRef('grants.id', '=', 'grant_secrets.grant_id'),
    }))
    .execute()
  await schema.dropIndex('grant_secrets_due').execute()
  await schema
    .createIndex('grant_secrets_due')
    .on('grant_secrets')
    .columns(['connector_id', 'next_refresh_at_ms', 'grant_id'])
    .where('next_refresh_at_ms', 'is not', null)
    .execute()
}

async function extendAuditLog(transaction: Connection, engine: Engine): Promise<void> {
  const { schema } = transaction
  await schema.createIndex('audit_log_target').on('audit_log').columns(['target', 'seq']).execute()
  await schema.createIndex('audit_log_actor').on('audit_log').columns(['actor', 'seq']).execute()
  await engine.makeAppendOnly(transaction, 'audit_log')
}
