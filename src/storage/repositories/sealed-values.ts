import { type ExpressionBuilder, type Kysely, sql } from 'kysely'
import type { ApplicationId } from '../../contract/ids.ts'
import type { SealedStore } from '../../core/ports/sealed.ts'
import { wholeNumber } from '../column.ts'
import type { Connection, Engine } from '../engine.ts'
import { inTransaction } from '../transaction.ts'

/** The tables differ in their names only, so these statements are written without the types of one. */
interface AnyTable {
  readonly [table: string]: { readonly [column: string]: string | null }
}

export function createSealedStore(connection: Connection, engine: Engine): SealedStore {
  const untyped = (on: Connection) => on as unknown as Kysely<AnyTable>
  return {
    async count({ table }) {
      const { count } = await untyped(connection)
        .selectFrom(table)
        .select(sql<number>`count(*)`.as('count'))
        .executeTakeFirstOrThrow()
      return count
    },
    async list({ table, id, columns }, afterId, limit) {
      const rows = await untyped(connection)
        .selectFrom(table)
        .select([id, 'application_id', ...columns])
        .where(id, '>', afterId)
        .orderBy(id)
        .limit(wholeNumber(limit))
        .execute()
      return rows.map((row) => ({
        id: row[id] ?? '',
        applicationId: (row['application_id'] ?? '') as ApplicationId,
        values: Object.fromEntries(columns.map((column) => [column, row[column] ?? null])),
      }))
    },
    replace({ table, id }, rows) {
      if (rows.length === 0) return Promise.resolve(0)
      return inTransaction(connection, async (transaction) => {
        const on = untyped(transaction)
        const wanted = rows.map((row) => row.id)
        const free = await engine
          .skippingLocked(on.selectFrom(table).select(id).where(id, 'in', wanted).orderBy(id))
          .execute()
        const ours = new Set(free.map((row) => row[id]))
        let changed = 0
        for (const row of rows.filter((each) => ours.has(each.id))) {
          const isAsRead = (eb: ExpressionBuilder<AnyTable, string>) =>
            eb.and(Object.entries(row.before).map(([column, text]) => eb(column, '=', text)))
          const result = await on
            .updateTable(table)
            .set(row.after)
            .where(id, '=', row.id)
            .where(isAsRead)
            .executeTakeFirst()
          changed += Number(result.numUpdatedRows)
        }
        return changed
      })
    },
  }
}
