import { setImmediate as nextTurn } from 'node:timers/promises'
import { appError } from '../../contract/errors.ts'
import { matchedTriggers } from '../../contract/triggers.ts'
import { unixSeconds } from '../../kit/clock.ts'
import { type AdminDeps, auditWrite } from '../applications/audit-write.ts'
import type { JobRecord, OutboxEvent, WebhookRecord } from '../ports/records.ts'
import type { Caller } from '../ports/services.ts'
import type { Stores } from '../ports/stores.ts'
import type { DeliveryService } from '../ports/webhooks.ts'
import { deliveryJob, deliveryKey } from './delivery-job.ts'
import { envelopeOf } from './envelope.ts'
import { findWebhook } from './find-webhook.ts'
import { eventIdOf, presentDelivery, stateOf } from './present-delivery.ts'
import { invalidWebhook } from './webhook-input.ts'

const KIND = 'webhook.delivery'
/** Events of one transaction of a replay. */
const BATCH = 200
const CURSOR_PREFIX = 'd1.'

/** Makes the use-cases of a destination's deliveries: an extension of ours. */
export function createDeliveryService(deps: AdminDeps): DeliveryService {
  const { database, clock } = deps
  return {
    async list(caller, webhookId, { status, since, until, limit, pageToken }) {
      await findWebhook(database.stores, caller, webhookId)
      const jobs = await database.stores.jobs.list({
        kind: KIND,
        lane: webhookId,
        ...(status ? { state: stateOf(status) } : {}),
        ...(since === undefined ? {} : { sinceMs: since * 1000 }),
        ...(until === undefined ? {} : { untilMs: until * 1000 + 999 }),
        ...(pageToken === undefined ? {} : { beforeSeq: readCursor(pageToken) }),
        limit: limit + 1,
      })
      const items = jobs.slice(0, limit)
      const last = items.at(-1)
      return {
        items: items.map(presentDelivery),
        ...(last && jobs.length > limit ? { nextCursor: `${CURSOR_PREFIX}${last.seq.toString(36)}` } : {}),
      }
    },

    async find(caller, webhookId, deliveryId) {
      const { stores } = database
      await findWebhook(stores, caller, webhookId)
      const job = await findJob(stores, webhookId, deliveryId)
      const event = await eventOf(stores, job)
      return {
        ...presentDelivery(job),
        ...(event ? { event: { ...envelopeOf(event, Math.max(1, job.attempts)) } } : {}),
      }
    },

    async replay(caller, webhookId, deliveryId) {
      return database.transaction(async (stores) => {
        await findReceiving(stores, caller, webhookId)
        const job = await findJob(stores, webhookId, deliveryId)
        if (!(await eventOf(stores, job)))
          throw invalidWebhook('the event of this delivery is no longer kept')
        const requeued = await stores.jobs.requeue(KIND, webhookId, [deliveryId])
        if (requeued > 0) {
          await auditWrite(stores, deps, caller, 'webhook.replayed', `webhook:${webhookId}`, {
            delivery_id: deliveryId,
          })
        }
        return presentDelivery(await findJob(stores, webhookId, deliveryId))
      })
    },

    async replayRange(caller, webhookId, body, { signal }) {
      const { since, only_failed: onlyFailed = true } = body
      // An end, so that events which come while it runs don't keep it running.
      const until = Math.min(body.until ?? Number.POSITIVE_INFINITY, unixSeconds(clock))
      const webhook = await findReceiving(database.stores, caller, webhookId)
      if (body.until !== undefined && body.until < since)
        throw invalidWebhook('until must not be before since')
      await database.transaction((stores) =>
        auditWrite(stores, deps, caller, 'webhook.replayed', `webhook:${webhookId}`, {
          since,
          until,
          only_failed: onlyFailed,
        }),
      )
      const triggers = matchedTriggers(webhook.triggerTypes)
      let replayed = 0
      let afterSeq = 0
      for (;;) {
        signal.throwIfAborted()
        const range = { triggers, since, until, afterSeq, limit: BATCH }
        const batch = await database.transaction(async (stores) => {
          const events = await stores.outbox.listRange(caller.applicationId, range)
          return { events, sent: await sendAgain(stores, webhook, events, onlyFailed) }
        })
        replayed += batch.sent
        const last = batch.events.at(-1)
        if (!last || batch.events.length < BATCH) return { replayed }
        afterSeq = last.seq
        // The embedded database answers without leaving this turn of the event loop.
        await nextTurn()
      }
    },
  }
}

/** Enqueues what never was, and makes the dead (or all that is finished) wait again. */
async function sendAgain(
  { jobs, webhooks }: Stores,
  webhook: WebhookRecord,
  events: readonly OutboxEvent[],
  onlyFailed: boolean,
): Promise<number> {
  if (events.length === 0) return 0
  const present = await webhooks.find(webhook.applicationId, webhook.id)
  // Deleted meanwhile: its deliveries are gone, and none may come after.
  if (!present) throw appError('webhook.not_found')
  const existing = await jobs.findByKeys(
    KIND,
    events.map((event) => deliveryKey(event, webhook.id)),
  )
  const known = new Set(existing.map(({ dedupeKey }) => dedupeKey))
  const fresh = events.filter((event) => !known.has(deliveryKey(event, webhook.id)))
  const enqueued = await jobs.enqueue(fresh.map((event) => deliveryJob(event, webhook)))
  const finished = existing.filter(({ state }) => state === 'dead' || (state === 'done' && !onlyFailed))
  const ids = finished.map(({ id }) => id)
  return enqueued + (await jobs.requeue(KIND, webhook.id, ids))
}

async function findReceiving(stores: Stores, caller: Caller, webhookId: string): Promise<WebhookRecord> {
  const webhook = await findWebhook(stores, caller, webhookId)
  if (webhook.status === 'active' || webhook.status === 'failing') return webhook
  throw invalidWebhook(`the destination has the status ${webhook.status}: set it to active first`)
}

async function findJob(stores: Stores, webhookId: string, id: string): Promise<JobRecord> {
  const job = await stores.jobs.find(KIND, webhookId, id)
  if (!job)
    throw appError('webhook.not_found', 'delivery.id.not.found: no delivery of this destination has this id.')
  return job
}

async function eventOf(stores: Stores, job: JobRecord): Promise<OutboxEvent | undefined> {
  const [event] = await stores.outbox.find([eventIdOf(job)])
  return event
}

/** Reads a `page_token`: a place in the list of one destination, which is looked up anyway. */
function readCursor(pageToken: string): number {
  const place = pageToken.startsWith(CURSOR_PREFIX) ? pageToken.slice(CURSOR_PREFIX.length) : ''
  const seq = /^[0-9a-z]{1,10}$/.test(place) ? Number.parseInt(place, 36) : Number.NaN
  if (Number.isSafeInteger(seq)) return seq
  throw invalidWebhook('page_token is not a next_cursor of this list')
}
