import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createLocalJWKSet, exportJWK, generateKeyPair, jwtVerify, SignJWT, UnsecuredJWT } from 'jose'
import type { ApiAnswer } from '../support/grantway-app.ts'
import { assertOAuthError, startTokenApp, type TokenApp } from '../support/token-app.ts'

// tokeninfo, revoke and the published keys (contract/auth.md 4.3, 4.4, 4.6).

const GONE = /^The token is unknown, expired or revoked\.$/
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

let app: TokenApp
before(async () => {
  app = await startTokenApp()
})
after(() => app.stop())

const info = (query: string): Promise<ApiAnswer> =>
  app.call('GET', `/v3/connect/tokeninfo?${query}`, undefined, { authorization: '' })
const signIn = async () => (await app.exchange(await app.code())).body
const jwks = async () => (await app.call('GET', '/.well-known/jwks.json')).body

function assertInfo(answer: ApiAnswer): void {
  assert.equal(answer.status, 200, answer.text)
  const { iat, exp, ...rest } = answer.body.data
  assert.deepEqual(rest, { iss: app.url, aud: app.clientId, sub: app.grantId, email: app.email })
  assert.ok(Number.isInteger(iat) && exp - iat === 3600)
  assert.deepEqual(Object.keys(answer.body).toSorted(), ['data', 'request_id'])
}

test('tells what an access token and an id token stand for, to whoever holds them', async () => {
  const { access_token, id_token } = await signIn()
  assertInfo(await info(`access_token=${access_token}`))
  assertInfo(await info(`id_token=${id_token}`))
  // As the browser library asks: a form.
  assertInfo(await app.form('/v3/connect/tokeninfo', { access_token }))
  assertInfo(await app.post('/v3/connect/tokeninfo', { id_token }))
  assertInfo(await app.post(`/v3/connect/tokeninfo?id_token=${id_token}`, undefined))
})

test('refuses no token, both, refresh tokens, codes and rubbish', async () => {
  const { access_token, id_token, refresh_token } = await signIn()
  const both = await info(`access_token=${access_token}&id_token=${id_token}`)
  assertOAuthError(both, 400, 'invalid_request', /not both/)
  for (const query of ['', 'access_token=', 'token=x']) {
    assertOAuthError(await info(query), 400, 'invalid_request', /required/)
  }
  for (const token of [refresh_token, await app.code(), 'x', `${access_token}x`, app.key, '%00', 'a.b.c']) {
    assertOAuthError(await info(`access_token=${token}`), 400, 'invalid_token', GONE)
    assertOAuthError(await info(`id_token=${token}`), 400, 'invalid_token', GONE)
  }
})

test('believes no id token that another key signed, or none did', async () => {
  const { id_token } = await signIn()
  const [head = '', payload = '', signature = ''] = id_token.split('.')
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString())
  const [key] = (await jwks()).keys
  const mine = await generateKeyPair('ES256')
  const hmac = new TextEncoder().encode(JSON.stringify(key))
  const forged = [
    new UnsecuredJWT(claims).encode(),
    await new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: key.kid }).sign(mine.privateKey),
    await new SignJWT(claims)
      .setProtectedHeader({ alg: 'ES256', kid: 'mine', jwk: await exportJWK(mine.publicKey) })
      .sign(mine.privateKey),
    await new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: key.kid }).sign(hmac),
    `${head}.${Buffer.from(JSON.stringify({ ...claims, sub: 'x' })).toString('base64url')}.${signature}`,
    `${head}.${payload}.`,
    `${head}.${payload}`,
  ]
  for (const token of forged) {
    assertOAuthError(await info(`id_token=${token}`), 400, 'invalid_token', GONE)
  }
})

test('tokens end after an hour', async () => {
  const { access_token, id_token } = await signIn()
  app.clock.advance(HOUR_MS - 5_000)
  assertInfo(await info(`access_token=${access_token}`))
  assertInfo(await info(`id_token=${id_token}`))
  app.clock.advance(6_000)
  assertOAuthError(await info(`access_token=${access_token}`), 400, 'invalid_token', GONE)
  assertOAuthError(await info(`id_token=${id_token}`), 400, 'invalid_token', GONE)
  assertOAuthError(
    await app.post(`/v3/connect/revoke?token=${access_token}`, undefined),
    400,
    'invalid_token',
    GONE,
  )
  assert.equal((await app.as(access_token, 'GET', '/v3/grants/me')).status, 401)
})

test('tokens end with their grant', async () => {
  const grantId = await app.newGrant('short@calendar.example')
  const { access_token, id_token } = (await app.exchange(await app.code({ grantId }))).body
  assert.equal((await info(`id_token=${id_token}`)).body.data.email, 'short@calendar.example')
  await app.call('DELETE', `/v3/grants/${grantId}`)
  assertOAuthError(await info(`access_token=${access_token}`), 400, 'invalid_token', GONE)
  assertOAuthError(await info(`id_token=${id_token}`), 400, 'invalid_token', GONE)
})

const REVOCATIONS: readonly [name: string, revoke: (token: string) => Promise<ApiAnswer>][] = [
  [
    'in the query, no body (Node, Python)',
    (token) => app.post(`/v3/connect/revoke?token=${token}`, undefined),
  ],
  [
    'in the query, JSON content type without a body (Java)',
    (token) => app.form(`/v3/connect/revoke?token=${token}`, '', { 'content-type': 'application/json' }),
  ],
  ['in the query, empty object (Ruby)', (token) => app.post(`/v3/connect/revoke?token=${token}`, {})],
  ['as JSON', (token) => app.post('/v3/connect/revoke', { token })],
  ['as a form', (token) => app.form('/v3/connect/revoke', { token, token_type_hint: 'access_token' })],
]
for (const [name, revoke] of REVOCATIONS) {
  test(`revokes a token with its siblings and their refresh token, not the grant: ${name}`, async () => {
    for (const which of ['access_token', 'refresh_token'] as const) {
      const first = await signIn()
      const second = (await app.refresh(first.refresh_token)).body
      const other = await signIn()
      const answer = await revoke(second[which])
      assert.deepEqual(answer.body, { request_id: answer.headers.get('x-request-id') })
      assert.equal(answer.status, 200)
      for (const token of [first.access_token, second.access_token]) {
        assert.equal((await app.as(token, 'GET', '/v3/grants/me')).status, 401)
      }
      assert.equal((await app.refresh(first.refresh_token)).body.error, 'invalid_grant')
      assert.equal((await app.as(other.access_token, 'GET', '/v3/grants/me')).status, 200)
      assertOAuthError(await revoke(second[which]), 400, 'invalid_token', GONE)
    }
    assert.equal((await app.call('GET', `/v3/grants/${app.grantId}`)).body.data.grant_status, 'valid')
  })
}

test('revoke refuses what is no token of ours, and no token at all', async () => {
  for (const token of ['x', app.key, await app.code(), 'gw_at_', 'gw_rt_x', (await signIn()).id_token]) {
    assertOAuthError(await app.post('/v3/connect/revoke', { token }), 400, 'invalid_token', GONE)
  }
  for (const body of [undefined, {}, { token: '' }]) {
    assertOAuthError(await app.post('/v3/connect/revoke', body), 400, 'invalid_request', /required/)
  }
  assert.equal((await app.call('GET', '/v3/applications')).status, 200)
})

test('changes the signing key after 90 days and publishes the old one until its tokens are over', async () => {
  const old = await signIn()
  const [first] = (await jwks()).keys
  app.clock.advance(90 * DAY_MS)
  const fresh = await signIn()
  const keys = await jwks()
  assert.equal(keys.keys.length, 2)
  assert.deepEqual(keys.keys[1], first)
  assert.notEqual(keys.keys[0].kid, first.kid)
  assert.ok(!JSON.stringify(keys).includes('"d"'))
  const now = { currentDate: new Date(app.clock.nowMs()) }
  const { protectedHeader } = await jwtVerify(fresh.id_token, createLocalJWKSet(keys), now)
  assert.equal(protectedHeader.kid, keys.keys[0].kid)
  assert.notEqual(fresh.id_token.split('.')[0], old.id_token.split('.')[0])
  assertInfo(await info(`id_token=${fresh.id_token}`))
  const stored = await app.application.database.stores.signingKeys.list()
  for (const { sealedPrivate } of stored) assert.match(sealedPrivate, /^g1\./)
})

test('housekeeping deletes what is over and leaves the rest', async () => {
  const { jobs, database } = app.application
  const { stores } = database
  const live = await signIn()
  app.clock.advance(2 * HOUR_MS)
  const kept = (await app.refresh(live.refresh_token)).body
  app.clock.advance(DAY_MS)
  const last = (await app.refresh(live.refresh_token)).body
  jobs?.wake()
  await jobs?.stop()
  assert.equal((await stores.signingKeys.list()).length, 1)
  assert.equal(await stores.authorizationCodes.deleteExpired(DAY_MS, 100), 0)
  assert.equal(await stores.issuedTokens.deleteExpiredAccess(Math.floor(app.clock.nowMs() / 1000), 100), 0)
  assert.equal((await app.as(kept.access_token, 'GET', '/v3/grants/me')).status, 401)
  assert.equal((await app.as(last.access_token, 'GET', '/v3/grants/me')).status, 200)
  assert.equal((await app.refresh(live.refresh_token)).status, 200)
})
