// The official Node SDK's webhooks resource against the composed server, with a real receiver; and that nothing but
// create and rotate ever shows the secret.
import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { WebhookTriggers } from 'nylas'
import { type GrantwayApp, startGrantway } from '../support/grantway-app.ts'
import { logKeeper } from '../support/log-keeper.ts'
import { apiError, type Sdk, sdkFor } from './sdk-client.ts'

const logs = logKeeper()
let app: GrantwayApp
let nylas: Sdk
let receiver: Server
let webhookUrl: string

before(async () => {
  app = await startGrantway(
    { GRANTWAY_ALLOWED_NETWORKS: '127.0.0.0/8', GRANTWAY_EGRESS_IPS: '203.0.113.7, 2001:db8::7' },
    { log: logs.log },
  )
  nylas = sdkFor(app, app.key)
  // As the vendor's guide writes a receiver: the SDK takes the value out of the address.
  receiver = createServer((request, response) => {
    response.end(
      request.method === 'GET'
        ? nylas.webhooks.extractChallengeParameter(webhookUrl + (request.url ?? ''))
        : '',
    )
  })
  await new Promise<void>((resolve) => {
    receiver.listen(0, '127.0.0.1', resolve)
  })
  webhookUrl = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`
})
after(async () => {
  await app.stop()
  receiver.closeAllConnections()
  receiver.close()
})

test('manages destinations, and shows the secret on create and rotate only', async () => {
  const every = Object.values(WebhookTriggers)
  const { data: created } = await nylas.webhooks.create({
    requestBody: {
      triggerTypes: every,
      webhookUrl,
      description: 'All of them',
      notificationEmailAddresses: ['ops@example.com'],
    },
  })
  const { webhookSecret, ...destination } = created
  assert.equal(webhookSecret.length, 32)
  assert.deepEqual(destination.triggerTypes, every)
  assert.deepEqual(
    [
      destination.webhookUrl,
      destination.description,
      destination.status,
      destination.notificationEmailAddresses,
    ],
    [webhookUrl, 'All of them', 'active', ['ops@example.com']],
  )
  for (const at of [destination.createdAt, destination.updatedAt, destination.statusUpdatedAt]) {
    assert.ok(Number.isInteger(at))
  }
  const webhookId = created.id
  assert.deepEqual((await nylas.webhooks.find({ webhookId })).data, destination)
  const { data: list } = await nylas.webhooks.list()
  assert.deepEqual(list, [destination])

  const { data: updated } = await nylas.webhooks.update({
    webhookId,
    requestBody: { triggerTypes: [WebhookTriggers.GrantExpired], description: 'One' },
  })
  assert.deepEqual(updated, {
    ...destination,
    triggerTypes: ['grant.expired'],
    description: 'One',
    updatedAt: updated.updatedAt,
  })
  const { data: rotated } = await nylas.webhooks.rotateSecret({ webhookId })
  assert.equal(rotated.webhookSecret.length, 32)
  assert.notEqual(rotated.webhookSecret, webhookSecret)

  const audit = await app.application.database.stores.audit.list({ applicationId: null }, { limit: 50 })
  const read = [await app.call('GET', '/v3/webhooks'), await app.call('GET', `/v3/webhooks/${webhookId}`)]
  const shown = [...read.map(({ text }) => text), JSON.stringify(audit), logs.text()].join('\n')
  const files = await logs.filesOf(app.dataDir)
  assert.ok(
    files.some(({ bytes }) => bytes.includes(webhookId)),
    'the destination is on the disk',
  )
  for (const secret of [webhookSecret, rotated.webhookSecret]) {
    assert.ok(!shown.includes(secret))
    for (const { name, bytes } of files) assert.ok(!bytes.includes(secret), `${name} holds the secret`)
  }
  assert.match(JSON.stringify(audit), /webhook\.secret_rotated/)

  const deleted = await nylas.webhooks.destroy({ webhookId })
  assert.deepEqual(deleted.data, { status: 'success' })
  await assert.rejects(nylas.webhooks.find({ webhookId }), apiError(404, '70000'))
})

test('says why a destination is refused', async () => {
  const requestBody = { triggerTypes: [WebhookTriggers.GrantExpired], webhookUrl: 'https://10.0.0.1/hook' }
  await assert.rejects(
    nylas.webhooks.create({ requestBody }),
    apiError(400, '70005', /unable\.verify\.webhook_url/),
  )
})

test('lists the addresses that notifications come from', async () => {
  const { data } = await nylas.webhooks.ipAddresses()
  assert.deepEqual(data.ipAddresses, ['203.0.113.7', '2001:db8::7'])
  assert.ok(Number.isInteger(data.updatedAt))
})
