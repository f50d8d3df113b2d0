import { startDeadHolders } from './dead-holders.ts'
import type { JobDeps } from './job-deps.ts'
import { startIdempotencyExpiry } from './idempotency-expiry.ts'
import { startKeyRotation } from './key-rotation.ts'
import type { Loop } from './loop.ts'
import { startOAuthExpiry } from './oauth-expiry.ts'
import { startPendingExpiry } from './pending-expiry.ts'
import { startRefreshAhead } from './refresh-ahead.ts'
import { startReplyWatch } from './reply-watch.ts'
import { startRetention } from './retention.ts'
import { startScheduledSends } from './scheduled-sends.ts'
import { startContentExpiry } from './content-expiry.ts'
import { startWebhookDelivery } from './webhook-delivery.ts'
import { startWebhookFanOut } from './webhook-fan-out.ts'
import { startWebhookHealth } from './webhook-health.ts'
import { startWebhookNotices } from './webhook-notices.ts'

export interface Jobs {
  /** Runs everything now, for tests that moved the clock. */
  wake(): void
  stop(): Promise<void>
}

/** Starts all background work of a process. Each loop is harmless in several processes at once. */
export function startJobs(deps: JobDeps): Jobs {
  const delivery = startWebhookDelivery(deps)
  const notices = startWebhookNotices(deps)
  const loops: readonly Loop[] = [
    startPendingExpiry(deps),
    startOAuthExpiry(deps),
    startIdempotencyExpiry(deps),
    startRefreshAhead(deps),
    startScheduledSends(deps),
    startContentExpiry(deps),
    startReplyWatch(deps),
    delivery,
    startWebhookFanOut(deps, () => delivery.wake()),
    startDeadHolders(deps, () => delivery.wake()),
    startWebhookHealth(deps, () => notices.wake()),
    notices,
    startRetention(deps),
    startKeyRotation(deps),
  ]
  return {
    wake() {
      for (const loop of loops) loop.wake()
    },
    async stop() {
      await Promise.all(loops.map((loop) => loop.stop()))
    },
  }
}
