import type { Gauge } from 'prom-client'
import type { Database } from '../../core/ports/stores.ts'
import type { Clock } from '../../kit/clock.ts'
import type { Logger } from '../../kit/logger.ts'
import type { Reading } from './database-gauges.ts'

/** A reading is taken at most this often, however many scrapers there are. */
const FRESH_MS = 30_000
/** A slow reading is taken less often: at most about 2 % of the time is spent on it. */
const REST_PER_COST = 50

/**
 * Makes `refresh()`, which takes the readings that are not fresh any more, one after another, and resolves when
 * they are taken or after `waitMs`. It never rejects: what can't be read keeps its old value, and is tried again
 * no sooner than a fresh one.
 */
export function createReadAtScrape(deps: {
  readonly readings: readonly Reading[]
  readonly age: Gauge<'reading'>
  readonly database: Pick<Database, 'stores'>
  readonly clock: Clock
  readonly log: Logger
  readonly waitMs: number
}): { refresh(): Promise<void> } {
  const { readings, age, database, clock, log, waitMs } = deps
  const takenAtMs = new Map<string, number>()
  const dueAtMs = new Map<string, number>()
  let flight: Promise<void> | null = null

  async function takeDue(): Promise<void> {
    for (const reading of readings) {
      if (clock.nowMs() < (dueAtMs.get(reading.name) ?? 0)) continue
      const startedMs = performance.now()
      try {
        await reading.take(database.stores)
        takenAtMs.set(reading.name, clock.nowMs())
      } catch (error) {
        log.warn({ reading: reading.name, err: error }, 'metrics.reading_failed')
      }
      const costMs = performance.now() - startedMs
      dueAtMs.set(reading.name, clock.nowMs() + Math.max(FRESH_MS, REST_PER_COST * costMs))
    }
  }

  return {
    async refresh() {
      flight ??= takeDue().finally(() => {
        flight = null
      })
      await atMost(waitMs, flight)
      for (const [reading, atMs] of takenAtMs) {
        age.set({ reading }, Math.max(0, clock.nowMs() - atMs) / 1000)
      }
    },
  }
}

/** Waits for the work, but no longer than that; the work itself goes on. */
async function atMost(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const timeUp = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  await Promise.race([work, timeUp])
  clearTimeout(timer)
}
