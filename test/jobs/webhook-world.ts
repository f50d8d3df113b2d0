import { randomBytes, randomUUID } from 'node:crypto'
import type { Application } from '../../src/app/compose.ts'
import { type ApplicationId, applicationId as toApplicationId, grantId } from '../../src/contract/ids.ts'
import type { JobRecord, OutboxEvent, WebhookRecord } from '../../src/core/ports/records.ts'
import { loadDataKeys } from '../../src/core/vault/data-keys.ts'
import { createVault } from '../../src/core/vault/vault.ts'
import { newWebhookSecret } from '../../src/core/webhooks/secret.ts'
import { randomIds } from '../../src/kit/ids.ts'
import type { Logger } from '../../src/kit/logger.ts'
import { eventually } from '../support/eventually.ts'
import { type GrantwayApp, startGrantway } from '../support/grantway-app.ts'
import { startWebhookReceiver, type WebhookReceiver } from '../support/webhook-receiver.ts'

export const KIND = 'webhook.delivery'
export const MINUTE_MS = 60_000
export const HOUR_MS = 60 * MINUTE_MS

export interface TestDestination {
  readonly id: string
  readonly applicationId: ApplicationId
  readonly path: string
  readonly secret: string
}

/** An application id per test: what one writes to the outbox, no other test's destination gets. */
export const apart = () => ({ applicationId: toApplicationId(randomUUID()) })

/** The composed server and a receiver on loopback. */
export interface WebhookWorld {
  readonly app: GrantwayApp
  readonly receiver: WebhookReceiver
  readonly applicationId: ApplicationId
  /** Makes a destination at a path of the receiver. */
  destination(path: string, fields?: Partial<WebhookRecord>): Promise<TestDestination>
  /** Writes events to the outbox. */
  events(count: number, fields?: Partial<OutboxEvent>): Promise<readonly OutboxEvent[]>
  deliveries(destination: TestDestination): Promise<readonly JobRecord[]>
  /** Waits until the one delivery of the destination looks like this. */
  delivery(destination: TestDestination, is: (job: JobRecord) => boolean): Promise<JobRecord>
  webhook(destination: TestDestination): Promise<WebhookRecord>
  /** Moves the clock and lets everything that is due run. */
  pass(ms: number): void
  stop(): Promise<void>
}

export async function startWebhookWorld(
  environment: { readonly [name: string]: string } = {},
  options: { readonly log?: Logger } = {},
): Promise<WebhookWorld> {
  const key = randomBytes(32)
  const receiver = await startWebhookReceiver()
  const app = await startGrantway(
    {
      GRANTWAY_ENCRYPTION_KEYS: `k1:${key.toString('base64')}`,
      GRANTWAY_ALLOWED_NETWORKS: '127.0.0.0/8',
      ...environment,
    },
    options,
  )
  const { database } = app.application
  const vault = createVault(
    await loadDataKeys({ database, operatorKeys: [{ id: 'k1', key }], clock: app.clock, ids: randomIds }),
  )
  const applicationId = await onlyApplication(app.application)
  const now = () => Math.floor(app.clock.nowMs() / 1000)
  const deliveries = ({ id }: TestDestination) =>
    database.stores.jobs.list({ kind: KIND, lane: id, limit: 200 })
  return {
    app,
    receiver,
    applicationId,
    async destination(path, fields = {}) {
      const id = randomUUID()
      const owner = fields.applicationId ?? applicationId
      const { secret, sealed } = newWebhookSecret(vault, randomIds, { id, applicationId: owner })
      await database.stores.webhooks.insert({
        id,
        applicationId,
        description: '',
        triggerTypes: ['grant.updated'],
        url: receiver.url + path,
        sealedSecret: sealed,
        status: 'active',
        notificationEmailAddresses: [],
        compressedDelivery: false,
        statusUpdatedAt: now(),
        createdAt: now(),
        updatedAt: now(),
        ...fields,
      })
      return { id, applicationId: owner, path, secret: secret.open() }
    },
    async events(count, fields = {}) {
      const made = Array.from({ length: count }, () => eventOf(applicationId, now(), fields))
      await database.transaction(async ({ outbox }) => {
        for (const event of made) await outbox.insert(event)
      })
      app.application.jobs?.wake()
      return made
    },
    deliveries,
    delivery: (destination, is) =>
      eventually(`a delivery to ${destination.path}`, async () =>
        (await deliveries(destination)).find((job) => is(job)),
      ),
    async webhook({ id }) {
      const [found] = await database.stores.webhooks.findMany([id])
      if (!found) throw new Error('the destination is gone')
      return found
    },
    pass(ms) {
      app.clock.advance(ms)
      app.application.jobs?.wake()
    },
    async stop() {
      await receiver.stop()
      await app.stop()
    },
  }
}

async function onlyApplication({ database }: Application): Promise<ApplicationId> {
  const [application] = await database.stores.applications.list()
  if (!application) throw new Error('there is no application')
  return application.id
}

function eventOf(applicationId: ApplicationId, createdAt: number, fields: Partial<OutboxEvent>): OutboxEvent {
  return {
    id: randomUUID(),
    applicationId,
    grantId: grantId(randomUUID()),
    trigger: 'grant.updated',
    source: '/nylas/system',
    data: { object: { code: 25014, email: 'übung@example.com' } },
    createdAt,
    ...fields,
  }
}
