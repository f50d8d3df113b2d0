import type { Connection, Engine } from '../engine.ts'
import type { Migration } from './migration.ts'

/** Sessions of hosted authentication, and the codes, tokens and signing keys of ours; an index for CORS. */
export const hostedAuthentication: Migration = {
  name: '0005-hosted-authentication',
  async up(transaction, engine) {
    await createSessions(transaction, engine)
    await createCodes(transaction, engine)
    await createTokens(transaction, engine)
    await createSigningKeys(transaction, engine)
    await engine.refuseClosedKeys(transaction, 'oauth_sessions', ['sealed_verifier'])
    await engine.refuseClosedKeys(transaction, 'signing_keys', ['sealed_private'])
    // The origins of browser applications are read over every application (CORS).
    await transaction.schema
      .createIndex('callback_uris_platform')
      .on('callback_uris')
      .columns(['platform', 'id'])
      .execute()
  },
}

async function createSessions({ schema }: Connection, { text }: Engine): Promise<void> {
  await schema
    .createTable('oauth_sessions')
    .addColumn('id', text, (column) => column.primaryKey().notNull())
    .addColumn('application_id', text, (column) => column.notNull())
    .addColumn('browser_hash', text, (column) => column.notNull())
    .addColumn('state_hash', text, (column) => column.unique())
    .addColumn('provider', text)
    .addColumn('sealed_verifier', text)
    .addColumn('request', text, (column) => column.notNull())
    .addColumn('attempts', 'integer', (column) => column.notNull())
    .addColumn('status', text, (column) => column.notNull())
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('expires_at_ms', 'bigint', (column) => column.notNull())
    .execute()
  await schema
    .createIndex('oauth_sessions_expiry')
    .on('oauth_sessions')
    .columns(['expires_at_ms', 'id'])
    .execute()
}

async function createCodes({ schema }: Connection, { text }: Engine): Promise<void> {
  await schema
    .createTable('authorization_codes')
    .addColumn('hash', text, (column) => column.primaryKey().notNull())
    .addColumn('application_id', text, (column) => column.notNull())
    .addColumn('grant_id', text, (column) => column.notNull())
    .addColumn('redirect_uri', text, (column) => column.notNull())
    .addColumn('challenge', text)
    .addColumn('challenge_method', text)
    .addColumn('offline', 'integer', (column) => column.notNull())
    .addColumn('family_id', text, (column) => column.notNull())
    .addColumn('used_at_ms', 'bigint')
    .addColumn('expires_at_ms', 'bigint', (column) => column.notNull())
    .addForeignKeyConstraint('authorization_codes_grant', ['grant_id'], 'grants', ['id'], (key) =>
      key.onDelete('cascade').deferrable().initiallyDeferred(),
    )
    .execute()
  await schema.createIndex('authorization_codes_grant').on('authorization_codes').column('grant_id').execute()
  await schema
    .createIndex('authorization_codes_expiry')
    .on('authorization_codes')
    .columns(['expires_at_ms', 'hash'])
    .execute()
}

/** They go with their grant, by the foreign key. */
async function createTokens({ schema }: Connection, { text }: Engine): Promise<void> {
  await schema
    .createTable('access_tokens')
    .addColumn('hash', text, (column) => column.primaryKey().notNull())
    .addColumn('family_id', text, (column) => column.notNull())
    .addColumn('application_id', text, (column) => column.notNull())
    .addColumn('grant_id', text, (column) => column.notNull())
    .addColumn('issued_at', 'bigint', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .addForeignKeyConstraint('access_tokens_grant', ['grant_id'], 'grants', ['id'], (key) =>
      key.onDelete('cascade').deferrable().initiallyDeferred(),
    )
    .execute()
  await schema
    .createTable('refresh_tokens')
    .addColumn('hash', text, (column) => column.primaryKey().notNull())
    .addColumn('family_id', text, (column) => column.notNull())
    .addColumn('application_id', text, (column) => column.notNull())
    .addColumn('grant_id', text, (column) => column.notNull())
    .addColumn('family_issued_at', 'bigint', (column) => column.notNull())
    .addColumn('last_used_at', 'bigint', (column) => column.notNull())
    .addColumn('replaced_at', 'bigint')
    .addForeignKeyConstraint('refresh_tokens_grant', ['grant_id'], 'grants', ['id'], (key) =>
      key.onDelete('cascade').deferrable().initiallyDeferred(),
    )
    .execute()
  for (const table of ['access_tokens', 'refresh_tokens'] as const) {
    await schema.createIndex(`${table}_family`).on(table).column('family_id').execute()
    await schema.createIndex(`${table}_grant`).on(table).column('grant_id').execute()
  }
  await schema
    .createIndex('access_tokens_expiry')
    .on('access_tokens')
    .columns(['expires_at', 'hash'])
    .execute()
  await schema
    .createIndex('refresh_tokens_replaced')
    .on('refresh_tokens')
    .columns(['replaced_at', 'hash'])
    .where('replaced_at', 'is not', null)
    .execute()
}

async function createSigningKeys({ schema }: Connection, { text }: Engine): Promise<void> {
  await schema
    .createTable('signing_keys')
    .addColumn('kid', text, (column) => column.primaryKey().notNull())
    // No application's: empty, as every sealed row names one.
    .addColumn('application_id', text, (column) => column.notNull().defaultTo(''))
    .addColumn('public_jwk', text, (column) => column.notNull())
    .addColumn('sealed_private', text, (column) => column.notNull())
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('retired_at_ms', 'bigint')
    .execute()
}
