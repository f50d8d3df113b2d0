import { PENDING_LIFE_MS } from '../core/grants/pending.ts'
import type { JobDeps } from './job-deps.ts'
import { type Loop, startLoop } from './loop.ts'

const EVERY_MS = 60 * 60 * 1000

/**
 * Deletes pending secrets that no request has finished within 24 hours, once an hour. Idempotent, and harmless
 * in several processes at once.
 */
export function startPendingExpiry({ database, log }: JobDeps): Loop {
  return startLoop({
    name: 'pending-expiry',
    log,
    everyMs: EVERY_MS,
    async run() {
      const deleted = await database.stores.pendingSecrets.deleteOlderThan(PENDING_LIFE_MS)
      if (deleted > 0) log.info({ deleted }, 'pending_secrets.expired')
      return false
    },
  })
}
