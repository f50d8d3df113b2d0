import type { Database } from '../../core/ports/stores.ts'
import type { Telemetry } from '../../core/ports/telemetry.ts'
import type { Clock } from '../../kit/clock.ts'
import type { Logger } from '../../kit/logger.ts'
import { createReadAtScrape } from './read-at-scrape.ts'
import { type AnsweredRequest, createRegistry } from './registry.ts'

/** Prometheus metrics of this process. No grant id and no address is ever a label. */
export interface Metrics {
  readonly contentType: string
  readonly telemetry: Telemetry
  /** The text of a scrape; inside 5 s, whatever the database does. */
  render(): Promise<string>
  observe(request: AnsweredRequest): void
}

/** How long a scrape waits for the database: well inside the 5 s it may take, and a scraper's usual 10 s. */
const DATABASE_WAIT_MS = 3000

/** @param deps.databaseWaitMs  how long a scrape waits for fresh values; default 3 s */
export function createMetrics(deps: {
  readonly database: Pick<Database, 'stores'>
  readonly clock: Clock
  readonly log: Logger
  readonly databaseWaitMs?: number
}): Metrics {
  const own = createRegistry()
  const { registry, telemetry, readings, readingAge } = own
  const waitMs = deps.databaseWaitMs ?? DATABASE_WAIT_MS
  const reader = createReadAtScrape({ ...deps, readings, age: readingAge, waitMs })
  return {
    contentType: registry.contentType,
    telemetry,
    async render() {
      await reader.refresh()
      return registry.metrics()
    },
    observe: (request) => own.observe(request),
  }
}
