import type { Database } from '../core/ports/stores.ts'
import type { Logger } from '../kit/logger.ts'
import type { Attempt } from './attempt-delivery.ts'

/** Writes down what came of attempts, many at a time. */
export interface Acknowledging {
  add(attempt: Attempt): void
  /** Attempts that are not written down yet. */
  readonly waiting: number
  /** Writes down what there is. What the database refuses then is delivered again after the lease. */
  stop(): Promise<void>
}

const TICK_MS = 50
const BATCH = 100
const RETRY_MS = 1_000

/**
 * Starts acknowledging: a batch is one transaction. While the database is away the attempts are kept and tried again;
 * one that is lost with the process is delivered a second time, with the same id.
 */
export function startAcknowledging({
  database,
  log,
}: {
  readonly database: Database
  readonly log: Logger
}): Acknowledging {
  const attempts: Attempt[] = []
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> | null = null

  const later = (ms: number) => {
    timer ??= setTimeout(start, ms)
  }
  const start = () => {
    clearTimeout(timer)
    timer = undefined
    writing ??= writeAll().finally(() => {
      writing = null
    })
  }
  async function writeAll(): Promise<void> {
    while (attempts.length > 0) {
      const batch = attempts.slice(0, BATCH)
      try {
        await write(database, batch)
      } catch (error) {
        log.warn({ err: error, waiting: attempts.length }, 'webhook.outcomes_not_written')
        later(RETRY_MS)
        return
      }
      attempts.splice(0, batch.length)
    }
  }

  return {
    add(attempt) {
      attempts.push(attempt)
      if (attempts.length >= BATCH) start()
      else later(TICK_MS)
    },
    get waiting() {
      return attempts.length
    },
    async stop() {
      await writing
      clearTimeout(timer)
      await writeAll()
      clearTimeout(timer)
    },
  }
}

function write(database: Database, batch: readonly Attempt[]): Promise<void> {
  return database.transaction(async ({ jobs, webhooks }) => {
    await jobs.settle(batch.map(({ settled }) => settled))
    await webhooks.countDeliveries(countsOf(batch))
  })
}

/** In the order of ids: two processes that count the same destinations never wait for each other. */
function countsOf(batch: readonly Attempt[]) {
  const counts = new Map<string, { succeeded: number; failed: number }>()
  for (const { webhookId, succeeded } of batch) {
    if (succeeded === null) continue
    const count = counts.get(webhookId) ?? { succeeded: 0, failed: 0 }
    count[succeeded ? 'succeeded' : 'failed'] += 1
    counts.set(webhookId, count)
  }
  return [...counts]
    .map(([webhookId, count]) => ({ webhookId, ...count }))
    .toSorted((a, b) => (a.webhookId < b.webhookId ? -1 : 1))
}
