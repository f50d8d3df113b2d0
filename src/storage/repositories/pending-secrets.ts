import { sql } from 'kysely'
import type { PendingSecretRecord } from '../../core/ports/records.ts'
import type { PendingSecretStore } from '../../core/ports/stores.ts'
import { wholeNumber } from '../column.ts'
import type { Connection, Engine } from '../engine.ts'
import { createRunner, statement } from '../prepared-statement.ts'
import type { PendingSecretRow } from '../tables.ts'
import { inTransaction } from '../transaction.ts'

const findById = statement((on, { id }: { id: string }) =>
  on.selectFrom('pending_secrets').selectAll().where('id', '=', id),
)

const insertFirst = statement((on, record: Omit<PendingSecretRecord, 'version' | 'createdAtMs'>, engine) =>
  on
    .insertInto('pending_secrets')
    .values({
      id: record.id,
      application_id: record.applicationId,
      provider: record.provider,
      client_id: record.clientId,
      version: 1,
      sealed: record.sealed,
      created_at_ms: engine.nowMs,
    })
    // There by the same caller's try before.
    .onConflict((conflict) => conflict.doNothing()),
)

const deleteVersion = statement((on, of: { id: string; version: number }) =>
  on.deleteFrom('pending_secrets').where('id', '=', of.id).where('version', '=', of.version),
)

export function createPendingSecretStore(connection: Connection, engine: Engine): PendingSecretStore {
  const run = createRunner(connection, engine)
  return {
    async find(id) {
      const row = await run.first(findById, { id })
      return row ? toRecord(row) : null
    },
    async insert(record) {
      const { id, applicationId, provider, clientId, sealed } = record
      await run.change(insertFirst, { id, applicationId, provider, clientId, sealed })
    },
    async update(id, version, sealed) {
      const result = await connection
        .updateTable('pending_secrets')
        .set({ sealed, version: version + 1 })
        .where('id', '=', id)
        .where('version', '=', version)
        .executeTakeFirst()
      return result.numUpdatedRows === 1n
    },
    async delete(id, version) {
      if (version !== undefined) return (await run.change(deleteVersion, { id, version })) === 1
      const result = await connection.deleteFrom('pending_secrets').where('id', '=', id).executeTakeFirst()
      return result.numDeletedRows === 1n
    },
    async deleteOlderThan(ageMs) {
      let total = 0
      for (;;) {
        const deleted = await inTransaction(connection, (transaction) =>
          deleteBatch(transaction, engine, ageMs),
        )
        total += deleted
        if (deleted < BATCH) return total
      }
    },
  }
}

async function deleteBatch(transaction: Connection, engine: Engine, ageMs: number): Promise<number> {
  // The ids first: the clock moves on between two statements, and both must mean the same rows.
  const old = await transaction
    .selectFrom('pending_secrets')
    .select('id')
    .where('created_at_ms', '<', sql<number>`${engine.nowMs} - ${wholeNumber(ageMs)}`)
    .orderBy('created_at_ms')
    .limit(BATCH)
    .execute()
  const ids = old.map(({ id }) => id)
  if (ids.length === 0) return 0
  await transaction.deleteFrom('seen_tokens').where('pending_id', 'in', ids).execute()
  const result = await transaction.deleteFrom('pending_secrets').where('id', 'in', ids).executeTakeFirst()
  return Number(result.numDeletedRows)
}

/** Most rows that one transaction deletes, so that none is long. */
const BATCH = 1000

function toRecord(row: PendingSecretRow): PendingSecretRecord {
  return {
    id: row.id,
    applicationId: row.application_id,
    provider: row.provider,
    clientId: row.client_id,
    version: row.version,
    sealed: row.sealed,
    createdAtMs: row.created_at_ms,
  }
}
