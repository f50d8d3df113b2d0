import type { Database } from '../core/ports/stores.ts'
import { PENDING_LIFE_MS } from '../core/grants/pending.ts'
import type { Logger } from '../kit/logger.ts'

const EVERY_MS = 60 * 60 * 1000

/**
 * Deletes pending secrets that no request has finished within 24 hours, once an hour. Idempotent, and harmless
 * in several processes at once.
 */
export function startPendingExpiry(database: Database, log: Logger): { stop(): Promise<void> } {
  let running: Promise<void> = Promise.resolve()
  const tick = () => {
    running = expire(database, log)
  }
  tick()
  const timer = setInterval(tick, EVERY_MS)
  timer.unref()
  return {
    async stop() {
      clearInterval(timer)
      await running
    },
  }
}

async function expire(database: Database, log: Logger): Promise<void> {
  try {
    const deleted = await database.stores.pendingSecrets.deleteOlderThan(PENDING_LIFE_MS)
    if (deleted > 0) log.info({ deleted }, 'pending_secrets.expired')
  } catch (error) {
    // The database is away: the next hour does it.
    log.warn({ err: error }, 'pending_secrets.expiry_failed')
  }
}
