import type { Connection, Engine } from '../engine.ts'
import type { Migration } from './migration.ts'

/** Applications and what hangs on them, grants and their secrets, events and the audit log. */
export const initial: Migration = {
  name: '0001-initial',
  async up(transaction, engine) {
    await createApplications(transaction, engine)
    await createConnectors(transaction, engine)
    await createGrants(transaction, engine)
    await createGrantIndexes(transaction)
    await createSecrets(transaction, engine)
    await createSeenTokens(transaction, engine)
    await createDataKeys(transaction, engine)
    await createLogs(transaction, engine)
  },
}

async function createApplications({ schema }: Connection, { text }: Engine): Promise<void> {
  await schema
    .createTable('applications')
    .addColumn('id', text, (column) => column.primaryKey().notNull())
    .addColumn('name', text, (column) => column.notNull())
    .addColumn('settings', text, (column) => column.notNull())
    .addColumn('blocked', 'integer', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('updated_at', 'bigint', (column) => column.notNull())
    .execute()
  await schema.createIndex('applications_created').on('applications').columns(['created_at', 'id']).execute()
  await schema
    .createTable('api_keys')
    .addColumn('id', text, (column) => column.primaryKey().notNull())
    .addColumn('application_id', text, (column) => column.notNull())
    .addColumn('name', text, (column) => column.notNull())
    .addColumn('hash', text, (column) => column.notNull().unique())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('revoked_at', 'bigint')
    .execute()
  await schema
    .createIndex('api_keys_application')
    .on('api_keys')
    .columns(['application_id', 'created_at', 'id'])
    .execute()
  await schema.createIndex('api_keys_created').on('api_keys').columns(['created_at', 'id']).execute()
  await schema
    .createTable('callback_uris')
    .addColumn('id', text, (column) => column.primaryKey().notNull())
    .addColumn('application_id', text, (column) => column.notNull())
    .addColumn('url', text, (column) => column.notNull())
    .addColumn('url_hash', text, (column) => column.notNull())
    .addColumn('platform', text, (column) => column.notNull())
    .addColumn('settings', text, (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addUniqueConstraint('callback_uris_url', ['application_id', 'url_hash'])
    .execute()
  await schema
    .createIndex('callback_uris_created')
    .on('callback_uris')
    .columns(['application_id', 'created_at', 'id'])
    .execute()
}

async function createConnectors({ schema }: Connection, { text }: Engine): Promise<void> {
  await schema
    .createTable('connectors')
    .addColumn('id', text, (column) => column.primaryKey().notNull())
    .addColumn('application_id', text, (column) => column.notNull())
    .addColumn('provider', text, (column) => column.notNull())
    .addColumn('name', text, (column) => column.notNull())
    .addColumn('settings', text, (column) => column.notNull())
    .addColumn('scope', text, (column) => column.notNull())
    .addColumn('active_credential_id', text)
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('updated_at', 'bigint', (column) => column.notNull())
    .addUniqueConstraint('connectors_provider', ['application_id', 'provider'])
    .execute()
  await schema
    .createIndex('connectors_created')
    .on('connectors')
    .columns(['application_id', 'created_at', 'id'])
    .execute()
  await schema
    .createTable('credentials')
    .addColumn('id', text, (column) => column.primaryKey().notNull())
    .addColumn('application_id', text, (column) => column.notNull())
    .addColumn('connector_id', text, (column) => column.notNull())
    .addColumn('provider', text, (column) => column.notNull())
    .addColumn('name', text, (column) => column.notNull())
    .addColumn('type', text, (column) => column.notNull())
    .addColumn('public_data', text, (column) => column.notNull())
    .addColumn('sealed_data', text, (column) => column.notNull())
    .addColumn('digest', text, (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('updated_at', 'bigint', (column) => column.notNull())
    .addUniqueConstraint('credentials_name', ['connector_id', 'name'])
    .addForeignKeyConstraint('credentials_connector', ['connector_id'], 'connectors', ['id'], (key) =>
      key.onDelete('cascade').deferrable().initiallyDeferred(),
    )
    .execute()
  for (const sorted of ['created_at', 'updated_at'] as const) {
    await schema
      .createIndex(`credentials_${sorted}`)
      .on('credentials')
      .columns(['connector_id', sorted, 'id'])
      .execute()
  }
  await schema
    .createIndex('credentials_digest')
    .on('credentials')
    .columns(['connector_id', 'digest'])
    .execute()
}

/** No foreign key to connectors and credentials: a grant outlives both, invalid. */
async function createGrants({ schema }: Connection, { text }: Engine): Promise<void> {
  await schema
    .createTable('grants')
    .addColumn('id', text, (column) => column.primaryKey().notNull())
    .addColumn('application_id', text, (column) => column.notNull())
    .addColumn('connector_id', text, (column) => column.notNull())
    .addColumn('provider', text, (column) => column.notNull())
    .addColumn('email', text, (column) => column.notNull())
    .addColumn('email_key', text, (column) => column.notNull())
    .addColumn('identity_key', text)
    .addColumn('provider_user_id', text)
    .addColumn('name', text)
    .addColumn('status', text, (column) => column.notNull())
    .addColumn('reason', text)
    .addColumn('scope', text, (column) => column.notNull())
    .addColumn('state', text)
    .addColumn('ip', text)
    .addColumn('user_agent', text)
    .addColumn('settings', text, (column) => column.notNull())
    .addColumn('credential_id', text)
    .addColumn('account_id', text)
    .addColumn('blocked', 'integer', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('updated_at', 'bigint', (column) => column.notNull())
    .addUniqueConstraint('grants_mailbox', ['application_id', 'email_key', 'provider'])
    .execute()
}

/**
 * A page of `GET /v3/grants` is found in one of these alone, the rows come by id: a deep offset walks index
 * entries, never rows. The columns after `id` are there to filter by without leaving the index.
 */
async function createGrantIndexes({ schema }: Connection): Promise<void> {
  for (const sorted of ['created_at', 'updated_at'] as const) {
    const other = sorted === 'created_at' ? [] : (['created_at'] as const)
    const grants = (name: string) => schema.createIndex(`grants_${name}_${sorted}`).on('grants')
    await grants('all')
      .columns(['application_id', sorted, 'id', ...other])
      .execute()
    await grants('status')
      .columns(['application_id', 'status', sorted, 'id', 'provider', ...other])
      .execute()
    await grants('provider')
      .columns(['application_id', 'provider', sorted, 'id', 'status', ...other])
      .execute()
    await grants('ip')
      .columns(['application_id', 'ip', sorted, 'id', 'provider', 'status', ...other])
      .where('ip', 'is not', null)
      .execute()
  }
  await schema
    .createIndex('grants_account')
    .unique()
    .on('grants')
    .columns(['application_id', 'account_id'])
    .where('account_id', 'is not', null)
    .execute()
  await schema
    .createIndex('grants_connector')
    .on('grants')
    .columns(['connector_id', 'status', 'id'])
    .execute()
  await schema
    .createIndex('grants_identity')
    .on('grants')
    .columns(['provider', 'identity_key'])
    .where('identity_key', 'is not', null)
    .execute()
  await schema
    .createIndex('grants_credential')
    .on('grants')
    .columns(['credential_id', 'status', 'id'])
    .where('credential_id', 'is not', null)
    .execute()
}

async function createSecrets({ schema }: Connection, { text }: Engine): Promise<void> {
  await schema
    .createTable('grant_secrets')
    .addColumn('grant_id', text, (column) => column.primaryKey().notNull())
    .addColumn('application_id', text, (column) => column.notNull())
    .addColumn('version', 'bigint', (column) => column.notNull())
    .addColumn('sealed_secret', text, (column) => column.notNull())
    .addColumn('sealed_access_token', text)
    .addColumn('access_expires_at', 'bigint')
    .addColumn('sealed_superseded', text)
    .addColumn('next_refresh_at_ms', 'bigint')
    .addColumn('lease_until_ms', 'bigint')
    .addColumn('attempt_id', text)
    .addColumn('attempt_holder', text)
    .addColumn('attempt_started_at_ms', 'bigint')
    .addColumn('failures', 'integer', (column) => column.notNull())
    .addColumn('cool_down_until_ms', 'bigint')
    .addForeignKeyConstraint('grant_secrets_grant', ['grant_id'], 'grants', ['id'], (key) =>
      key.onDelete('cascade').deferrable().initiallyDeferred(),
    )
    .execute()
  await schema
    .createIndex('grant_secrets_due')
    .on('grant_secrets')
    .columns(['next_refresh_at_ms', 'grant_id'])
    .where('next_refresh_at_ms', 'is not', null)
    .execute()
}

async function createSeenTokens({ schema }: Connection, { text }: Engine): Promise<void> {
  await schema
    .createTable('pending_secrets')
    .addColumn('id', text, (column) => column.primaryKey().notNull())
    .addColumn('application_id', text, (column) => column.notNull())
    .addColumn('provider', text, (column) => column.notNull())
    .addColumn('client_id', text, (column) => column.notNull())
    .addColumn('version', 'bigint', (column) => column.notNull())
    .addColumn('sealed', text, (column) => column.notNull())
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .execute()
  await schema
    .createIndex('pending_secrets_created')
    .on('pending_secrets')
    .columns(['created_at_ms', 'id'])
    .execute()
  await schema
    .createTable('seen_tokens')
    .addColumn('application_id', text, (column) => column.notNull())
    .addColumn('provider', text, (column) => column.notNull())
    .addColumn('client_id', text, (column) => column.notNull())
    .addColumn('digest', text, (column) => column.notNull())
    .addColumn('state', text, (column) => column.notNull())
    .addColumn('attempt_id', text)
    .addColumn('attempt_holder', text)
    .addColumn('attempt_started_at_ms', 'bigint')
    .addColumn('tries', 'integer', (column) => column.notNull())
    .addColumn('pending_id', text)
    .addColumn('grant_id', text)
    .addColumn('version', 'bigint')
    .addPrimaryKeyConstraint('seen_tokens_key', ['digest', 'application_id', 'provider', 'client_id'])
    .addForeignKeyConstraint('seen_tokens_grant', ['grant_id'], 'grants', ['id'], (key) =>
      key.onDelete('cascade').deferrable().initiallyDeferred(),
    )
    .execute()
  for (const owner of ['pending_id', 'grant_id'] as const) {
    await schema
      .createIndex(`seen_tokens_${owner}`)
      .on('seen_tokens')
      .column(owner)
      .where(owner, 'is not', null)
      .execute()
  }
}

async function createDataKeys({ schema }: Connection, { text }: Engine): Promise<void> {
  await schema
    .createTable('data_keys')
    .addColumn('id', text, (column) => column.primaryKey().notNull())
    .addColumn('purpose', text, (column) => column.notNull())
    .addColumn('wrapped_by', text, (column) => column.notNull())
    .addColumn('wrapped', text, (column) => column.notNull())
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .execute()
  await schema
    .createIndex('data_keys_one_lookup')
    .unique()
    .on('data_keys')
    .column('purpose')
    .where('purpose', '=', 'lookup')
    .execute()
}

async function createLogs({ schema }: Connection, { text, sequence }: Engine): Promise<void> {
  await schema
    .createTable('outbox')
    .addColumn('seq', sequence, (column) => column.primaryKey().notNull())
    .addColumn('id', text, (column) => column.notNull().unique())
    .addColumn('application_id', text, (column) => column.notNull())
    .addColumn('grant_id', text, (column) => column.notNull())
    .addColumn('trigger', text, (column) => column.notNull())
    .addColumn('payload', text, (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .execute()
  await schema.createIndex('outbox_application').on('outbox').columns(['application_id', 'seq']).execute()
  await schema
    .createTable('audit_log')
    .addColumn('seq', sequence, (column) => column.primaryKey().notNull())
    .addColumn('id', text, (column) => column.notNull().unique())
    .addColumn('application_id', text)
    .addColumn('actor', text, (column) => column.notNull())
    .addColumn('action', text, (column) => column.notNull())
    .addColumn('target', text, (column) => column.notNull())
    .addColumn('detail', text, (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .execute()
  await schema
    .createIndex('audit_log_application')
    .on('audit_log')
    .columns(['application_id', 'seq'])
    .execute()
}
