import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { applicationId, grantId } from '../../src/contract/ids.ts'
import { eventually } from '../support/eventually.ts'
import { type GrantwayApp, startGrantway } from '../support/grantway-app.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { startWebhookReceiver, type WebhookReceiver } from '../support/webhook-receiver.ts'

const EVENTS = 300

let postgres: TestPostgres
let receiver: WebhookReceiver
let apps: readonly GrantwayApp[]
before(async () => {
  postgres = await startPostgres()
  receiver = await startWebhookReceiver()
  const environment = {
    GRANTWAY_DATABASE_URL: await postgres.createDatabase(),
    GRANTWAY_API_KEY: randomUUID(),
    GRANTWAY_APPLICATION_ID: randomUUID(),
    GRANTWAY_ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    GRANTWAY_ALLOWED_NETWORKS: '127.0.0.0/8',
  }
  // The first migrates and makes the application.
  const first = await startGrantway(environment)
  apps = [{ ...first, key: environment.GRANTWAY_API_KEY }, await startGrantway(environment)]
})
after(async () => {
  await Promise.all(apps.map((app) => app.stop()))
  await receiver.stop()
  await postgres.stop()
})

test('two processes on one database deliver each event once', async () => {
  const [one, two] = apps
  assert.ok(one && two)
  const made = await fetch(`${one.url}/v3/webhooks`, {
    method: 'POST',
    headers: { authorization: `Bearer ${one.key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ webhook_url: `${receiver.url}/both`, trigger_types: ['grant.updated'] }),
  })
  const destination = (await made.json()) as { readonly data: { readonly id: string } }
  assert.equal(made.status, 200, JSON.stringify(destination))
  const { database } = one.application
  const [application] = await database.stores.applications.list()
  const ids = Array.from({ length: EVENTS }, () => randomUUID())
  await database.transaction(async ({ outbox }) => {
    for (const id of ids) {
      await outbox.insert({
        id,
        applicationId: applicationId(application?.id ?? ''),
        grantId: grantId(randomUUID()),
        trigger: 'grant.updated',
        source: '/nylas/system',
        data: { object: {} },
        createdAt: 1_800_000_000,
      })
    }
  })
  for (const { application: running } of apps) running.jobs?.wake()
  await receiver.waitFor('/both', EVENTS)
  await eventually('all written down', async () => {
    const lane = { kind: 'webhook.delivery', lane: destination.data.id } as const
    const done = await database.stores.jobs.list({ ...lane, state: 'done', limit: 2 * EVENTS })
    return done.length === EVENTS ? true : undefined
  })
  const delivered = receiver.received.map(({ envelope }) => String(envelope.id))
  assert.deepEqual(delivered.toSorted(), ids.toSorted())
  const [count] = await two.application.database.stores.webhooks.deliveriesOf(15)
  assert.equal(count?.succeeded, EVENTS)
})
