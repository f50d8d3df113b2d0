import { appError } from '../../contract/errors.ts'
import type { WebhookUpdateBody } from '../../contract/webhook.ts'
import { unixSeconds } from '../../kit/clock.ts'
import type { Ids } from '../../kit/ids.ts'
import { Secret } from '../../kit/secret.ts'
import { type AdminDeps, auditWrite } from '../applications/audit-write.ts'
import type { WebhookChange } from '../ports/event-stores.ts'
import type { WebhookRecord } from '../ports/records.ts'
import type { Caller } from '../ports/services.ts'
import type { Stores } from '../ports/stores.ts'
import type { Vault } from '../ports/vault.ts'
import type { WebhookService } from '../ports/webhooks.ts'
import { callReceiver } from './call-receiver.ts'
import { type ChallengeDeps, challengeReceiver } from './challenge.ts'
import { findWebhook } from './find-webhook.ts'
import { presentWebhook } from './present-webhook.ts'
import { sampleEnvelope } from './sample-envelope.ts'
import { newWebhookSecret } from './secret.ts'
import { prepareBody } from './sign-body.ts'
import {
  checkNotificationAddresses,
  checkTriggerTypes,
  checkWebhookUrl,
  invalidWebhook,
  readWantedStatus,
} from './webhook-input.ts'

export interface WebhookDeps extends AdminDeps, ChallengeDeps {
  readonly vault: Vault
  /** public addresses that notifications come from */
  readonly egressIps: readonly string[]
}

const MAX_DESTINATIONS = 50
const ID_CHARS = 26
/** A multiple of 3, so that each of the 32 characters has six random bits. */
const ID_TOKEN_BYTES = 24
const TEST_TRIGGER = 'message.created'
/** Fixed and public (contract/webhooks.md 1): receivers check test events with it. */
const TEST_SECRET = 'mock-webhook-secret'
const TEST_TIMEOUT_MS = 10_000
const MAX_TEST_ANSWER_BYTES = 1024 * 1024

/** Makes the use-cases of webhook destinations (contract/webhooks.md 1 and 2). */
export function createWebhookService(deps: WebhookDeps): WebhookService {
  const { database, vault, clock, ids } = deps
  const addressesSetAt = unixSeconds(clock)

  return {
    async list(caller) {
      return (await database.stores.webhooks.list(caller.applicationId)).map(presentWebhook)
    },

    async find(caller, id) {
      return presentWebhook(await findWebhook(database.stores, caller, id))
    },

    async create(caller, body, context) {
      checkInput(body)
      await checkRoom(database.stores, caller)
      await challengeReceiver(deps, body.webhook_url, context.signal)
      const { applicationId } = caller
      const id = newWebhookId(ids)
      const { secret, sealed } = newWebhookSecret(vault, ids, { id, applicationId })
      const now = unixSeconds(clock)
      const record: WebhookRecord = {
        id,
        applicationId,
        description: body.description ?? '',
        triggerTypes: body.trigger_types,
        url: body.webhook_url,
        sealedSecret: sealed,
        status: 'active',
        notificationEmailAddresses: body.notification_email_addresses ?? [],
        compressedDelivery: body.compressed_delivery ?? false,
        statusUpdatedAt: now,
        createdAt: now,
        updatedAt: now,
      }
      await database.transaction(async (stores) => {
        // Again: others may have been made during the challenge.
        await checkRoom(stores, caller)
        await stores.webhooks.insert(record)
        await auditWrite(stores, deps, caller, 'webhook.created', `webhook:${id}`, {
          host: hostOf(record.url),
          trigger_types: record.triggerTypes,
        })
      })
      return { ...presentWebhook(record), webhook_secret: secret.open() }
    },

    async update(caller, id, body, context) {
      checkInput(body)
      const asked = body.status === undefined ? undefined : readWantedStatus(body.status)
      const before = await findWebhook(database.stores, caller, id)
      // What is active stays as delivering leaves it: no activation without a challenge.
      const wanted = asked === 'active' && before.status === 'active' ? undefined : asked
      const url = body.webhook_url ?? before.url
      if (url !== before.url || wanted === 'active') await challengeReceiver(deps, url, context.signal)
      return database.transaction(async (stores) => {
        const current = await findWebhook(stores, caller, id)
        const change = changeOf(current, body, wanted, unixSeconds(clock))
        if (!(await stores.webhooks.update(caller.applicationId, id, change))) {
          throw appError('webhook.not_found')
        }
        await auditWrite(stores, deps, caller, 'webhook.updated', `webhook:${id}`, auditDetail(body, change))
        return presentWebhook(await findWebhook(stores, caller, id))
      })
    },

    async delete(caller, id) {
      await database.transaction(async (stores) => {
        if (!(await stores.webhooks.delete(caller.applicationId, id))) throw appError('webhook.not_found')
        await stores.jobs.deleteLane('webhook.delivery', id)
        await auditWrite(stores, deps, caller, 'webhook.deleted', `webhook:${id}`)
      })
    },

    async rotateSecret(caller, id) {
      const { applicationId } = caller
      const { secret, sealed } = newWebhookSecret(vault, ids, { id, applicationId })
      const record = await database.transaction(async (stores) => {
        const change = { sealedSecret: sealed, updatedAt: unixSeconds(clock) }
        if (!(await stores.webhooks.update(applicationId, id, change))) throw appError('webhook.not_found')
        await auditWrite(stores, deps, caller, 'webhook.secret_rotated', `webhook:${id}`)
        return findWebhook(stores, caller, id)
      })
      return { ...presentWebhook(record), webhook_secret: secret.open() }
    },

    mockPayload(caller, triggerType) {
      return { ...sampleEnvelope(triggerType, caller.applicationId, deps) }
    },

    async sendTestEvent(caller, body, context) {
      checkWebhookUrl(body.webhook_url)
      const envelope = sampleEnvelope(body.trigger_type ?? TEST_TRIGGER, caller.applicationId, deps)
      const { status } = await callReceiver(
        deps.userHosts,
        {
          method: 'POST',
          url: body.webhook_url,
          ...prepareBody(envelope, { secret: new Secret(TEST_SECRET), compressed: false }),
          signal: context.signal,
          timeoutMs: TEST_TIMEOUT_MS,
          maxBytes: MAX_TEST_ANSWER_BYTES,
        },
        'webhook_url did not take the test event',
      )
      if (status < 200 || status > 299) {
        throw invalidWebhook(`webhook_url did not take the test event: it answered status ${status}`)
      }
    },

    ipAddresses: () => ({ ip_addresses: [...deps.egressIps], updated_at: addressesSetAt }),
  }
}

async function checkRoom(stores: Stores, caller: Caller): Promise<void> {
  const { length } = await stores.webhooks.list(caller.applicationId)
  if (length >= MAX_DESTINATIONS) {
    throw invalidWebhook(`an application has at most ${MAX_DESTINATIONS} webhook destinations`)
  }
}

function checkInput(body: WebhookUpdateBody): void {
  if (body.webhook_url !== undefined) checkWebhookUrl(body.webhook_url)
  if (body.trigger_types) checkTriggerTypes(body.trigger_types)
  if (body.notification_email_addresses) checkNotificationAddresses(body.notification_email_addresses)
}

/** 26 letters and digits, each as likely as the other: what isn't one is left out. */
function newWebhookId(ids: Ids): string {
  let id = ''
  while (id.length < ID_CHARS) id += ids.token(ID_TOKEN_BYTES).replaceAll(/[-_]/g, '')
  return id.slice(0, ID_CHARS)
}

/**
 * Only what was asked for: a secret that is rotated, or a status that delivering changes at the same time, stays as
 * that left it.
 */
function changeOf(
  current: WebhookRecord,
  body: WebhookUpdateBody,
  wanted: 'active' | 'pause' | undefined,
  now: number,
): WebhookChange {
  return {
    ...(body.description === undefined ? {} : { description: body.description }),
    ...(body.trigger_types ? { triggerTypes: body.trigger_types } : {}),
    ...(body.webhook_url === undefined ? {} : { url: body.webhook_url }),
    ...(body.notification_email_addresses
      ? { notificationEmailAddresses: body.notification_email_addresses }
      : {}),
    ...(body.compressed_delivery === undefined ? {} : { compressedDelivery: body.compressed_delivery }),
    ...(wanted === undefined || wanted === current.status ? {} : { status: wanted, statusUpdatedAt: now }),
    updatedAt: now,
  }
}

function auditDetail(body: WebhookUpdateBody, change: WebhookChange) {
  return {
    changed: Object.keys(body),
    ...(change.url === undefined ? {} : { host: hostOf(change.url) }),
    ...(change.status === undefined ? {} : { status: change.status }),
  }
}

/** Path and query of a receiver may hold its own secrets, which the audit log must not keep. */
function hostOf(url: string): string {
  return new URL(url).host
}
