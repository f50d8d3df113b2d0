import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, beforeEach, test } from 'node:test'
import { inspect } from 'node:util'
import type { Authorization } from '../../src/core/ports/authorization.ts'
import type { ProviderClient, Tokens } from '../../src/core/ports/identity.ts'
import type { ProviderModule } from '../../src/core/ports/provider.ts'
import { systemClock } from '../../src/kit/clock.ts'
import { createHttpClient, type HttpClient } from '../../src/kit/outbound/http-client.ts'
import { ProviderError, type ProviderErrorKind } from '../../src/kit/provider-error.ts'
import { Secret } from '../../src/kit/secret.ts'
import { createGoogle } from '../../src/providers/google/create-google.ts'
import { createMicrosoft } from '../../src/providers/microsoft/create-microsoft.ts'
import { createYahoo } from '../../src/providers/yahoo/provider.ts'
import { createZoom } from '../../src/providers/zoom/create-zoom.ts'

const CODE = 'code-4/0AbCdEf'
const VERIFIER = 'verifier-dBjftJeZ4CVP-mB92K27uhbUJU1p1r'
const SECRET = 'client-secret-9!'
const REDIRECT = 'https://mail.example/v3/connect/callback'

type Name = 'google' | 'microsoft' | 'yahoo' | 'zoom'

interface Seen {
  readonly path: string
  readonly authorization: string | undefined
  readonly form: { readonly [field: string]: string }
}

let server: Server
let http: HttpClient
let providers: { readonly [N in Name]: ProviderModule }
let closeYahoo: () => Promise<void>
let seen: Seen[] = []
let answer: { status: number; body: string; headers?: { [name: string]: string } } = { status: 500, body: '' }

before(async () => {
  server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      seen.push({
        path: request.url ?? '',
        authorization: request.headers.authorization,
        form: Object.fromEntries(new URLSearchParams(body)),
      })
      response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers })
      response.end(answer.body)
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  http = createHttpClient()
  const clock = systemClock
  const yahoo = createYahoo({
    http,
    clock,
    endpoints: {
      authorizeUrl: base,
      tokenUrl: `${base}/yahoo`,
      userinfoUrl: base,
      imap: { host: '127.0.0.1', port: 993 },
      smtp: { host: '127.0.0.1', port: 465 },
    },
    allowPlaintext: false,
  })
  closeYahoo = () => yahoo.close()
  providers = {
    google: createGoogle({
      http,
      clock,
      endpoints: {
        authorizeUrl: base,
        tokenUrl: `${base}/google`,
        revokeUrl: base,
        userinfoUrl: base,
        gmailUrl: base,
        calendarUrl: base,
        peopleUrl: base,
        adminUrl: base,
        pubsubUrl: base,
      },
    }),
    microsoft: createMicrosoft({
      http,
      clock,
      endpoints: {
        authorizeUrl: `${base}/{tenant}/authorize`,
        tokenUrl: `${base}/{tenant}/microsoft`,
        adminConsentUrl: `${base}/{tenant}/adminconsent`,
        graphUrl: base,
      },
    }),
    yahoo,
    zoom: createZoom({
      http,
      clock,
      endpoints: { authorizeUrl: base, tokenUrl: `${base}/zoom`, apiUrl: base },
    }),
  }
})
after(async () => {
  await closeYahoo()
  await http.close()
  server.close()
})
beforeEach(() => {
  seen = []
})

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts).toString('utf8')
}

function authorizationOf(name: Name): Authorization {
  const { authorization } = providers[name]
  assert.ok(authorization)
  return authorization
}

function exchange(name: Name, scope: readonly string[] = [], tenant?: string): Promise<Tokens> {
  const client: ProviderClient = {
    credentialType: 'connector',
    clientId: 'client-1',
    clientSecret: new Secret(SECRET),
    data: {},
    ...(tenant === undefined ? {} : { tenant }),
  }
  return authorizationOf(name).exchangeCode({
    client,
    code: new Secret(CODE),
    redirectUri: REDIRECT,
    codeVerifier: new Secret(VERIFIER),
    scope,
    signal: new AbortController().signal,
  })
}

const reply = (status: number, body: unknown, headers?: { [name: string]: string }) => {
  answer = {
    status,
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...(headers ? { headers } : {}),
  }
}
const tokens = (more: object) => ({
  access_token: 'at-1',
  token_type: 'Bearer',
  expires_in: 3599,
  refresh_token: 'rt-1',
  ...more,
})

const FORM = {
  grant_type: 'authorization_code',
  code: CODE,
  redirect_uri: REDIRECT,
  code_verifier: VERIFIER,
}
const BASIC = `Basic ${Buffer.from('client-1:client-secret-9%21').toString('base64')}`

test('google: client in the body, verifier sent, scopes in full', async () => {
  reply(
    200,
    tokens({ scope: 'openid email https://www.googleapis.com/auth/gmail.readonly', id_token: 'h.p.s' }),
  )
  const got = await exchange('google', ['gmail.readonly'])
  assert.deepEqual(seen, [
    {
      path: '/google',
      authorization: undefined,
      form: { ...FORM, client_id: 'client-1', client_secret: SECRET },
    },
  ])
  assert.equal(got.refreshToken?.open(), 'rt-1')
  assert.equal(got.idToken?.open(), 'h.p.s')
  assert.deepEqual(got.scope, [
    'openid',
    'https://www.googleapis.com/auth/userinfo.email',
    'https://www.googleapis.com/auth/gmail.readonly',
  ])
  assert.ok(!('body' in got))
})

test('microsoft: tenant of the client, scopes of Graph only, answered ones short', async () => {
  reply(200, tokens({ scope: 'https://graph.microsoft.com/Mail.Read User.Read openid' }))
  const got = await exchange(
    'microsoft',
    ['Mail.Read', 'https://outlook.office.com/IMAP.AccessAsUser.All'],
    'corp.example',
  )
  assert.deepEqual(seen, [
    {
      path: '/corp.example/microsoft',
      authorization: undefined,
      form: {
        ...FORM,
        client_id: 'client-1',
        client_secret: SECRET,
        scope:
          'https://graph.microsoft.com/Mail.Read https://graph.microsoft.com/User.Read openid profile email offline_access',
      },
    },
  ])
  assert.deepEqual(got.scope, ['Mail.Read', 'User.Read', 'openid'])
})

test('yahoo: client in Basic, the guid is kept for naming the account', async () => {
  reply(200, tokens({ xoauth_yahoo_guid: 'GUID1' }))
  const got = await exchange('yahoo', ['mail-r'])
  assert.deepEqual(seen, [{ path: '/yahoo', authorization: BASIC, form: FORM }])
  assert.deepEqual(got.hints, { guid: 'GUID1' })
  assert.equal(got.scope, undefined)
  assert.ok(!('body' in got))
})

test('zoom: client in Basic, granular scopes as answered', async () => {
  reply(200, tokens({ scope: 'user:read:user meeting:write:meeting' }))
  const got = await exchange('zoom')
  assert.deepEqual(seen, [{ path: '/zoom', authorization: BASIC, form: FORM }])
  assert.deepEqual(got.scope, ['user:read:user', 'meeting:write:meeting'])
  assert.equal(got.refreshToken?.open(), 'rt-1')
})

interface Refusal {
  readonly status: number
  readonly body: unknown
  readonly kind: ProviderErrorKind
  /** the message must speak of the code, not of a refresh token */
  readonly about?: RegExp
}

const ofCode = { kind: 'grant-revoked', about: /does not accept the code of this sign-in/ } as const
const ofRedirect = { kind: 'client-misconfigured', about: /redirect URI/ } as const
const ofClient = { kind: 'client-misconfigured', about: /client (id or )?secret|client id/ } as const
const aadsts = (code: number, text: string, error = 'invalid_grant') => ({
  error,
  error_description: `AADSTS${code}: ${text} Trace ID: 00000000-0000-0000-0000-000000000000`,
  error_codes: [code],
})

const REFUSALS: { readonly [N in Name]: readonly Refusal[] } = {
  google: [
    { status: 400, body: { error: 'invalid_grant', error_description: 'Bad Request' }, ...ofCode },
    { status: 400, body: { error: 'invalid_grant', error_description: 'Malformed auth code.' }, ...ofCode },
    {
      status: 400,
      body: { error: 'invalid_grant', error_description: 'Code was already redeemed.' },
      ...ofCode,
    },
    { status: 400, body: { error: 'invalid_grant', error_description: 'Invalid code verifier.' }, ...ofCode },
    { status: 401, body: { error: 'unauthorized_client', error_description: 'Unauthorized' }, ...ofCode },
    {
      status: 400,
      body: { error: 'redirect_uri_mismatch', error_description: 'Bad Request' },
      ...ofRedirect,
    },
    { status: 401, body: { error: 'invalid_client', error_description: 'Unauthorized' }, ...ofClient },
    {
      status: 400,
      body: { error: 'invalid_grant', error_description: 'Account has been deleted' },
      kind: 'grant-revoked',
      about: /account was deleted/,
    },
    {
      status: 400,
      body: { error: 'invalid_grant', error_subtype: 'invalid_rapt' },
      kind: 'grant-revoked',
      about: /session control/,
    },
  ],
  microsoft: [
    { status: 400, body: aadsts(54005, 'OAuth2 Authorization code was already redeemed.'), ...ofCode },
    { status: 400, body: aadsts(70008, 'The provided authorization code has expired.'), ...ofCode },
    { status: 400, body: aadsts(70000, 'The provided value for the code is not valid.'), ...ofCode },
    { status: 400, body: aadsts(501481, 'The Code_Verifier does not match.'), ...ofCode },
    { status: 400, body: { error: 'invalid_grant', error_description: 'The code is incorrect.' }, ...ofCode },
    { status: 400, body: aadsts(500112, 'The reply address does not match.'), ...ofRedirect },
    {
      status: 400,
      body: aadsts(50011, 'The redirect URI is not registered.', 'invalid_client'),
      ...ofRedirect,
    },
    { status: 401, body: aadsts(7000215, 'Invalid client secret.', 'invalid_client'), ...ofClient },
    {
      status: 400,
      body: aadsts(53003, 'Blocked by Conditional Access policies.'),
      kind: 'grant-revoked',
      about: /Conditional Access/,
    },
  ],
  yahoo: [
    { status: 401, body: { error: 'INVALID_GRANT', error_description: 'invalid code' }, ...ofCode },
    { status: 400, body: { error: 'invalid_grant', error_description: 'Bad code verifier' }, ...ofCode },
    { status: 400, body: { error: 'INVALID_REDIRECT_URI' }, ...ofRedirect },
    { status: 401, body: { error: 'INVALID_CALLBACK' }, ...ofRedirect },
    {
      status: 400,
      body: { error: 'invalid_grant', error_description: 'redirect_uri mismatch' },
      ...ofRedirect,
    },
    { status: 401, body: { error: 'INVALID_CLIENT_SECRET' }, ...ofClient },
  ],
  zoom: [
    {
      status: 400,
      body: { reason: `Invalid authorization code ${CODE}`, error: 'invalid_request' },
      ...ofCode,
    },
    { status: 400, body: { reason: 'Invalid authorization code', error: 'invalid_grant' }, ...ofCode },
    { status: 400, body: { reason: 'Redirect URI mismatch.', error: 'invalid_request' }, ...ofRedirect },
    { status: 400, body: { reason: 'Invalid redirect: x', error: 'invalid_grant' }, ...ofRedirect },
    {
      status: 401,
      body: { reason: 'Invalid client_id or client_secret', error: 'invalid_client' },
      ...ofClient,
    },
  ],
}

for (const [name, rows] of Object.entries(REFUSALS) as [Name, readonly Refusal[]][]) {
  for (const { status, body, kind, about } of rows) {
    test(`${name}: ${JSON.stringify(body).slice(0, 90)} is ${kind}`, async () => {
      reply(status, body)
      const error = await failureOf(name)
      assert.equal(error.kind, kind, error.message)
      if (about) assert.match(error.message, about)
      assert.equal(error.details.httpStatus, status)
      assert.notEqual(error.details.answered, false)
      assert.ok(error.details.advice || name === 'yahoo')
      assert.equal(seen.length, 1)
    })
  }
}

async function failureOf(name: Name): Promise<ProviderError> {
  const error: unknown = await exchange(name).catch((failure: unknown) => failure)
  assert.ok(error instanceof ProviderError, inspect(error))
  return error
}

for (const name of ['google', 'microsoft', 'yahoo', 'zoom'] as const) {
  test(`${name}: a failing or throttling service says nothing about the code, whatever its words`, async () => {
    const body = { error: 'invalid_grant', error_description: 'AADSTS54005: code' }
    reply(503, body)
    assert.equal((await failureOf(name)).kind, 'unavailable')
    reply(429, body, { 'retry-after': '7' })
    const throttled = await failureOf(name)
    assert.equal(throttled.kind, 'rate-limited')
    assert.equal(throttled.details.retryAfterSeconds, 7)
  })

  test(`${name}: an answer that can not be read may have spent the code`, async () => {
    for (const body of ['<html>portal</html>', '{"access_token":', '[]', '{"access_token":17}', '']) {
      reply(200, body)
      const error = await failureOf(name)
      assert.equal(error.kind, 'malformed-response')
      assert.equal(error.details.answered, false)
    }
    for (const body of ['<html>', '{"error":{"code":1}}', '{"error":null,"error_description":[]}', 'null']) {
      reply(400, body)
      assert.ok((await failureOf(name)).details.httpStatus === 400, body)
    }
  })

  test(`${name}: an answer that quotes code, verifier or secret does not carry them on`, async () => {
    const sentBasic = name === 'yahoo' || name === 'zoom' ? [BASIC.slice(6)] : []
    const secrets = [CODE, VERIFIER, SECRET, encodeURIComponent(CODE), ...sentBasic]
    for (const error of ['invalid_grant', 'invalid_client', 'invalid_request', 'redirect_uri_mismatch']) {
      const quoted = secrets.join(' ')
      reply(400, { error, error_description: quoted, reason: quoted, error_uri: quoted })
      const shown = inspect(await failureOf(name), { depth: 10, showHidden: true })
      for (const secret of secrets) {
        assert.ok(!shown.includes(secret), `${error}: ${secret}`)
      }
    }
  })

  test(`${name}: no issuer is claimed, since no callback is documented to carry one`, () => {
    assert.equal(authorizationOf(name).issuer, undefined)
  })
}

test('only microsoft has an administrator’s consent', () => {
  const having = (['google', 'microsoft', 'yahoo', 'zoom'] as const).filter(
    (name) => authorizationOf(name).adminConsentUrl,
  )
  assert.deepEqual(having, ['microsoft'])
})
