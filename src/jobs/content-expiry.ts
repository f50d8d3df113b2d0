import { KEPT_MS } from '../core/mail/scheduled/schedules.ts'
import type { JobDeps } from './job-deps.ts'
import { type Loop, startLoop } from './loop.ts'

const EVERY_MS = 5 * 60 * 1000
/** A content has up to some hundred pieces, which go with it. */
const CONTENTS_BATCH = 20
const BATCH = 500
/** A session that has expired is answered with 410 that long, and as unknown afterwards. */
const EXPIRED_UPLOAD_LIFE_MS = 24 * 60 * 60 * 1000

/**
 * Deletes kept bytes whose time is over, old upload sessions and scheduled messages that were closed three days ago.
 * Idempotent, and harmless in several processes at once.
 */
export function startContentExpiry({ database, log }: Pick<JobDeps, 'database' | 'log'>): Loop {
  return startLoop({
    name: 'content-expiry',
    log,
    everyMs: EVERY_MS,
    async run() {
      const { contents, uploads, scheduledSends } = database.stores
      const expired = await contents.deleteExpired(CONTENTS_BATCH)
      const sessions = await uploads.deleteExpired(EXPIRED_UPLOAD_LIFE_MS, BATCH)
      const closed = await scheduledSends.deleteClosed(KEPT_MS, BATCH)
      return expired === CONTENTS_BATCH || sessions === BATCH || closed === BATCH
    },
  })
}
