import type { DataKeyStore } from '../../core/ports/stores.ts'
import type { Connection } from '../engine.ts'

export function createDataKeyStore(connection: Connection): DataKeyStore {
  return {
    async list() {
      const rows = await connection
        .selectFrom('data_keys')
        .selectAll()
        .orderBy('created_at_ms')
        .orderBy('id')
        .execute()
      return rows.map((row) => ({
        id: row.id,
        purpose: row.purpose,
        wrappedBy: row.wrapped_by,
        wrapped: row.wrapped,
        createdAtMs: row.created_at_ms,
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
        })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst()
      return result.numInsertedOrUpdatedRows === 1n
    },
  }
}
