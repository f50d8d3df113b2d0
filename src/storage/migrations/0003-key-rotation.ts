import { sql } from 'kysely'
import type { Migration } from './migration.ts'

/**
 * States of data keys (docs/decisions/0018): `open` keys seal and open, `closed` ones open only, a `deleted` one is
 * its id alone. The database refuses a value that is sealed under a closed or deleted key. And indexes for reading the
 * audit log.
 */
export const keyRotation: Migration = {
  name: '0003-key-rotation',
  async up(transaction, engine) {
    const { schema } = transaction
    const add = schema.alterTable('data_keys')
    await add.addColumn('state', engine.text, (column) => column.notNull().defaultTo('open')).execute()
    for (const name of ['generation', 'seals', 'inserted_at_ms']) {
      await add.addColumn(name, 'bigint', (column) => column.notNull().defaultTo(0)).execute()
    }
    // Until here nothing could make a second seal key.
    await sql`update data_keys set generation = 1 where purpose = 'seal'`.execute(transaction)
    await schema
      .createIndex('data_keys_generation')
      .unique()
      .on('data_keys')
      .column('generation')
      .where(sql.ref('purpose'), '=', 'seal')
      .execute()
    await engine.refuseClosedKeys(transaction, 'credentials', ['sealed_data'])
    await engine.refuseClosedKeys(transaction, 'webhooks', ['sealed_secret'])
    await engine.refuseClosedKeys(transaction, 'pending_secrets', ['sealed'])
    await engine.refuseClosedKeys(transaction, 'grant_secrets', [
      'sealed_secret',
      'sealed_access_token',
      'sealed_superseded',
    ])
    await schema.createIndex('audit_log_action').on('audit_log').columns(['action', 'seq']).execute()
    await schema.createIndex('audit_log_created').on('audit_log').columns(['created_at', 'seq']).execute()
  },
}
