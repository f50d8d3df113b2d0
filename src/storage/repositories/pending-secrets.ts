import { sql } from 'kysely'
import type { PendingSecretRecord } from '../../core/ports/records.ts'
import type { PendingSecretStore } from '../../core/ports/stores.ts'
import { wholeNumber } from '../column.ts'
import type { Connection, Engine } from '../engine.ts'
import type { PendingSecretRow } from '../tables.ts'
import { inTransaction } from '../transaction.ts'

export function createPendingSecretStore(connection: Connection, engine: Engine): PendingSecretStore {
  return {
    async find(id) {
      const row = await connection
        .selectFrom('pending_secrets')
        .selectAll()
        .where('id', '=', id)
        .executeTakeFirst()
      return row ? toRecord(row) : null
    },
    async insert(record) {
      await connection
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
        .execute()
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
      const result = await connection
        .deleteFrom('pending_secrets')
        .where('id', '=', id)
        .$if(version !== undefined, (deletion) => deletion.where('version', '=', version ?? 0))
        .executeTakeFirst()
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
