import assert from 'node:assert/strict'
import { after, beforeEach, test } from 'node:test'
import { createRequestLimits } from '../../src/core/limits/request-limits.ts'
import { silentLogger } from '../../src/kit/logger.ts'
import { allRoutes } from '../../src/http/routes/all.ts'
import { type CallAnswer, grantRecord, type HttpApp, startHttpApp } from '../support/http-app.ts'

// The limits of contract/auth.md 1.3. The clock of these servers stands still but for what a test says.

let app: HttpApp
let takes: string[] = []
let isAway = false

beforeEach(async () => {
  await app?.close()
  app = await startLimited()
  takes = []
  isAway = false
})
after(() => app.close())

function startLimited(http: { readonly trustedProxies?: readonly string[] } = {}): Promise<HttpApp> {
  return startHttpApp({
    http,
    rateLimits: {
      wrap: (rates) => ({
        ...rates,
        take(key, ...rest) {
          takes.push(key)
          return isAway ? Promise.reject(new Error('no database')) : rates.take(key, ...rest)
        },
      }),
    },
  })
}

/** Sends at once; answers how many got each status. */
async function burst(times: number, send: () => Promise<CallAnswer>): Promise<Record<number, number>> {
  const answers = await Promise.all(Array.from({ length: times }, send))
  const counts: Record<number, number> = {}
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

const listConnectors = () => app.call('GET', '/v3/connectors')
const post = (path: string, headers = {}) => app.call('POST', path, undefined, headers)
const badToken = (clientId: string) =>
  app.call('POST', '/v3/connect/token', { grant_type: 'refresh_token', client_id: clientId })

test('each route has a limit: by its access, or the one it names', () => {
  const byLimit: Record<string, string[]> = {}
  for (const { method, url, access, limit } of allRoutes()) {
    const usual = { public: 'oauth', application: 'admin', 'own-grant': 'admin', grant: 'data' }[access.kind]
    const heading = limit === usual ? `${access.kind}: ${limit}` : limit
    byLimit[heading] = [...(byLimit[heading] ?? []), `${method} ${url}`].toSorted()
  }
  assert.deepEqual(Object.keys(byLimit).toSorted(), [
    'application: admin',
    'detect',
    'grant: data',
    'none',
    'own-grant: admin',
    'public: oauth',
  ])
  assert.deepEqual(byLimit['detect'], ['POST /v3/providers/detect'])
  assert.deepEqual(byLimit['none'], ['GET /healthz', 'GET /readyz'])
  assert.deepEqual(byLimit['public: oauth'], [
    'GET /.well-known/jwks.json',
    'GET /v3/connect/tokeninfo',
    'POST /v3/connect/revoke',
    'POST /v3/connect/token',
    'POST /v3/connect/tokeninfo',
    'PUT /v3/attachment-uploads/:attachment_id/:token',
  ])
})

test('an application gets 50 a second, then the documented 429 until the second is over', async () => {
  assert.deepEqual(await burst(80, listConnectors), { 200: 50, 429: 30 })
  const refused = await listConnectors()
  assert.deepEqual(refused.body, {
    request_id: refused.headers.get('x-request-id'),
    error: { type: 'api.rate_limit_error', message: 'Too many requests.' },
  })
  assert.equal(refused.headers.get('retry-after'), '1')
  assert.equal(refused.headers.get('content-type'), 'application/json')
  assert.deepEqual(
    [...refused.headers.keys()].filter((name) => name.startsWith('x-ratelimit')),
    [],
  )
  app.clock.advance(1000)
  assert.deepEqual(await burst(51, listConnectors), { 200: 50, 429: 1 })
})

test('an application that asks too much slows down neither another nor its other resources', async () => {
  await burst(60, listConnectors)
  const other = { authorization: `Bearer ${app.otherKey}` }
  assert.equal((await app.call('GET', '/v3/connectors', undefined, other)).status, 200)
  assert.equal((await app.call('GET', '/v3/grants')).status, 200)
})

test('a grant gets 200 a second, and no other grant pays for it', async () => {
  const [one, two] = await Promise.all([newGrant(), newGrant()])
  const list = (id: string) => () => app.call('GET', `/v3/grants/${id}/folders`)
  assert.deepEqual(await burst(230, list(one)), { 200: 200, 429: 30 })
  assert.deepEqual(await burst(1, list(two)), { 200: 1 })
  app.clock.advance(1000)
  assert.deepEqual(await burst(201, list(one)), { 200: 200, 429: 1 })
})

test('data requests cost few writes: a block for many, a minute for who asks seldom, none for a flood', async () => {
  const id = await newGrant()
  const list = () => app.call('GET', `/v3/grants/${id}/folders`)
  await burst(200, list)
  assert.ok(takes.length <= 12, `${takes.length} writes for 200 requests`)
  takes = []
  await list()
  const refusals = takes.length
  await burst(50, list)
  assert.equal(takes.length, refusals, 'a refusal is remembered')
  const calm = await newGrant()
  takes = []
  for (let second = 0; second < 50; second += 1) {
    app.clock.advance(1000)
    assert.equal((await app.call('GET', `/v3/grants/${calm}/folders`)).status, 200)
  }
  assert.ok(takes.length <= 2, `${takes.length} writes for a request each second`)
})

test('detection is for 20 a minute and application', async () => {
  const detect = () => post('/v3/providers/detect?email=a@b.example')
  assert.deepEqual(await burst(25, detect), { 200: 20, 429: 5 })
  app.clock.advance(20_000)
  const refused = await detect()
  assert.equal(refused.status, 429)
  assert.ok(Number(refused.headers.get('retry-after')) > 1)
  const other = { authorization: `Bearer ${app.otherKey}` }
  assert.equal((await post('/v3/providers/detect?email=a@b.example', other)).status, 200)
  app.clock.advance(60_000)
  assert.equal((await detect()).status, 200)
})

test('who guesses keys at detection is stopped by his address before a key is looked up', async () => {
  const guess = () => post('/v3/providers/detect?email=a@b.example', { authorization: 'Bearer guess' })
  assert.deepEqual(await burst(130, guess), { 401: 120, 429: 10 })
})

test('the token paths are limited per address, with the OAuth body', async () => {
  const ask = () => app.call('GET', '/v3/connect/tokeninfo?access_token=none')
  assert.deepEqual(await burst(60, ask), { 400: 50, 429: 10 })
  for (const refused of [await ask(), await post('/v3/connect/revoke?token=x'), await badToken('x')]) {
    assert.equal(refused.status, 429)
    assert.deepEqual(Object.keys(refused.body).toSorted(), [
      'error',
      'error_code',
      'error_description',
      'error_uri',
      'request_id',
    ])
    assert.equal(refused.body.error, 'temporarily_unavailable')
    assert.equal(refused.body.error_code, 429)
    assert.equal(refused.headers.get('retry-after'), '1')
  }
  assert.equal((await app.call('GET', '/healthz')).status, 200)
})

test('refused attempts at a token stop who makes them for a minute, and nobody else', async () => {
  for (let second = 0; second < 7; second += 1) {
    assert.deepEqual(await burst(43, () => badToken('guessed')), { 400: 43 })
    app.clock.advance(1000)
  }
  const refused = await badToken('guessed')
  assert.equal(refused.status, 429)
  assert.equal(refused.body.error, 'temporarily_unavailable')
  assert.ok(Number(refused.headers.get('retry-after')) > 1)
  assert.notEqual((await badToken('another')).status, 429)
  app.clock.advance(60_000)
  assert.notEqual((await badToken('guessed')).status, 429)
})

test('the address is the client’s: a trusted proxy tells it, anybody else does not', async () => {
  const ask = (address: string) => () =>
    app.call('GET', '/v3/connect/tokeninfo?access_token=none', undefined, { 'x-forwarded-for': address })
  await burst(60, ask('203.0.113.1'))
  assert.equal((await ask('203.0.113.2')()).status, 429)
  await app.close()
  app = await startLimited({ trustedProxies: ['127.0.0.0/8'] })
  takes = []
  await burst(60, ask('2001:db8:1:2::1'))
  assert.equal((await ask('2001:db8:1:2::1')()).status, 429)
  assert.equal((await ask('2001:db8:1:2:ffff::9')()).status, 429, 'a /64 is one household')
  assert.equal((await ask('2001:db8:1:3::1')()).status, 400)
  assert.deepEqual(
    takes.filter((key) => key.includes('2001') || key.includes('203.0')),
    [],
    'addresses are not stored',
  )
})

test('while the database can’t count, requests pass up to the limit', async () => {
  const limits = createRequestLimits({
    rates: { take: () => Promise.reject(new Error('no database')) },
    clock: app.clock,
    log: silentLogger,
    factor: 1,
  })
  const admitted = async () => {
    const asked = Array.from({ length: 60 }, () => limits.admit('admin', 'app'))
    const settled = await Promise.allSettled(asked)
    return settled.filter(({ status }) => status === 'fulfilled').length
  }
  assert.equal(await admitted(), 50)
  app.clock.advance(1000)
  assert.equal(await admitted(), 50)
  isAway = true
  assert.deepEqual(await burst(60, listConnectors), { 200: 50, 429: 10 })
  isAway = false
  app.clock.advance(1000)
  assert.deepEqual(await burst(60, listConnectors), { 200: 50, 429: 10 })
})

async function newGrant(): Promise<string> {
  const grant = grantRecord({ applicationId: app.applicationId })
  await app.database.stores.grants.insert(grant)
  return grant.id
}
