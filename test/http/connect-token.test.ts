import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, test } from 'node:test'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { applicationId } from '../../src/contract/ids.ts'
import {
  ACCESS_TOKEN,
  assertOAuthError,
  REDIRECT,
  REFRESH_TOKEN,
  sdkPkce,
  startTokenApp,
  type TokenApp,
} from '../support/token-app.ts'

// `/v3/connect/token` on the composed server (contract/auth.md 4.1 and 4.2).

let app: TokenApp
let otherKey: string
let otherId: string
before(async () => {
  app = await startTokenApp()
  const { services } = app.application
  const other = await services.applications.create({ name: 'Other' })
  otherId = other.id
  otherKey = (await services.apiKeys.create(applicationId(other.id), { name: 'other' })).value
})
after(() => app.stop())

const bearer = (key: string) => ({ authorization: `Bearer ${key}` })
const basic = (user: string, password: string) => ({
  authorization: `Basic ${btoa(`${encodeURIComponent(user)}:${encodeURIComponent(password)}`)}`,
})

test('trades a code for tokens, whole body', async () => {
  const answer = await app.exchange(await app.code())
  assert.equal(answer.status, 200, answer.text)
  const { access_token, refresh_token, id_token, ...rest } = answer.body
  assert.match(access_token, ACCESS_TOKEN)
  assert.match(refresh_token, REFRESH_TOKEN)
  assert.equal(id_token.split('.').length, 3)
  assert.deepEqual(rest, {
    request_id: answer.headers.get('x-request-id'),
    token_type: 'Bearer',
    expires_in: 3600,
    scope: '',
    grant_id: app.grantId,
    email: app.email,
    provider: 'virtual-calendar',
  })
  assert.equal(answer.headers.get('content-type'), 'application/json')
  assert.equal(answer.headers.get('cache-control'), 'no-store')
  assert.equal(answer.headers.get('pragma'), 'no-cache')
  const me = await app.as(access_token, 'GET', '/v3/grants/me')
  assert.equal(me.body.data.id, app.grantId)
})

test('gives no refresh token for a code without offline access', async () => {
  const { body } = await app.exchange(await app.code({ offline: false }))
  assert.equal('refresh_token' in body, false)
  assert.match(body.access_token, ACCESS_TOKEN)
})

test('signs the id token with a published key, with the claims of the contract', async () => {
  const { body } = await app.exchange(await app.code())
  const jwks = await app.call('GET', '/.well-known/jwks.json', undefined, { authorization: '' })
  assert.equal(jwks.status, 200)
  assert.deepEqual(
    jwks.body.keys.map((key: object) => Object.keys(key).toSorted()),
    [['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']],
  )
  const { payload, protectedHeader } = await jwtVerify(body.id_token, createLocalJWKSet(jwks.body))
  assert.deepEqual([protectedHeader.alg, protectedHeader.kid], ['ES256', jwks.body.keys[0].kid])
  const { iat, exp, ...claims } = payload
  assert.equal((exp ?? 0) - (iat ?? 0), 3600)
  assert.deepEqual(claims, {
    iss: app.url,
    aud: app.clientId,
    sub: app.grantId,
    email: app.email,
    email_verified: false,
    provider: 'virtual-calendar',
  })
})

const CREDENTIALS: readonly [name: string, body: () => object, headers: () => Record<string, string>][] = [
  ['client_secret', () => ({ client_secret: app.key }), () => ({})],
  ['the header alone', () => ({ client_secret: undefined }), () => bearer(app.key)],
  ['a wrong client_secret beside a right header', () => ({ client_secret: 'nylas' }), () => bearer(app.key)],
  ['a right client_secret beside a wrong header', () => ({ client_secret: app.key }), () => bearer('wrong')],
  [
    'another application’s key beside the right one',
    () => ({ client_secret: otherKey }),
    () => bearer(app.key),
  ],
  ['an empty client_secret and the header', () => ({ client_secret: '' }), () => bearer(app.key)],
  ['Basic', () => ({ client_secret: undefined }), () => basic(app.clientId, app.key)],
  [
    'Basic without client_id in the body',
    () => ({ client_secret: undefined, client_id: undefined }),
    () => basic(app.clientId, app.key),
  ],
]
for (const [name, body, headers] of CREDENTIALS) {
  test(`authenticates a client by ${name}, as JSON and as a form`, async () => {
    for (const asForm of [false, true]) {
      const fields = {
        grant_type: 'authorization_code',
        client_id: app.clientId as string,
        code: await app.code(),
        redirect_uri: REDIRECT,
        ...body(),
      }
      const given = JSON.parse(JSON.stringify(fields)) as Record<string, string>
      const send = asForm
        ? app.form('/v3/connect/token', given, headers())
        : app.post('/v3/connect/token', given, headers())
      const answer = await send
      assert.equal(answer.status, 200, answer.text)
      assert.equal(answer.body.grant_id, app.grantId)
    }
  })
}

const WRONG: readonly [name: string, body: () => object, headers?: () => Record<string, string>][] = [
  ['no credential and no PKCE', () => ({ client_secret: undefined })],
  ['a wrong client_secret', () => ({ client_secret: 'nylas' })],
  ['the key of another application', () => ({ client_secret: otherKey })],
  ['two wrong ones', () => ({ client_secret: 'nylas' }), () => bearer('wrong')],
  ['a wrong Basic password', () => ({ client_secret: undefined }), () => basic(app.clientId, 'wrong')],
  ['an unknown client', () => ({ client_id: 'unknown', client_secret: undefined })],
  ['a key with something behind it', () => ({ client_secret: `${app.key} ` })],
  [
    'Basic for another client than the body',
    () => ({ client_secret: undefined }),
    () => basic(otherId, app.key),
  ],
]
for (const [name, body, headers] of WRONG) {
  test(`refuses ${name} with 401 invalid_client`, async () => {
    const answer = await app.post(
      '/v3/connect/token',
      {
        grant_type: 'authorization_code',
        client_id: app.clientId,
        client_secret: app.key,
        code: await app.code(),
        redirect_uri: REDIRECT,
        ...body(),
      },
      headers?.() ?? {},
    )
    assertOAuthError(answer, 401, 'invalid_client', /./)
    const isBasic = headers?.()['authorization']?.startsWith('Basic') ?? false
    assert.match(answer.headers.get('www-authenticate') ?? '', isBasic ? /^Basic / : /^Bearer$/)
  })
}

test('a wrong credential is refused even where none would have done', async () => {
  const { verifier, ...pkce } = sdkPkce()
  const code = await app.code(pkce)
  assertOAuthError(
    await app.exchange(code, { client_secret: 'nylas', code_verifier: verifier }),
    401,
    'invalid_client',
    /API key/,
  )
})

test('takes a public client with PKCE, in both encodings, lower-case and plain', async () => {
  const verifier = 'demo-verifier-0123456789-abcdefghijklmnop-XYZ'
  const ofHex = 'N2Q3ZjQ1ZGZlNDVmNDllOThiNDc3ZDUyNTZhM2UwMWZkMzBlY2VjMTRhMmM4ZDFhMWIyZTIyNzE4NjRlMTVlNA'
  for (const pkce of [
    { challenge: ofHex, challengeMethod: 'S256' as const },
    { challenge: 'fX9F3-RfSemLR31SVqPgH9MOzsFKLI0aGy4icYZOFeQ', challengeMethod: 'S256' as const },
    { challenge: verifier, challengeMethod: 'plain' as const },
  ]) {
    const code = await app.code(pkce)
    const answer = await app.exchange(code, { client_secret: undefined, code_verifier: verifier })
    assert.equal(answer.status, 200, answer.text)
    assert.match(answer.body.refresh_token, /^gw_rt_pub_[A-Za-z0-9_-]{43}$/)
  }
})

test('ignores a verifier that no challenge was stored for, and takes an empty one as none', async () => {
  assert.equal((await app.exchange(await app.code(), { code_verifier: 'whatever' })).status, 200)
  assert.equal((await app.exchange(await app.code(), { code_verifier: '' })).status, 200)
})

const MISSING: readonly [body: object, text: RegExp][] = [
  [{}, /^grant_type is required\.$/],
  [{ grant_type: 'authorization_code' }, /^code is required\.$/],
  [{ grant_type: 'authorization_code', code: 'x' }, /^redirect_uri is required\.$/],
  [{ grant_type: 'authorization_code', code: 'x', redirect_uri: 'y' }, /^client_id is required\.$/],
  [{ grant_type: 'refresh_token' }, /^refresh_token is required\.$/],
  [{ grant_type: 'refresh_token', refresh_token: '' }, /^refresh_token is required\.$/],
  [{ grant_type: 'refresh_token', refresh_token: 'x' }, /^client_id is required\.$/],
  [{ grant_type: 'client_credentials' }, /^client_id is required\.$/],
  [{ grant_type: 7 }, /^grant_type /],
  [{ grant_type: ['authorization_code', 'refresh_token'] }, /^grant_type /],
]
test('names the parameter that is missing or of another type', async () => {
  for (const [body, text] of MISSING) {
    assertOAuthError(await app.post('/v3/connect/token', body), 400, 'invalid_request', text)
  }
  const secret = { client_id: app.clientId, client_secret: app.key }
  const noGrant = { grant_type: 'client_credentials', ...secret }
  assertOAuthError(await app.post('/v3/connect/token', noGrant), 400, 'invalid_request', /^grant_id is req/)
})

test('refuses other grant types, and repeats nothing of what was sent', async () => {
  for (const grantType of ['password', 'implicit', 'x"\r\nset-cookie: a=b', 'AUTHORIZATION_CODE']) {
    const answer = await app.post('/v3/connect/token', { grant_type: grantType, client_id: app.clientId })
    assertOAuthError(answer, 400, 'unsupported_grant_type', /^grant_type must be /)
    assert.ok(!answer.text.includes('set-cookie'))
  }
})

test('client_credentials gives an access token of that grant and nothing else', async () => {
  const ask = (change: object) =>
    app.post('/v3/connect/token', {
      grant_type: 'client_credentials',
      client_id: app.clientId,
      client_secret: app.key,
      grant_id: app.grantId,
      ...change,
    })
  const answer = await ask({})
  assert.equal(answer.status, 200, answer.text)
  const { access_token, request_id: _id, ...rest } = answer.body
  assert.deepEqual(rest, {
    token_type: 'Bearer',
    expires_in: 3600,
    scope: '',
    grant_id: app.grantId,
    email: app.email,
    provider: 'virtual-calendar',
  })
  assert.equal((await app.as(access_token, 'GET', '/v3/grants/me')).status, 200)
  assertOAuthError(await ask({ client_secret: undefined }), 401, 'invalid_client', /API key/)
  assertOAuthError(await ask({ grant_id: 'nobody' }), 400, 'invalid_grant', /unknown/)
  const foreign = await ask({ client_id: otherId, client_secret: otherKey })
  assertOAuthError(foreign, 400, 'invalid_grant', /unknown/)
})

test('every refusal on these paths has the OAuth body: method, media type, size, JSON, form, expectation', async () => {
  const token = '/v3/connect/token'
  for (const path of [token, '/v3/connect/revoke']) {
    const got = await app.call('GET', path)
    assertOAuthError(got, 405, 'invalid_request', /method/)
    assert.equal(got.headers.get('allow'), 'POST')
    assertOAuthError(
      await app.form(path, '<a/>', { 'content-type': 'text/xml' }),
      415,
      'invalid_request',
      /./,
    )
    assertOAuthError(
      await app.form(path, '{"a":', { 'content-type': 'application/json' }),
      400,
      'invalid_request',
      /JSON/,
    )
    assertOAuthError(await app.form(path, { code: 'x'.repeat(70_000) }), 413, 'invalid_request', /too large/)
    assertOAuthError(await app.form(path, 'token=a&token=b'), 400, 'invalid_request', /more than once/)
    const many = Array.from({ length: 70 }, (_, at) => `f${at}=1`).join('&')
    assertOAuthError(await app.form(path, many), 400, 'invalid_request', /too many/)
  }
  assertOAuthError(await app.post(token, { code: 'x'.repeat(20_000) }), 400, 'invalid_request', /^code /)
  assertOAuthError(
    await app.post(token, { grant_type: 'client_credentials', client_id: 'a\u0000b', grant_id: 'x' }),
    400,
    'invalid_request',
    /NUL/,
  )
  // The form is read on these paths only.
  const elsewhere = await app.form('/v3/connect/custom', 'provider=google', bearer(app.key))
  assert.deepEqual([elsewhere.status, elsewhere.body.error.type], [415, 'api.invalid_request_payload'])
})

test('a blocked application gets no tokens, and its tokens open nothing', async () => {
  const { database, services } = app.application
  const blocked = await services.applications.create({ name: 'Blocked' })
  const key = (await services.apiKeys.create(applicationId(blocked.id), { name: 'k' })).value
  await database.stores.applications.update({ ...blocked, blocked: true })
  const body = { grant_type: 'client_credentials', client_id: blocked.id, grant_id: 'x' }
  assertOAuthError(await app.post('/v3/connect/token', body), 423, 'invalid_request', /blocked/)
  const withKey = { ...body, client_secret: key }
  assertOAuthError(await app.post('/v3/connect/token', withKey), 423, 'invalid_request', /blocked/)
})

test('stores codes and tokens as their SHA-256 only', async () => {
  const code = await app.code()
  const { body } = await app.exchange(code)
  const { stores } = app.application.database
  const hash = (text: string) => createHash('sha256').update(text).digest('hex')
  assert.equal((await stores.authorizationCodes.find(hash(code)))?.hash, hash(code))
  assert.equal((await stores.issuedTokens.findAccess(hash(body.access_token)))?.grantId, app.grantId)
  assert.equal((await stores.issuedTokens.findRefresh(hash(body.refresh_token)))?.grantId, app.grantId)
})
