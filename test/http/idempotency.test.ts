import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { ProviderError } from '../../src/kit/provider-error.ts'
import { type OutgoingApp, startOutgoingApp } from '../support/outgoing-app.ts'

let app: OutgoingApp
before(async () => {
  app = await startOutgoingApp()
})
after(() => app.close())
beforeEach(() => {
  app.sent.length = 0
  app.onSend = () => Promise.resolve()
})

const MESSAGE = { to: [{ email: 'ada@acme.example' }], subject: 'Once', body: 'x' }
const send = (key: string, body: unknown = MESSAGE, query = '') =>
  app.call('POST', `${app.base}/messages/send${query}`, body, { 'idempotency-key': key })

function form(boundary: string, files: readonly string[] = ['a']) {
  const parts = [
    ...files.map((name) => `name="file0"; filename="${name}.txt"\r\nContent-Type: text/plain\r\n\r\n${name}`),
    `name="message"\r\n\r\n${JSON.stringify(MESSAGE)}`,
  ]
  const text = parts.map((part) => `--${boundary}\r\nContent-Disposition: form-data; ${part}\r\n`).join('')
  return [
    `${text}--${boundary}--\r\n`,
    { 'content-type': `multipart/form-data; boundary=${boundary}` },
  ] as const
}

test('answers a repeated request byte for byte, and sends once', async () => {
  const first = await send('same')
  const again = await send('same')
  assert.deepEqual([first.status, again.status, again.text], [200, 200, first.text])
  assert.equal(first.headers.get('idempotent-response'), null)
  assert.equal(again.headers.get('idempotent-response'), 'true')
  assert.equal(again.headers.get('x-request-id'), first.body.request_id)
  assert.equal(again.headers.get('content-type'), 'application/json')
  assert.equal(app.sent.length, 1)
})

test('keeps an error for the same key', async () => {
  app.onSend = () => Promise.reject(new ProviderError('rejected', 'No such user', { providerCode: '550' }))
  const first = await send('error')
  app.onSend = () => Promise.resolve()
  const again = await send('error')
  assert.deepEqual([first.status, again.status, again.text], [402, 402, first.text])
  assert.equal(again.headers.get('idempotent-response'), 'true')
  const bad = await send('bad', {})
  assert.deepEqual([bad.status, (await send('bad', {})).text], [400, bad.text])
  assert.deepEqual(app.sent, [])
})

test('gives the key free when the answer says "later"', async () => {
  app.onSend = () => Promise.reject(new ProviderError('rate-limited', 'slow', { retryAfterSeconds: 3 }))
  const first = await send('later')
  assert.deepEqual([first.status, first.headers.get('retry-after')], [429, '3'])
  app.onSend = () => Promise.resolve()
  assert.equal((await send('later')).status, 200)
  assert.equal(app.sent.length, 1)
})

test('refuses another payload with the same key', async () => {
  assert.equal((await send('payload')).status, 200)
  for (const [body, query] of [
    [{ ...MESSAGE, subject: 'Twice' }, ''],
    [MESSAGE, '?fields=include_headers'],
  ] as const) {
    const answer = await send('payload', body, query)
    assert.deepEqual([answer.status, answer.body.error.type], [409, 'api.invalid_idempotent_request'])
  }
  assert.equal(app.sent.length, 1)
})

test('takes a form for the same whatever its boundary and order, and for another with another file', async () => {
  const post = (...[body, type]: ReturnType<typeof form>) =>
    app.call('POST', `${app.base}/messages/send`, body, { ...type, 'idempotency-key': 'form' })
  const first = await post(...form('one', ['a', 'b']))
  assert.equal(first.status, 200, first.text)
  assert.equal((await post(...form('two', ['b', 'a']))).text, first.text)
  assert.equal((await post(...form('two', ['a', 'c']))).status, 409)
  assert.equal(app.sent.length, 1)
})

test('refuses a second request while the first is under way', async () => {
  const release: { now?: () => void } = {}
  const begun = new Promise<void>((started) => {
    app.onSend = () => {
      started()
      return new Promise((resolve) => {
        release.now = resolve
      })
    }
  })
  const first = send('slow')
  await begun
  const second = await send('slow')
  assert.deepEqual([second.status, second.body.error.type], [409, 'api.concurrent_idempotent_request'])
  release.now?.()
  assert.equal((await first).status, 200)
  assert.equal((await send('slow')).text, (await first).text)
  assert.equal(app.sent.length, 1)
})

test('tells that the first request ended without an answer, and sends nothing', async () => {
  const claim = { applicationId: app.grant.applicationId, grantId: app.grant.id, attemptId: 'gone' }
  const { createHash } = await import('node:crypto')
  const id = createHash('sha256').update(`${app.grant.id}\0crashed`).digest('hex')
  // What a process leaves that was killed while it sent: its payload is learnt from a request that ended.
  await send('model')
  const model = createHash('sha256').update(`${app.grant.id}\0model`).digest('hex')
  const known = await app.database.stores.idempotency.claim(
    { ...claim, id: model, payloadHash: '' },
    3_600_000,
  )
  await app.database.stores.idempotency.claim(
    { ...claim, id, payloadHash: known?.payloadHash ?? '' },
    3_600_000,
  )
  assert.equal((await send('crashed')).status, 409)
  app.clock.advance(180_000)
  const answer = await send('crashed')
  assert.deepEqual([answer.status, answer.body.error.type], [504, 'api.provider_error'])
  assert.match(answer.body.error.message, /may have been sent/)
  assert.equal(app.sent.length, 1)
})

test('forgets a key an hour after its first request', async () => {
  const first = await send('hour')
  app.clock.advance(3_599_000)
  assert.equal((await send('hour')).text, first.text)
  app.clock.advance(1_000)
  const later = await send('hour', { ...MESSAGE, subject: 'Another' })
  assert.equal(later.status, 200)
  assert.equal(later.headers.get('idempotent-response'), null)
  assert.equal(app.sent.length, 2)
})

test('refuses a key that is too long, and ignores an empty one', async () => {
  const answer = await send('k'.repeat(257))
  assert.deepEqual([answer.status, answer.body.error.type], [400, 'api.invalid_idempotency_key'])
  assert.equal((await send('k'.repeat(256))).status, 200)
  assert.equal((await send('')).status, 200)
  assert.equal((await send('')).status, 200)
  assert.equal(app.sent.length, 3)
})

test('keeps answers sealed', async () => {
  await send('sealed', { ...MESSAGE, subject: 'planted-subject' })
  const { createHash } = await import('node:crypto')
  const id = createHash('sha256').update(`${app.grant.id}\0sealed`).digest('hex')
  const claim = {
    id,
    applicationId: app.grant.applicationId,
    grantId: app.grant.id,
    attemptId: 'x',
    payloadHash: '',
  }
  const row = await app.database.stores.idempotency.claim(claim, 3_600_000)
  assert.match(row?.sealedAnswer ?? '', /^g1\./)
  assert.ok(!JSON.stringify(row).includes('planted-subject'))
})
