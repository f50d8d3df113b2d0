// A destination from its making to its end on the composed server, with background jobs and a real receiver.
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { after, before, test } from 'node:test'
import { eventually } from '../support/eventually.ts'
import { type GrantwayApp, startGrantway } from '../support/grantway-app.ts'
import { startWebhookReceiver, type WebhookReceiver } from '../support/webhook-receiver.ts'

let app: GrantwayApp
let receiver: WebhookReceiver
before(async () => {
  receiver = await startWebhookReceiver()
  app = await startGrantway({ GRANTWAY_ALLOWED_NETWORKS: '127.0.0.0/8' })
  await app.call('POST', '/v3/connectors', { provider: 'virtual-calendar' })
})
after(async () => {
  await receiver.stop()
  await app.stop()
})

/** Makes a grant: an event of its own. */
async function connect(email: string): Promise<string> {
  const answer = await app.call('POST', '/v3/connect/custom', {
    provider: 'virtual-calendar',
    settings: { email },
  })
  assert.equal(answer.status, 201, answer.text)
  return answer.body.data.id
}

test('delivers what happens to a grant, and replays what was missed while it was paused', async () => {
  const since = Math.floor(app.clock.nowMs() / 1000)
  const created = await app.call('POST', '/v3/webhooks', {
    trigger_types: ['grant.created', 'grant.deleted'],
    webhook_url: `${receiver.url}/hook`,
    compressed_delivery: true,
  })
  const { id, webhook_secret } = created.body.data
  const all = `/v3/webhooks/${id}/deliveries`
  const settled = (count: number) =>
    eventually(`${count} deliveries that are done`, async () => {
      const { data } = (await app.call('GET', `${all}?status=delivered`)).body
      return data.length === count ? data : undefined
    })

  const grantId = await connect('ada@example.com')
  const [first] = await receiver.waitFor('/hook', 1)
  assert.ok(first)
  assert.deepEqual(
    [first.envelope.type, first.envelope.data.object.grant_id, first.envelope.data.object.email],
    ['grant.created', grantId, 'ada@example.com'],
  )
  const expected = createHmac('sha256', webhook_secret).update(first.raw).digest('hex')
  assert.equal(first.headers['x-nylas-signature'], expected)
  const [delivery] = await settled(1)
  assert.deepEqual(
    [delivery.event_id, delivery.trigger, delivery.grant_id, delivery.attempts, delivery.last_attempt.status],
    [first.envelope.id, 'grant.created', grantId, 1, 200],
  )
  assert.deepEqual((await app.call('GET', `${all}/${delivery.id}`)).body.data.event, first.envelope)

  await app.call('PUT', `/v3/webhooks/${id}`, { status: 'pause' })
  await app.call('DELETE', `/v3/grants/${grantId}`)
  await eventually('the event is dealt with', async () =>
    (await app.application.database.stores.outbox.oldestUnsentSeconds()) === null ? true : undefined,
  )
  assert.equal(receiver.received.length, 1, 'nothing comes while it is paused')

  await app.call('PUT', `/v3/webhooks/${id}`, { status: 'active' })
  const replayed = await app.call('POST', `${all}/replay`, { since })
  assert.deepEqual(replayed.body.data, { replayed: 1 })
  const [, missed] = await receiver.waitFor('/hook', 2)
  assert.deepEqual([missed?.envelope.type, missed?.envelope.data.object.grant_id], ['grant.deleted', grantId])
  await settled(2)

  const rotated = await app.call('POST', `/v3/webhooks/rotate-secret/${id}`)
  await app.call('POST', `${all}/${delivery.id}/replay`)
  const [, , again] = await receiver.waitFor('/hook', 3)
  assert.ok(again)
  assert.deepEqual(again.envelope, first.envelope, 'the same notification, as on its first attempt')
  assert.equal(
    again.headers['x-nylas-signature'],
    createHmac('sha256', rotated.body.data.webhook_secret).update(again.raw).digest('hex'),
  )
})
