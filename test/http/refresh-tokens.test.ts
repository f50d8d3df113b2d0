import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { applicationId } from '../../src/contract/ids.ts'
import { type Sandbox, startSandbox } from '../../src/sandbox/start-sandbox.ts'
import {
  ACCESS_TOKEN,
  assertOAuthError,
  REFRESH_TOKEN,
  sdkPkce,
  startTokenApp,
  type TokenApp,
} from '../support/token-app.ts'

// Refresh tokens of ours: lasting or rotated, ending, stolen; and provider tokens in their place (auth.md 8.1).

const UNKNOWN = /^The refresh token is unknown, expired, revoked, or belongs to another client\.$/
const REUSED = /^The refresh token was replaced and used again/
const PUBLIC_TOKEN = /^gw_rt_pub_[A-Za-z0-9_-]{43}$/

let app: TokenApp
let sandbox: Sandbox
before(async () => {
  sandbox = await startSandbox({ host: '127.0.0.1' })
  app = await startTokenApp({ ...sandbox.endpoints })
})
after(async () => {
  await app.stop()
  await sandbox.stop()
})
beforeEach(() => settings({}))

async function settings(additional: object): Promise<void> {
  const { status, text } = await app.call('PATCH', '/v3/applications', { additional_settings: additional })
  assert.equal(status, 200, text)
}

async function signIn(): Promise<{ readonly refresh_token: string; readonly access_token: string }> {
  return (await app.exchange(await app.code())).body
}

async function publicSignIn(): Promise<string> {
  const { verifier, ...pkce } = sdkPkce()
  const answer = await app.exchange(await app.code(pkce), {
    client_secret: undefined,
    code_verifier: verifier,
  })
  return answer.body.refresh_token
}

test('keeps the refresh token by default, whole body', async () => {
  const { refresh_token: token, access_token: first } = await signIn()
  for (let at = 0; at < 2; at += 1) {
    const answer = await app.refresh(token)
    const { access_token, id_token, request_id: _id, ...rest } = answer.body
    assert.deepEqual(rest, {
      token_type: 'Bearer',
      expires_in: 3600,
      refresh_token: token,
      scope: '',
      grant_id: app.grantId,
      email: app.email,
      provider: 'virtual-calendar',
    })
    assert.match(access_token, ACCESS_TOKEN)
    assert.equal(id_token.split('.').length, 3)
    assert.equal((await app.as(access_token, 'GET', '/v3/grants/me')).status, 200)
  }
  assert.equal((await app.as(first, 'GET', '/v3/grants/me')).status, 200)
})

test('needs an API key for the tokens of a client that had one', async () => {
  const { refresh_token: token } = await signIn()
  assertOAuthError(await app.refresh(token, { client_secret: undefined }), 401, 'invalid_client', /API key/)
  assert.equal((await app.refresh(token)).status, 200)
})

test('is bound to its application', async () => {
  const { refresh_token: token } = await signIn()
  const { services } = app.application
  const { id } = await services.applications.create({ name: 'Other' })
  const { value } = await services.apiKeys.create(applicationId(id), { name: 'other' })
  const answer = await app.refresh(token, { client_id: id, client_secret: value })
  assertOAuthError(answer, 400, 'invalid_grant', UNKNOWN)
  assert.equal((await app.refresh(token)).status, 200)
})

test('rotates where the application says so; a replaced token revokes its family', async () => {
  await settings({ rotate_refresh_token: true })
  const { refresh_token: first } = await signIn()
  const second = (await app.refresh(first)).body
  assert.match(second.refresh_token, REFRESH_TOKEN)
  assert.notEqual(second.refresh_token, first)
  app.clock.advance(60_000)
  const third = (await app.refresh(second.refresh_token)).body
  app.clock.advance(60_000)
  // A thief comes with the first, or the user does after a thief: nobody can tell, so both are out.
  assertOAuthError(await app.refresh(first), 400, 'invalid_grant', REUSED)
  assertOAuthError(await app.refresh(third.refresh_token), 400, 'invalid_grant', UNKNOWN)
  assert.equal((await app.as(third.access_token, 'GET', '/v3/grants/me')).status, 401)
})

test('a replaced token that comes again within ten seconds gets a successor: its answer may have been lost', async () => {
  await settings({ rotate_refresh_token: true })
  const { refresh_token: first } = await signIn()
  await app.refresh(first)
  app.clock.advance(9_000)
  const again = await app.refresh(first)
  assert.equal(again.status, 200)
  app.clock.advance(3_600_000)
  const later = await app.refresh(again.body.refresh_token)
  assert.equal(later.status, 200)
  assert.equal((await app.as(later.body.access_token, 'GET', '/v3/grants/me')).status, 200)
})

test('many refreshes with one token at once all succeed, rotated or not', async () => {
  for (const rotate of [true, false]) {
    await settings({ rotate_refresh_token: rotate })
    const { refresh_token: token } = await signIn()
    const answers = await Promise.all(Array.from({ length: 8 }, () => app.refresh(token)))
    assert.deepEqual(
      answers.map(({ status }) => status),
      answers.map(() => 200),
    )
    const next = new Set(answers.map(({ body }) => body.refresh_token))
    assert.equal(next.size, rotate ? 8 : 1)
    for (const one of next) assert.equal((await app.refresh(one)).status, 200)
  }
})

test('a revocation and refreshes at once leave nothing behind', async () => {
  for (const rotate of [true, false]) {
    await settings({ rotate_refresh_token: rotate })
    const { refresh_token: token } = await signIn()
    const refreshes = Array.from({ length: 6 }, () => app.refresh(token))
    const [revoked, ...answers] = await Promise.all([
      app.post(`/v3/connect/revoke?token=${token}`, undefined),
      ...refreshes,
    ])
    assert.equal(revoked?.status, 200)
    for (const { status, body } of answers) {
      if (status !== 200) continue
      assert.equal((await app.as(body.access_token, 'GET', '/v3/grants/me')).status, 401)
      assert.equal((await app.refresh(body.refresh_token)).status, 400)
    }
  }
})

test('a client without a secret refreshes without one, and its tokens always rotate', async () => {
  const first = await publicSignIn()
  const answer = await app.refresh(first, { client_secret: undefined })
  assert.equal(answer.status, 200, answer.text)
  assert.match(answer.body.refresh_token, PUBLIC_TOKEN)
  assert.notEqual(answer.body.refresh_token, first)
  app.clock.advance(60_000)
  assertOAuthError(await app.refresh(first, { client_secret: undefined }), 400, 'invalid_grant', REUSED)
  // The kind of a token stands in its text, and the text is what is hashed.
  const { refresh_token: secret } = await signIn()
  const renamed = secret.replace('gw_rt_', 'gw_rt_pub_')
  assertOAuthError(await app.refresh(renamed, { client_secret: undefined }), 400, 'invalid_grant', UNKNOWN)
})

test('ends after the idle time, counted from its last use', async () => {
  await settings({ refresh_token_expiration_idle: 1_000 })
  const { refresh_token: token } = await signIn()
  for (let at = 0; at < 3; at += 1) {
    app.clock.advance(990_000)
    assert.equal((await app.refresh(token)).status, 200)
  }
  app.clock.advance(1_000_000)
  assertOAuthError(await app.refresh(token), 400, 'invalid_grant', UNKNOWN)
})

test('ends after the absolute time, counted from the first of its family', async () => {
  await settings({ refresh_token_expiration_absolute: 1_000, rotate_refresh_token: true })
  let { refresh_token: token } = await signIn()
  for (let at = 0; at < 3; at += 1) {
    app.clock.advance(300_000)
    token = (await app.refresh(token)).body.refresh_token
  }
  app.clock.advance(100_000)
  assertOAuthError(await app.refresh(token), 400, 'invalid_grant', UNKNOWN)
})

test('zero means no end', async () => {
  await settings({ refresh_token_expiration_absolute: 0, refresh_token_expiration_idle: 0 })
  const { refresh_token: token } = await signIn()
  app.clock.advance(1_000 * 24 * 3_600_000)
  assert.equal((await app.refresh(token)).status, 200)
})

test('dies with its grant', async () => {
  const grantId = await app.newGrant('mortal@calendar.example')
  const { body } = await app.exchange(await app.code({ grantId }))
  await app.call('DELETE', `/v3/grants/${grantId}`)
  assertOAuthError(await app.refresh(body.refresh_token), 400, 'invalid_grant', UNKNOWN)
  assert.equal((await app.as(body.access_token, 'GET', '/v3/grants/me')).status, 401)
})

test('takes a provider’s refresh token of a grant, with an API key, and gives an access token only', async () => {
  await app.call('POST', '/v3/connectors', {
    provider: 'google',
    settings: { client_id: 'sandbox-client-id', client_secret: 'sandbox-client-secret' },
  })
  const token = sandbox.control.mintRefreshToken('ada@sandbox.example')
  const unknown = await app.refresh(token)
  assertOAuthError(unknown, 400, 'invalid_grant', /^The refresh token is unknown\.$/)
  const before = (await app.call('GET', '/v3/grants')).body.data.length
  const connect = (refreshToken: string) =>
    app.call('POST', '/v3/connect/custom', { provider: 'google', settings: { refresh_token: refreshToken } })
  const grant = await connect(token)
  assert.equal(grant.status, 201, grant.text)

  const answer = await app.refresh(token)
  assert.equal(answer.status, 200, answer.text)
  const { access_token, request_id: _id, ...rest } = answer.body
  assert.deepEqual(rest, {
    token_type: 'Bearer',
    expires_in: 3600,
    scope: grant.body.data.scope.join(' '),
    grant_id: grant.body.data.id,
    email: 'ada@sandbox.example',
    provider: 'google',
  })
  assert.equal((await app.as(access_token, 'GET', '/v3/grants/me/messages?limit=1')).status, 200)
  // By the header alone, as the newest Node SDK sends it.
  const byHeader = await app.post(
    '/v3/connect/token',
    { grant_type: 'refresh_token', client_id: app.clientId, refresh_token: token, redirect_uri: 'x' },
    { authorization: `Bearer ${app.key}` },
  )
  assert.equal(byHeader.body.grant_id, grant.body.data.id)

  // A newer token of the same grant: the one before still finds it.
  assert.equal((await connect(sandbox.control.mintRefreshToken('ada@sandbox.example'))).status, 201)
  assert.equal((await app.refresh(token)).body.grant_id, grant.body.data.id)
  assert.equal((await app.call('GET', '/v3/grants')).body.data.length, before + 1)

  const refused = await app.refresh(token, { client_secret: undefined })
  assertOAuthError(refused, 401, 'invalid_client', /API key/)
  const { services, database } = app.application
  const { id } = await services.applications.create({ name: 'Another' })
  const { value } = await services.apiKeys.create(applicationId(id), { name: 'k' })
  const foreign = await app.refresh(token, { client_id: id, client_secret: value })
  assertOAuthError(foreign, 400, 'invalid_grant', /^The refresh token is unknown\.$/)

  const reason = { code: 'revoked', message: 'm', advice: 'a', at: 1 }
  await database.stores.grants.markInvalid(app.clientId, grant.body.data.id, reason)
  assertOAuthError(await app.refresh(token), 400, 'invalid_grant', /^The grant is invalid \(revoked\)/)
  await app.call('DELETE', `/v3/grants/${grant.body.data.id}`)
  assertOAuthError(await app.refresh(token), 400, 'invalid_grant', /^The refresh token is unknown\.$/)
})
