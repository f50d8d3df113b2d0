import type { Database } from '../core/ports/stores.ts'
import { deliveryJob } from '../core/webhooks/delivery-job.ts'
import { matchesTrigger } from '../core/webhooks/triggers.ts'
import type { JobDeps } from './job-deps.ts'
import { type Loop, startLoop } from './loop.ts'

const EVERY_MS = 500
const BATCH = 500

/**
 * Turns events into deliveries: one job for each destination that subscribed to the trigger and takes deliveries now.
 * Taken and enqueued in one transaction, so that an event is fanned out once, whoever dies.
 *
 * @param onEnqueued  called when there is something to deliver
 */
export function startWebhookFanOut({ database, log }: JobDeps, onEnqueued: () => void): Loop {
  return startLoop({
    name: 'webhook-fan-out',
    log,
    everyMs: EVERY_MS,
    async run() {
      const { taken, enqueued } = await fanOut(database)
      if (enqueued > 0) onEnqueued()
      return taken === BATCH
    },
  })
}

function fanOut(database: Database): Promise<{ readonly taken: number; readonly enqueued: number }> {
  return database.transaction(async ({ outbox, webhooks, jobs }) => {
    const events = await outbox.takeUnsent(BATCH)
    if (events.length === 0) return { taken: 0, enqueued: 0 }
    const destinations = await webhooks.listReceiving([
      ...new Set(events.map(({ applicationId }) => applicationId)),
    ])
    const deliveries = events.flatMap((event) =>
      destinations
        .filter((webhook) => webhook.applicationId === event.applicationId)
        .filter((webhook) => matchesTrigger(webhook.triggerTypes, event.trigger))
        .map((webhook) => deliveryJob(event, webhook)),
    )
    return { taken: events.length, enqueued: await jobs.enqueue(deliveries) }
  })
}
