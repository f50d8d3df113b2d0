import { sql } from 'kysely'
import { SEALED_TABLES } from '../../core/ports/sealed.ts'
import type { DataKeyStore } from '../../core/ports/stores.ts'
import { wholeNumber } from '../column.ts'
import type { Connection, Engine } from '../engine.ts'
import { inTransaction } from '../transaction.ts'

/**
 * How long a closing may hold up the writers of a table while it waits for those under way: well below PostgreSQL's
 * deadlock_timeout of a second, so that of two who wait for each other this one gives up.
 */
const CLOSE_WAIT_MS = 250

export function createDataKeyStore(connection: Connection, engine: Engine): DataKeyStore {
  return {
    async list() {
      const rows = await connection
        .selectFrom('data_keys')
        .selectAll()
        .select(engine.nowMs.as('read_at_ms'))
        .where('state', '!=', 'deleted')
        .orderBy('generation')
        .orderBy('id')
        .execute()
      return rows.map((row) => ({
        id: row.id,
        purpose: row.purpose,
        wrappedBy: row.wrapped_by,
        wrapped: row.wrapped,
        createdAtMs: row.created_at_ms,
        generation: row.generation,
        isClosed: row.state === 'closed',
        seals: row.seals,
        ageMs: Math.max(0, row.read_at_ms - row.inserted_at_ms),
      }))
    },
    async insert(record) {
      const result = await connection
        .insertInto('data_keys')
        .values({
          id: record.id,
          purpose: record.purpose,
          wrapped_by: record.wrappedBy,
          wrapped: record.wrapped,
          created_at_ms: record.createdAtMs,
          generation: record.generation,
          state: 'open',
          seals: 0,
          inserted_at_ms: engine.nowMs,
        })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst()
      return result.numInsertedOrUpdatedRows === 1n
    },
    async rewrap(id, before, { wrappedBy, wrapped }) {
      const result = await connection
        .updateTable('data_keys')
        .set({ wrapped_by: wrappedBy, wrapped })
        .where('id', '=', id)
        .where('wrapped', '=', before)
        .executeTakeFirst()
      return result.numUpdatedRows === 1n
    },
    async addSeals(id, count) {
      await connection
        .updateTable('data_keys')
        .set({ seals: sql<number>`seals + ${wholeNumber(count)}` })
        .where('id', '=', id)
        .execute()
    },
    close(ids) {
      return inTransaction(connection, async (transaction) => {
        // Whoever was let write under these keys has committed when this goes on; whoever comes later is refused.
        await engine.holdUpWrites(
          transaction,
          // In the order that transactions write in: a grant's secret, then what was pending.
          SEALED_TABLES.map(({ table }) => table).toReversed(),
          CLOSE_WAIT_MS,
        )
        await transaction
          .updateTable('data_keys')
          .set({ state: 'closed' })
          .where('id', 'in', [...ids])
          .where('purpose', '=', 'seal')
          .where('state', '=', 'open')
          .where('generation', '<', (eb) =>
            eb.selectFrom('data_keys as newest').select(sql<number>`max(newest.generation)`.as('generation')),
          )
          .execute()
      })
    },
    async destroy(ids) {
      // The id stays: what is sealed under it, wherever it has been kept, is refused for ever.
      const result = await connection
        .updateTable('data_keys')
        .set({ state: 'deleted', wrapped: '', wrapped_by: '' })
        .where('id', 'in', [...ids])
        .where('state', '=', 'closed')
        .executeTakeFirst()
      return Number(result.numUpdatedRows)
    },
  }
}
