import { COUNTED_MS } from '../core/mail/tracking/hit-counter.ts'
import type { JobDeps } from './job-deps.ts'
import { type Loop, startLoop } from './loop.ts'

const EVERY_MS = 60 * 60 * 1000
const BATCH = 1_000
const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS
const DONE_MS = 7 * DAY_MS
const DEAD_MS = 30 * DAY_MS
/** Longer than dead letters and the tries before them, so that each one in the list can be replayed. */
const EVENTS_MS = 35 * DAY_MS
/** Longer than the 72 hours after which a failing destination is given up. */
const COUNTS_MS = 4 * DAY_MS
const RATES_MS = DAY_MS
/** Whoever finds a mail of two years ago still gets where its links lead. */
const TRACKED_MS = 730 * DAY_MS
/** Longer than a message waits to be sent. */
const UNSENT_MS = 40 * DAY_MS

/** Deletes what is kept only for a time, once an hour, in batches. Harmless in several processes at once. */
export function startRetention({ database, log }: JobDeps): Loop {
  const { jobs, outbox, tracking, webhooks, rates } = database.stores
  const batches: readonly (() => Promise<number>)[] = [
    () => jobs.deleteFinished('webhook.delivery', 'done', DONE_MS, BATCH),
    () => jobs.deleteFinished('webhook.delivery', 'dead', DEAD_MS, BATCH),
    () => outbox.deleteOlderThan(EVENTS_MS / 1000, BATCH),
    () => tracking.clearActivity(COUNTED_MS, BATCH),
    () => tracking.deleteUnsent(UNSENT_MS, BATCH),
    () => tracking.deleteOlderThan(TRACKED_MS, BATCH),
  ]
  return startLoop({
    name: 'retention',
    log,
    everyMs: EVERY_MS,
    async run(signal) {
      for (const deleteBatch of batches) {
        while (!signal.aborted && (await deleteBatch()) === BATCH);
      }
      await webhooks.deleteCountsOlderThan(COUNTS_MS / MINUTE_MS)
      await rates.deleteOlderThan(RATES_MS)
      return false
    },
  })
}
