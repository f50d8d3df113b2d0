import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { after, before, test } from 'node:test'
import { type HttpApp, startHttpApp } from '../support/http-app.ts'
import { startWebhookReceiver, type WebhookReceiver } from '../support/webhook-receiver.ts'

let app: HttpApp
let receiver: WebhookReceiver
before(async () => {
  app = await startHttpApp()
  receiver = await startWebhookReceiver()
})
after(async () => {
  await app.close()
  await receiver.stop()
})

const ALL = '/v3/webhooks'
const ID = /^[A-Za-z0-9]{26}$/
const SECRET = /^[A-Za-z0-9_-]{32}$/

async function created(fields: object = {}) {
  const body = { trigger_types: ['grant.created'], webhook_url: `${receiver.url}/hook`, ...fields }
  const answer = await app.call('POST', ALL, body)
  assert.equal(answer.status, 200, answer.text)
  return answer.body.data
}

async function storedSecret(id: string): Promise<string> {
  const [record] = await app.database.stores.webhooks.findMany([id])
  assert.ok(record)
  return record.sealedSecret
}

async function auditOf(id: string) {
  const entries = await app.database.stores.audit.list(
    { applicationId: app.applicationId, target: `webhook:${id}` },
    { limit: 50 },
  )
  return entries
    .map(({ actor, action, detail }) => ({ actor: actor.split(':')[0], action, detail }))
    .toReversed()
}

test('refuses without a key', async () => {
  const answer = await app.call('GET', ALL, undefined, { authorization: '' })
  assert.deepEqual([answer.status, answer.body.error.type], [401, 'token.unauthorized_access'])
})

test('creates, reads, changes, rotates and deletes a destination', async () => {
  const now = Math.floor(app.clock.nowMs() / 1000)
  const trigger_types = ['grant.created', 'message.created.truncated', 'contact.created', 'grant.created']
  const answer = await app.call('POST', ALL, {
    trigger_types,
    webhook_url: `${receiver.url}/hook?tenant=a%20b`,
    description: 'Mine',
    notification_email_addresses: ['ops@example.com'],
    compressed_delivery: true,
    encryption_key: '',
  })
  assert.equal(answer.status, 200, answer.text)
  const { webhook_secret, ...destination } = answer.body.data
  assert.match(destination.id, ID)
  assert.match(webhook_secret, SECRET)
  assert.deepEqual(answer.body, {
    request_id: answer.headers.get('x-request-id'),
    data: {
      id: destination.id,
      description: 'Mine',
      trigger_types,
      webhook_url: `${receiver.url}/hook?tenant=a%20b`,
      webhook_secret,
      status: 'active',
      notification_email_addresses: ['ops@example.com'],
      compressed_delivery: true,
      status_updated_at: now,
      created_at: now,
      updated_at: now,
    },
  })
  assert.ok(!(await storedSecret(destination.id)).includes(webhook_secret), 'the secret is sealed')

  const one = `${ALL}/${destination.id}`
  assert.deepEqual((await app.call('GET', one)).body.data, destination)
  assert.deepEqual((await app.call('GET', ALL)).body.data, [destination])
  assert.deepEqual((await app.call('GET', `${one}?select=id,status`)).body.data, {
    id: destination.id,
    status: 'active',
  })

  app.clock.advance(5_000)
  const changed = await app.call('PUT', one, { description: '', trigger_types: ['grant.expired'] })
  const second = { ...destination, description: '', trigger_types: ['grant.expired'], updated_at: now + 5 }
  assert.deepEqual([changed.status, changed.body.data], [200, second])

  for (const [method, path] of [
    ['POST', `${ALL}/rotate-secret/${destination.id}`],
    ['PUT', `${one}/rotate-secret`],
  ] as const) {
    for (const body of [undefined, {}]) {
      const sealed = await storedSecret(destination.id)
      const rotated = await app.call(method, path, body)
      const { webhook_secret: next, ...rest } = rotated.body.data
      assert.match(next, SECRET)
      assert.notEqual(next, webhook_secret)
      assert.deepEqual(rest, second)
      assert.notEqual(await storedSecret(destination.id), sealed)
    }
  }

  const deleted = await app.call('DELETE', one)
  assert.deepEqual(deleted.body, {
    request_id: deleted.headers.get('x-request-id'),
    data: { status: 'success' },
  })
  assert.deepEqual((await app.call('GET', ALL)).body.data, [])
  assert.deepEqual(
    (await auditOf(destination.id)).map(({ actor, action }) => [actor, action]),
    [
      ['key', 'webhook.created'],
      ['key', 'webhook.updated'],
      ['key', 'webhook.secret_rotated'],
      ['key', 'webhook.secret_rotated'],
      ['key', 'webhook.secret_rotated'],
      ['key', 'webhook.secret_rotated'],
      ['key', 'webhook.deleted'],
    ],
  )
})

test('sends every field also where little was given', async () => {
  const { webhook_secret: _secret, ...destination } = await created()
  assert.deepEqual(
    [destination.description, destination.notification_email_addresses, destination.compressed_delivery],
    ['', [], false],
  )
  await app.call('DELETE', `${ALL}/${destination.id}`)
})

test('says 404 of type 70000 for an id that is unknown or of another application', async () => {
  const { id } = await created()
  const foreign = { authorization: `Bearer ${app.otherKey}` }
  for (const [path, headers] of [
    [`${ALL}/unknown`, {}],
    [`${ALL}/${id}`, foreign],
  ] as const) {
    for (const [method, url, body] of [
      ['GET', path],
      ['PUT', path, { description: 'x' }],
      ['DELETE', path],
      ['PUT', `${path}/rotate-secret`],
      ['POST', path.replace(ALL, `${ALL}/rotate-secret`)],
    ] as const) {
      const answer = await app.call(method, url, body, headers)
      assert.equal(answer.status, 404, `${method} ${url}`)
      assert.deepEqual(answer.body, {
        request_id: answer.headers.get('x-request-id'),
        error: { type: '70000', message: 'destination.id.not.found: no webhook destination has this id.' },
      })
    }
  }
  assert.deepEqual((await app.call('GET', ALL, undefined, foreign)).body.data, [])
  await app.call('DELETE', `${ALL}/${id}`)
})

test('pauses by any of the words for it, and activates again', async () => {
  const { id } = await created()
  for (const status of ['pause', 'paused', 'inactive']) {
    app.clock.advance(1_000)
    const at = Math.floor(app.clock.nowMs() / 1000)
    const paused = await app.call('PUT', `${ALL}/${id}`, { status })
    assert.deepEqual([paused.body.data.status, paused.body.data.status_updated_at], ['pause', at], status)
    app.clock.advance(1_000)
    const again = await app.call('PUT', `${ALL}/${id}`, { status: 'paused' })
    assert.equal(again.body.data.status_updated_at, at, 'it stays paused since then')
    const active = await app.call('PUT', `${ALL}/${id}`, { status: 'active' })
    assert.deepEqual([active.body.data.status, active.body.data.status_updated_at], ['active', at + 1])
  }
  await app.call('DELETE', `${ALL}/${id}`)
})

const REFUSED: readonly (readonly [fields: object, message: RegExp])[] = [
  [{ trigger_types: undefined }, /^trigger_types is required$/],
  [{ trigger_types: [] }, /^trigger_types /],
  [{ trigger_types: 'grant.created' }, /^trigger_types /],
  [{ trigger_types: ['grant.created', 'grant.exploded'] }, /no trigger "grant\.exploded"$/],
  [{ trigger_types: ['grant.created.truncated'] }, /no trigger "grant\.created\.truncated"$/],
  [{ trigger_types: ['message.created.metadata'] }, /no trigger "message\.created\.metadata"$/],
  [{ trigger_types: ['constructor'] }, /no trigger "constructor"$/],
  [{ webhook_url: undefined }, /^webhook_url is required$/],
  [{ webhook_url: 7 }, /^webhook_url /],
  [{ webhook_url: '' }, /^webhook_url /],
  [{ webhook_url: 'receiver.example/hook' }, /absolute https URL/],
  [{ webhook_url: 'ftp://receiver.example/hook' }, /absolute https URL/],
  [{ webhook_url: 'https:receiver.example' }, /absolute https URL/],
  [{ webhook_url: 'https://' }, /absolute https URL/],
  [{ webhook_url: 'https://user:pw@receiver.example' }, /user information/],
  [{ webhook_url: 'https://receiver.example/#' }, /fragment/],
  [{ webhook_url: 'https://receiver.example\\@other.example' }, /backslashes/],
  [{ webhook_url: ' https://receiver.example' }, /spaces/],
  [{ webhook_url: `https://receiver.example/${'x'.repeat(2048)}` }, /^webhook_url /],
  [{ webhook_url: 'https://169.254.169.254/latest' }, /unable\.verify\.webhook_url.*private or reserved/],
  [{ webhook_url: 'https://10.0.0.1/' }, /private or reserved/],
  [{ webhook_url: 'http://203.0.113.1/' }, /must be an https URL/],
  [{ webhook_url: 'https://receiver.invalid/' }, /could not be resolved/],
  [{ notification_email_addresses: ['ops'] }, /"ops" is not an email address/],
  [{ notification_email_addresses: 'ops@example.com' }, /^notification_email_addresses /],
  [{ compressed_delivery: 'yes' }, /^compressed_delivery /],
  [{ description: 1 }, /^description /],
]
for (const [fields, message] of REFUSED) {
  const shown = JSON.stringify(fields).slice(0, 70)
  test(`refuses to create, and to change to, ${shown === '{}' ? 'a missing field' : shown}`, async () => {
    const whole = { trigger_types: ['grant.created'], webhook_url: `${receiver.url}/hook`, ...fields }
    const answer = await app.call('POST', ALL, whole)
    assert.deepEqual([answer.status, answer.body.error?.type], [400, '70005'], answer.text)
    assert.match(answer.body.error.message, message)
    assert.deepEqual((await app.call('GET', ALL)).body.data, [])
    if (Object.values(fields).includes(undefined)) return
    const { id } = await created()
    const before = await app.call('GET', `${ALL}/${id}`)
    const change = await app.call('PUT', `${ALL}/${id}`, { description: 'x', ...fields })
    assert.deepEqual([change.status, change.body.error?.type], [400, '70005'], change.text)
    assert.deepEqual((await app.call('GET', `${ALL}/${id}`)).body.data, before.body.data)
    await app.call('DELETE', `${ALL}/${id}`)
  })
}

test('refuses a status that is not for setting', async () => {
  const { id } = await created()
  for (const status of ['failing', 'failed', 'Active', '', 1]) {
    const answer = await app.call('PUT', `${ALL}/${id}`, { status })
    assert.deepEqual([answer.status, answer.body.error.type], [400, '70005'], String(status))
  }
  await app.call('DELETE', `${ALL}/${id}`)
})

test('has at most 50 destinations for an application', async () => {
  const { id } = await created()
  const { webhooks } = app.database.stores
  const [record] = await webhooks.findMany([id])
  assert.ok(record)
  for (let count = 2; count <= 49; count += 1) await webhooks.insert({ ...record, id: `filler-${count}` })
  const fiftieth = await created()
  const answer = await app.call('POST', ALL, {
    trigger_types: ['grant.created'],
    webhook_url: `${receiver.url}/hook`,
  })
  assert.deepEqual(
    [answer.status, answer.body.error],
    [400, { type: '70005', message: 'an application has at most 50 webhook destinations' }],
  )
  const all = (await app.call('GET', ALL)).body.data
  assert.equal(all.length, 50)
  assert.ok(all.some((one: { id: string }) => one.id === fiftieth.id))
  for (const one of all) await webhooks.delete(app.applicationId, one.id)
})

test('deletes the deliveries of a destination with it', async () => {
  const { id } = await created()
  const { jobs } = app.database.stores
  const kind = 'webhook.delivery'
  await jobs.enqueue([
    { kind, lane: id, dedupeKey: 'e:mine', applicationId: app.applicationId, payload: {} },
    { kind, lane: 'other', dedupeKey: 'e:other', applicationId: app.applicationId, payload: {} },
  ])
  await app.call('DELETE', `${ALL}/${id}`)
  assert.deepEqual(await jobs.list({ kind, lane: id, limit: 5 }), [])
  assert.equal((await jobs.list({ kind, lane: 'other', limit: 5 })).length, 1)
})

test('shows the addresses that notifications come from', async () => {
  const answer = await app.call('GET', `${ALL}/ip-addresses`)
  assert.deepEqual(answer.body, {
    request_id: answer.headers.get('x-request-id'),
    data: { ip_addresses: ['203.0.113.7'], updated_at: 1_767_225_600 },
  })
})

test('posts a test event that is signed with the fixed secret', async () => {
  for (const [trigger_type, type] of [
    [undefined, 'message.created'],
    ['grant.expired', 'grant.expired'],
    ['contact.created', 'contact.updated'],
    ['message.created.truncated', 'message.created.truncated'],
  ] as const) {
    const path = `/test-${type}`
    const answer = await app.call('POST', `${ALL}/send-test-event`, {
      webhook_url: receiver.url + path,
      ...(trigger_type ? { trigger_type } : {}),
    })
    assert.deepEqual(answer.body, { request_id: answer.headers.get('x-request-id'), data: 'success' })
    const [delivery] = await receiver.waitFor(path, 1)
    assert.ok(delivery)
    assert.equal(delivery.envelope.type, type)
    assert.equal(delivery.envelope.data.application_id, app.applicationId)
    assert.equal(delivery.headers['content-type'], 'application/json')
    const expected = createHmac('sha256', 'mock-webhook-secret').update(delivery.raw).digest('hex')
    assert.equal(delivery.headers['x-nylas-signature'], expected)
  }
})

test('says what a receiver answered that does not take the test event', async () => {
  receiver.answer('/refuses', { status: 503 })
  const send = (body: object) => app.call('POST', `${ALL}/send-test-event`, body)
  const refused = await send({ webhook_url: `${receiver.url}/refuses` })
  assert.deepEqual(
    [refused.status, refused.body.error],
    [400, { type: '70005', message: 'webhook_url did not take the test event: it answered status 503' }],
  )
  for (const [body, message] of [
    [{}, /^webhook_url is required$/],
    [{ webhook_url: 'nowhere' }, /absolute https URL/],
    [{ webhook_url: 'https://10.0.0.1/' }, /private or reserved/],
    [{ webhook_url: receiver.url, trigger_type: 'nope' }, /no sample of "nope"/],
  ] as const) {
    const answer = await send(body)
    assert.deepEqual([answer.status, answer.body.error.type], [400, '70005'], answer.text)
    assert.match(answer.body.error.message, message)
  }
})
