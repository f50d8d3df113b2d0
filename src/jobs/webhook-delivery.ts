import type { JobOutcome } from '../core/ports/event-stores.ts'
import type { WebhookRecord } from '../core/ports/records.ts'
import { sleep } from '../kit/deadline.ts'
import { startAcknowledging } from './acknowledge.ts'
import { attemptDelivery, type Delivery } from './attempt-delivery.ts'
import type { JobDeps } from './job-deps.ts'
import { createLanes } from './lanes.ts'
import { type Loop, startLoop } from './loop.ts'

const KIND = 'webhook.delivery'
const EVERY_MS = 500
/** Lanes looked at in one turn. */
const PAGE = 50
/** An attempt takes 10 s at most, then it waits to be written down. */
const LEASE_MS = 60_000
/** More outcomes than this that are not written down: the database has trouble, nothing new is begun. */
const MAX_UNWRITTEN = 1_000
const BURY_BATCH = 500
/** How long a stopping process waits for answers that are under way. */
const FINISH_MS = 3_000

/**
 * Delivers what is due: each destination in its turn, several deliveries at once for each and many in all, so that a
 * slow destination holds up nobody. The loop claims and starts, it never waits for a delivery to end.
 */
export function startWebhookDelivery(deps: JobDeps): Loop {
  const { database, log } = deps
  const acknowledging = startAcknowledging({ database, log })
  const giveUp = new AbortController()
  const underWay = new Set<Promise<void>>()
  const lanes = createLanes()
  let afterLane = ''

  const loop = startLoop({ name: 'webhook-delivery', log, everyMs: EVERY_MS, run: claimPage })

  /** Claims for the destinations of one page. @returns whether there may be more to claim now */
  async function claimPage(): Promise<boolean> {
    if (acknowledging.waiting >= MAX_UNWRITTEN) return false
    const { jobs, webhooks } = database.stores
    const due = await jobs.dueLanes(KIND, afterLane, PAGE)
    const destinations = new Map((await webhooks.findMany(due)).map((webhook) => [webhook.id, webhook]))
    let claimed = false
    for (const lane of due) {
      if (!lanes.hasRoom()) return false // who comes next has the first turn when there is room again
      afterLane = lane
      const webhook = destinations.get(lane)
      const reason = whyNot(webhook)
      if (webhook === undefined || reason !== null) await bury(lane, reason)
      else claimed = (await claimLane(webhook)) || claimed
    }
    if (due.length < PAGE) afterLane = ''
    return claimed || due.length === PAGE
  }

  async function bury(lane: string, reason: string | null): Promise<void> {
    const at = Math.floor(deps.clock.nowMs() / 1000)
    const outcome = { error: reason ?? 'The destination takes no deliveries.', latency_ms: 0, at }
    await database.stores.jobs.buryLane(KIND, lane, outcome, BURY_BATCH)
  }

  /** @returns whether it claimed something */
  async function claimLane(webhook: WebhookRecord): Promise<boolean> {
    const free = lanes.freeOf(webhook.id, webhook.status === 'failing')
    if (free <= 0) {
      lanes.noteMore(webhook.id)
      return false
    }
    const { jobs, outbox } = database.stores
    const holder = database.liveness.self
    const claimed = await jobs.claim({ kind: KIND, lane: webhook.id, limit: free, holder, leaseMs: LEASE_MS })
    if (claimed.length === free) lanes.noteMore(webhook.id)
    const ids = claimed.map(({ payload }) => eventIdOf(payload))
    const events = new Map((await outbox.find(ids)).map((event) => [event.id, event]))
    for (const job of claimed) {
      const { lease } = job
      if (lease === null) continue // a claim has one
      const event = events.get(eventIdOf(job.payload))
      if (event) begin({ job: { ...job, lease }, event, webhook })
      else acknowledging.add({ webhookId: webhook.id, succeeded: null, settled: eventIsGone(job.id, lease) })
    }
    return claimed.length > 0
  }

  function eventIsGone(id: string, lease: string): JobOutcome {
    const at = Math.floor(deps.clock.nowMs() / 1000)
    const outcome = { error: 'The event is not kept any more.', latency_ms: 0, at }
    return { id, lease, result: { kind: 'dead', outcome } }
  }

  function begin(delivery: Delivery): void {
    const lane = delivery.webhook.id
    lanes.begin(lane)
    const work = attemptDelivery(delivery, deps, giveUp.signal).then(
      (attempt) => {
        if (attempt) acknowledging.add(attempt)
      },
      // Its lease runs out, and it is tried again.
      (error: unknown) => log.error({ err: error, webhookId: lane }, 'webhook.attempt_failed'),
    )
    const ended = work.then(() => {
      underWay.delete(ended)
      if (lanes.end(lane)) loop.wake()
    })
    underWay.add(ended)
  }

  return {
    wake: () => loop.wake(),
    async stop() {
      await loop.stop()
      const enough = new AbortController()
      const waited = sleep(FINISH_MS, enough.signal).catch(() => undefined) // all have ended before
      await Promise.race([Promise.all(underWay), waited])
      enough.abort()
      // What has no answer by now stays claimed: it is due again for another process, or after the next start.
      giveUp.abort()
      await Promise.all(underWay)
      await acknowledging.stop()
    },
  }
}

function whyNot(webhook: WebhookRecord | undefined): string | null {
  switch (webhook?.status) {
    case 'active':
    case 'failing':
      return null
    case 'pause':
      return 'The destination is paused.'
    case 'failed':
      return 'The destination has failed.'
    case undefined:
      return 'The destination was deleted.'
  }
}

function eventIdOf(payload: { readonly [key: string]: unknown }): string {
  const id = payload['event_id']
  return typeof id === 'string' ? id : ''
}
