import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { NylasOAuthError } from 'nylas'
import { ACCESS_TOKEN, REDIRECT, startTokenApp, type TokenApp } from '../support/token-app.ts'
import { apiError, sdkFor, type Sdk } from './sdk-client.ts'

// The official Node SDK, unmodified: codes, refresh tokens, token info, revocation, and grants by access token.

let app: TokenApp
let nylas: Sdk
before(async () => {
  app = await startTokenApp()
  nylas = sdkFor(app, app.key)
})
after(() => app.stop())

const client = () => ({ clientId: app.clientId, redirectUri: REDIRECT })

function oauthError(status: number, code: string) {
  return (error: unknown) => {
    assert.ok(error instanceof NylasOAuthError, String(error))
    assert.deepEqual([error.statusCode, error.error, error.errorCode], [status, code, status])
    assert.ok(error.errorDescription.length > 10)
    assert.match(error.errorUri ?? '', /^https:/)
    return true
  }
}

test('trades a code, with the key of the SDK', async () => {
  const answer = await nylas.auth.exchangeCodeForToken({ ...client(), code: await app.code() })
  const { accessToken, refreshToken, idToken, ...rest } = answer
  assert.match(accessToken, ACCESS_TOKEN)
  assert.ok(refreshToken && idToken)
  const { requestId: _id, flowId: _flow, headers: _headers, ...fields } = rest as Record<string, unknown>
  assert.deepEqual(fields, {
    tokenType: 'Bearer',
    expiresIn: 3600,
    scope: '',
    grantId: app.grantId,
    email: app.email,
    provider: 'virtual-calendar',
  })
})

test('trades a code with the secret of its own urlForOAuth2PKCE', async () => {
  const { secret, url } = nylas.auth.urlForOAuth2PKCE({ ...client(), provider: 'google' })
  const { searchParams } = new URL(url)
  assert.equal(searchParams.get('code_challenge_method'), 's256')
  const challenge = searchParams.get('code_challenge')
  const pkce = { challenge, challengeMethod: 'S256' as const }
  const exchange = async (codeVerifier: string) =>
    nylas.auth.exchangeCodeForToken({ ...client(), code: await app.code(pkce), codeVerifier })
  assert.equal((await exchange(secret)).grantId, app.grantId)
  await assert.rejects(exchange('another'), oauthError(400, 'invalid_grant'))
})

test('refreshes, asks about tokens and revokes them', async () => {
  const first = await nylas.auth.exchangeCodeForToken({ ...client(), code: await app.code() })
  const second = await nylas.auth.refreshAccessToken({ ...client(), refreshToken: first.refreshToken ?? '' })
  assert.equal(second.refreshToken, first.refreshToken)
  const byAccess = await nylas.auth.accessTokenInfo(second.accessToken)
  const byId = await nylas.auth.idTokenInfo(second.idToken ?? '')
  for (const { data } of [byAccess, byId]) {
    const { iat, exp, ...rest } = data
    assert.deepEqual(rest, { iss: app.url, aud: app.clientId, sub: app.grantId, email: app.email })
    assert.equal(exp - iat, 3600)
  }
  assert.equal(await nylas.auth.revoke(second.accessToken), true)
  await assert.rejects(nylas.auth.accessTokenInfo(first.accessToken), oauthError(400, 'invalid_token'))
  await assert.rejects(nylas.auth.revoke(second.accessToken), oauthError(400, 'invalid_token'))
  await assert.rejects(
    nylas.auth.refreshAccessToken({ ...client(), refreshToken: first.refreshToken ?? '' }),
    oauthError(400, 'invalid_grant'),
  )
})

test('finds the grant of an access token as me', async () => {
  const { accessToken } = await nylas.auth.exchangeCodeForToken({ ...client(), code: await app.code() })
  const overrides = { apiKey: accessToken }
  const { data } = await nylas.grants.find({ grantId: 'me', overrides })
  assert.deepEqual([data.id, data.email], [app.grantId, app.email])
  const other = await app.newGrant('sdk-other@calendar.example')
  await assert.rejects(nylas.grants.find({ grantId: other, overrides }), apiError(403, 'grant.access_denied'))
  await assert.rejects(nylas.grants.list({ overrides }), apiError(401, 'token.unauthorized_access'))
  await assert.rejects(nylas.grants.find({ grantId: 'me' }), apiError(401, 'token.unauthorized_access'))
})

test('reads every refusal as the OAuth error it is', async () => {
  const exchange = (key: string, code: string) =>
    sdkFor(app, key).auth.exchangeCodeForToken({ ...client(), code })
  await assert.rejects(exchange('not-a-key', await app.code()), oauthError(401, 'invalid_client'))
  await assert.rejects(exchange(app.key, 'no-code'), oauthError(400, 'invalid_grant'))
  await assert.rejects(exchange(app.key, ''), oauthError(400, 'invalid_request'))
})
