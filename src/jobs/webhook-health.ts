import type { DeliveryCount } from '../core/ports/event-stores.ts'
import type { WebhookRecord, WebhookStatus } from '../core/ports/records.ts'
import { unixSeconds } from '../kit/clock.ts'
import type { JobDeps } from './job-deps.ts'
import { type Loop, startLoop } from './loop.ts'

const EVERY_MS = 30_000
const MINUTE_SECONDS = 60
const WINDOW_MINUTES = 15
/** Fewer than this in the window say nothing about a destination that was well. */
const LEAST_SAMPLE = 10
const FAILING_RATE = 0.95
const GIVE_UP_HOURS = 72
/** Tries are at most some 9 hours apart: a day without one means that nobody tried. */
const RECENT_HOURS = 24
const BURY_BATCH = 500

/**
 * Watches how destinations do (contract/webhooks.md 4): active → failing when nearly everything of a quarter of an hour
 * failed, failing → active when less fails again, failing → failed after 72 hours of it. Each change is made by one
 * process.
 *
 * @param onChanged  called when there may be somebody to tell
 */
export function startWebhookHealth(deps: JobDeps, onChanged: () => void): Loop {
  const { database, clock, log } = deps
  const { webhooks, jobs } = database.stores

  async function change(webhook: WebhookRecord, to: WebhookStatus): Promise<boolean> {
    const changed = await webhooks.changeStatus(webhook.id, webhook.status, to, unixSeconds(clock))
    const told = { webhookId: webhook.id, applicationId: webhook.applicationId, from: webhook.status }
    if (changed && to === 'active') log.info(told, 'webhook.recovered')
    if (changed && to !== 'active') log.warn(told, `webhook.${to}`)
    if (changed) onChanged()
    return changed
  }

  async function judgeActive(counts: ReadonlyMap<string, DeliveryCount>): Promise<void> {
    const suspects = [...counts].filter(([, count]) => totalOf(count) >= LEAST_SAMPLE && isFailing(count))
    for (const webhook of await webhooks.findMany(suspects.map(([id]) => id))) {
      // What failed before the status was set counts no more: an activation gets a whole window.
      const isSettled = unixSeconds(clock) - webhook.statusUpdatedAt >= WINDOW_MINUTES * MINUTE_SECONDS
      if (webhook.status === 'active' && isSettled) await change(webhook, 'failing')
    }
  }

  async function judgeFailing(counts: ReadonlyMap<string, DeliveryCount>): Promise<void> {
    const failing = await webhooks.listByStatus(['failing'])
    const due: WebhookRecord[] = []
    for (const webhook of failing) {
      const count = counts.get(webhook.id) ?? NONE
      if (totalOf(count) > 0 && !isFailing(count)) await change(webhook, 'active')
      else if (unixSeconds(clock) - webhook.statusUpdatedAt >= GIVE_UP_HOURS * 60 * MINUTE_SECONDS) {
        due.push(webhook)
      }
    }
    if (due.length === 0) return
    const since = await countsOf(GIVE_UP_HOURS * 60)
    const recent = await countsOf(RECENT_HOURS * 60)
    for (const webhook of due) {
      // Not while nothing was tried lately: this server may have been down itself.
      const wasTried = totalOf(recent.get(webhook.id) ?? NONE) > 0
      if (!wasTried || !isGivenUp(since.get(webhook.id) ?? NONE)) continue
      if (await change(webhook, 'failed')) await bury(webhook)
    }
  }

  /** Whatever a death leaves waiting becomes a dead letter when it is due. */
  async function bury({ id }: WebhookRecord): Promise<void> {
    const outcome = { error: 'The destination has failed.', latency_ms: 0, at: unixSeconds(clock) }
    while ((await jobs.buryLane('webhook.delivery', id, outcome, BURY_BATCH)) === BURY_BATCH);
  }

  async function countsOf(minutes: number): Promise<ReadonlyMap<string, DeliveryCount>> {
    return new Map((await webhooks.deliveriesOf(minutes)).map((count) => [count.webhookId, count]))
  }

  return startLoop({
    name: 'webhook-health',
    log,
    everyMs: EVERY_MS,
    async run() {
      const counts = await countsOf(WINDOW_MINUTES)
      await judgeActive(counts)
      await judgeFailing(counts)
      return false
    },
  })
}

const NONE: DeliveryCount = { succeeded: 0, failed: 0 }

const totalOf = ({ succeeded, failed }: DeliveryCount): number => succeeded + failed

const isFailing = (count: DeliveryCount): boolean => count.failed >= FAILING_RATE * totalOf(count)

/** With few tries, as the back-off makes them, any success counts for the destination. */
function isGivenUp(count: DeliveryCount): boolean {
  return totalOf(count) >= LEAST_SAMPLE ? isFailing(count) : count.succeeded === 0
}
