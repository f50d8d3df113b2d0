import { sql } from 'kysely'
import type { RateStore } from '../../core/ports/event-stores.ts'
import { wholeNumber } from '../column.ts'
import type { Connection, Engine } from '../engine.ts'

export function createRateStore(connection: Connection, engine: Engine): RateStore {
  return {
    async take(key, limit, windowMs, want) {
      const window = sql.lit(wholeNumber(windowMs))
      // The clock is read once: two readings may lie on two sides of a millisecond, and make two windows of one.
      const start = sql<number>`((${engine.nowMs}) / ${window}) * ${window}`
      // `used` counts what was asked for, granted or not: so one statement tells how much of it fitted.
      const row = await connection
        .insertInto('rate_windows')
        .values({ key, window_start_ms: start, used: wholeNumber(want) })
        .onConflict((conflict) =>
          conflict.column('key').doUpdateSet({
            used: sql<number>`case when rate_windows.window_start_ms = excluded.window_start_ms
              then rate_windows.used + excluded.used else excluded.used end`,
            window_start_ms: sql<number>`excluded.window_start_ms`,
          }),
        )
        .returning(['used', 'window_start_ms', engine.nowMs.as('now')])
        .executeTakeFirstOrThrow()
      const usedBefore = row.used - want
      return {
        granted: Math.max(0, Math.min(want, limit - usedBefore)),
        windowEndsInMs: Math.max(0, row.window_start_ms + windowMs - row.now),
      }
    },
    async deleteOlderThan(ageMs) {
      const result = await connection
        .deleteFrom('rate_windows')
        .where('window_start_ms', '<', sql<number>`${engine.nowMs} - ${wholeNumber(ageMs)}`)
        .executeTakeFirst()
      return Number(result.numDeletedRows)
    },
  }
}
