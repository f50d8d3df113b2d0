import { IDEMPOTENCY_LIFE_MS } from '../core/mail/idempotency.ts'
import type { JobDeps } from './job-deps.ts'
import { type Loop, startLoop } from './loop.ts'

const EVERY_MS = 5 * 60 * 1000
const BATCH = 500

/** Deletes kept answers of an hour ago. Idempotent, and harmless in several processes at once. */
export function startIdempotencyExpiry({ database, log }: JobDeps): Loop {
  return startLoop({
    name: 'idempotency-expiry',
    log,
    everyMs: EVERY_MS,
    async run() {
      return (await database.stores.idempotency.deleteOlderThan(IDEMPOTENCY_LIFE_MS, BATCH)) === BATCH
    },
  })
}
