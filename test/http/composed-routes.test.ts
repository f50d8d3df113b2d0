// Every route of the table on the whole product, with real providers behind it: without a key, with wrong ones, with
// another application's, with garbage.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { applicationId } from '../../src/contract/ids.ts'
import { paramNames, type Route } from '../../src/http/route.ts'
import { allRoutes } from '../../src/http/routes/all.ts'
import { type Sandbox, startSandbox } from '../../src/sandbox/start-sandbox.ts'
import { type ApiAnswer, type GrantwayApp, startGrantway } from '../support/grantway-app.ts'
import { plantWebhook } from './plant-webhook.ts'

const ADA = 'ada@sandbox.example'
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
/** Everybody may call these. */
const PUBLIC = ['/healthz', '/readyz', '/openapi.json', '/.well-known/jwks.json']
/** These too: the code or the token they are sent is what counts. */
const BY_TOKEN = [
  '/v3/connect/token',
  '/v3/connect/tokeninfo',
  '/v3/connect/revoke',
  '/v3/attachment-uploads/:attachment_id/:token',
]

let sandbox: Sandbox
let app: GrantwayApp
let otherKey: string
let ids: { readonly [name: string]: string }
let unchanged: string

before(async () => {
  sandbox = await startSandbox({ host: '127.0.0.1' })
  const nowhere = `${sandbox.url}/nowhere`
  app = await startGrantway({
    ...sandbox.endpoints,
    GRANTWAY_MICROSOFT_TOKEN_URL: nowhere,
    GRANTWAY_MICROSOFT_GRAPH_URL: nowhere,
    GRANTWAY_YAHOO_TOKEN_URL: nowhere,
    GRANTWAY_YAHOO_USERINFO_URL: nowhere,
    GRANTWAY_ZOOM_TOKEN_URL: nowhere,
    GRANTWAY_ZOOM_API_URL: nowhere,
    GRANTWAY_ICLOUD_IMAP: '127.0.0.1:1',
    GRANTWAY_ICLOUD_SMTP: '127.0.0.1:1',
  })
  const settings = { client_id: 'sandbox-client-id', client_secret: 'sandbox-client-secret' }
  for (const provider of ['google', 'microsoft', 'yahoo', 'zoom', 'imap', 'icloud', 'virtual-calendar']) {
    const isClient = ['google', 'microsoft', 'yahoo', 'zoom'].includes(provider)
    const made = await app.call('POST', '/v3/connectors', { provider, ...(isClient ? { settings } : {}) })
    assert.equal(made.status, 201, made.text)
  }
  const grant = await app.call('POST', '/v3/connect/custom', {
    provider: 'google',
    settings: { refresh_token: sandbox.control.mintRefreshToken(ADA) },
  })
  const { services } = app.application
  const other = await services.applications.create({ name: 'Other' })
  otherKey = (await services.apiKeys.create(applicationId(other.id), { name: 'other' })).value
  const message = await app.call('GET', `/v3/grants/${grant.body.data.id}/messages?limit=1`)
  const uri = await app.call('POST', '/v3/applications/redirect-uris', { url: 'https://a.example' })
  const creds = await app.call('GET', '/v3/connectors/google/creds')
  ids = {
    grant_id: grant.body.data.id,
    provider: 'google',
    message_id: message.body.data[0].id,
    '*': 'INBOX',
    uri: uri.body.data.id,
    credential: creds.body.data[0].id,
    application: (await app.call('GET', '/v3/applications')).body.data.application_id,
  }
  ids = { ...ids, ...(await plantWebhook(app.application.database, applicationId(ids['application'] ?? ''))) }
  unchanged = await everything()
})
after(async () => {
  await app.stop()
  await sandbox.stop()
})

const keyed = allRoutes().filter((route) => route.access.kind !== 'public')

function pathOf(route: Route, value: (name: string) => string = (name) => ids[name] ?? 'none'): string {
  return paramNames(route.url).reduce((path, name) => {
    const owner = route.url.includes('/creds/')
      ? 'credential'
      : route.url.includes('-uris/')
        ? 'uri'
        : route.url.startsWith('/v3/webhooks')
          ? 'webhook'
          : 'application'
    return path.replace(name === '*' ? '*' : `:${name}`, value(name === 'id' ? owner : name))
  }, route.url)
}

/** All that the first application has, as it reads it itself. */
async function everything(): Promise<string> {
  const parts = []
  for (const path of [
    '/v3/applications',
    '/v3/applications/redirect-uris',
    '/v3/connectors',
    '/v3/connectors/google/creds',
    '/v3/grants',
    `/v3/grants/${ids['grant_id']}/messages?limit=3`,
    `/v3/grants/${ids['grant_id']}/folders`,
    '/v3/webhooks',
    `/v3/webhooks/${ids['webhook']}/deliveries`,
  ]) {
    const { status, body, text } = await app.call('GET', path)
    assert.equal(status, 200, `${path}: ${text}`)
    parts.push(body.data)
  }
  return JSON.stringify(parts)
}

function assertEnvelope(answer: ApiAnswer, at: string): void {
  assert.equal(answer.headers.get('content-type'), 'application/json', at)
  assert.match(answer.body.request_id, UUID, at)
  assert.equal(answer.headers.get('x-request-id'), answer.body.request_id, at)
  assert.notEqual(answer.status, 500, `${at}: ${answer.text}`)
  if (answer.status < 400) return
  assert.deepEqual(Object.keys(answer.body).toSorted(), ['error', 'request_id'], at)
  assert.equal(typeof answer.body.error.type, 'string', at)
  assert.ok(answer.body.error.message.length > 0, at)
}

test('what needs no key is only what is known to need none, and answers', async () => {
  const open = allRoutes().filter((route) => route.access.kind === 'public')
  for (const route of open) {
    if (BY_TOKEN.includes(route.url)) continue
    assert.ok(PUBLIC.includes(route.url), route.url)
    const answer = await app.call(route.method, route.url, undefined, { authorization: '' })
    assert.equal(answer.status, 200)
    assert.equal(answer.headers.get('content-type'), 'application/json')
  }
  assert.ok(keyed.length >= 25)
})

test('no route answers without a key or with a wrong one', async () => {
  for (const authorization of ['', 'Bearer ', `Bearer ${'x'.repeat(40)}`, `Basic ${btoa(`${app.key}:`)}`]) {
    for (const route of keyed) {
      const at = `${route.method} ${route.url} ${authorization}`
      const body = route.method === 'GET' ? undefined : {}
      const answer = await app.call(route.method, pathOf(route), body, { authorization })
      assertEnvelope(answer, at)
      assert.deepEqual([answer.status, answer.body.error.type], [401, 'token.unauthorized_access'], at)
    }
  }
  assert.equal(await everything(), unchanged)
})

const CREDENTIAL = { name: 'x', credential_type: 'connector', credential_data: {}, since: 0, variables: {} }

test('another application finds nothing here and changes nothing', async () => {
  const headers = { authorization: `Bearer ${otherKey}` }
  const paths = [
    (name: string) => ids[name] ?? 'none',
    (name: string) => (name === 'grant_id' ? ADA : (ids[name] ?? 'none')),
  ]
  for (const value of paths) {
    for (const route of keyed) {
      const at = `${route.method} ${route.url}`
      const body = route.method === 'GET' ? undefined : { ...CREDENTIAL, settings: { refresh_token: 'x' } }
      const answer = await app.call(route.method, pathOf(route, value), body, headers)
      assertEnvelope(answer, at)
      if (paramNames(route.url).length > 0) assert.equal(answer.status, 404, `${at}: ${answer.text}`)
      for (const id of [
        ids['grant_id'],
        ids['uri'],
        ids['credential'],
        ids['application'],
        ids['message_id'],
        ids['webhook'],
        ids['delivery_id'],
      ]) {
        assert.ok(!answer.text.includes(id ?? ''), `${at} shows ${id}`)
      }
    }
  }
  assert.equal(await everything(), unchanged)
})

const GARBAGE: readonly (readonly [name: string, body: string, contentType?: string])[] = [
  ['nothing', ''],
  ['broken JSON', '{"a":'],
  ['an array', '[]'],
  ['null', 'null'],
  ['a number', '1e999'],
  ['text', 'hello', 'text/plain'],
  ['a form', 'a=b', 'application/x-www-form-urlencoded'],
  ['a broken content type', '{}', ';;;'],
  ['an empty object', '{}'],
  [
    'wrong types',
    '{"provider":1,"name":{},"settings":"x","scope":7,"url":[],"state":{},"credential_type":0}',
  ],
  ['nulls', '{"provider":null,"name":null,"settings":null,"scope":null,"url":null,"state":null}'],
  [
    'NUL characters',
    '{"provider":"goo\\u0000gle","name":"\\u0000","url":"https://a.example/\\u0000","settings":{"a":"\\u0000"}}',
  ],
  ['lone surrogates', '{"provider":"\\ud800","name":"\\ud800","state":"\\udfff","settings":{"\\ud800":1}}'],
  ['invalid UTF-8', '\xff\xfe'],
  [
    'prototype names',
    '{"__proto__":{"x":1},"constructor":{"prototype":{}},"settings":{"__proto__":{"a":1}}}',
  ],
  ['deep nesting', `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`],
]
for (const [name, body, contentType] of GARBAGE) {
  test(`a body of ${name} is refused or ignored by every route`, async () => {
    for (const route of keyed.filter(({ method }) => method !== 'GET')) {
      const at = `${route.method} ${route.url}`
      // Deletes need no body and would take away what the others need.
      const path = pathOf(route, (param) => (route.method === 'DELETE' ? 'none' : (ids[param] ?? 'none')))
      const response = await fetch(app.url + path, {
        method: route.method,
        headers: { authorization: `Bearer ${app.key}`, 'content-type': contentType ?? 'application/json' },
        body: name === 'invalid UTF-8' ? Buffer.from(body, 'latin1') : body,
      })
      const text = await response.text()
      const { status, headers } = response
      assertEnvelope({ status, headers, text, body: JSON.parse(text) }, at)
      assert.ok(status < 500, `${at}: ${status} ${text}`)
    }
  })
}

test('garbage in path and query is refused or ignored by every route', async () => {
  const values = [
    '%00',
    '%ff',
    '%',
    '..%2f..',
    '%2e%2e',
    "'--",
    '%F0%9F%92%A9',
    '[]',
    '__proto__',
    '1e309',
    '-1',
    '%25%32%65',
  ]
  for (const route of keyed) {
    for (const value of values) {
      const at = `${route.method} ${route.url} ${value}`
      const path = pathOf(route, (name) => (name === 'grant_id' ? (ids['grant_id'] ?? '') : value))
      if (route.method === 'DELETE' && route.url === '/v3/grants/:grant_id') continue
      const body = route.method === 'GET' ? undefined : {}
      const names = Object.keys(route.query.properties)
      // All parameters together; some values also each for itself, since the first wrong one ends the rest.
      const single = ['%00', '%F0%9F%92%A9', '-1'].includes(value) ? names : []
      for (const query of [
        names.map((one) => `${one}=${value}`).join('&'),
        ...single.map((one) => `${one}=${value}`),
      ]) {
        const answer = await app.call(route.method, `${path}?${query}`, body)
        assertEnvelope(answer, `${at} ${query}`)
        assert.ok(answer.status < 500, `${at} ${query}: ${answer.status} ${answer.text}`)
      }
    }
  }
})

test('settings that fit nothing are refused, for every provider, as the client’s mistake', async () => {
  const settings: readonly object[] = [
    {},
    { refresh_token: '' },
    { refresh_token: 7 },
    { refresh_token: ['a'] },
    { credential_id: 'none', email_address: 'a@b.example' },
    { credential_id: { a: 1 }, email_address: 'a@b.example' },
    { username: 'x', password: '' },
    { username: 'x', password: 7 },
    { imap_username: 'a@b.example', imap_password: 'p', imap_host: '127.0.0.1' },
    { imap_username: 'a@b.example', imap_password: 'p', imap_host: '[::1]' },
    { imap_username: 'a@b.example', imap_password: 'p', imap_host: '169.254.169.254', imap_port: 993 },
    { imap_username: 'a@b.example', imap_password: 'p', imap_host: '::ffff:10.0.0.1' },
    { imap_username: 'a@b.example', imap_password: 'p', imap_host: 'http://x/', imap_port: '993' },
    { imap_username: 'a@b.example', imap_password: 'p', imap_host: '127.0.0.1', imap_port: 1e9 },
    { imap_username: 'a@b.example', imap_password: 'p\r\nA1 LOGOUT', imap_host: '127.0.0.1' },
    { email: '' },
    { email: 7 },
    { email: '\u0000' },
  ]
  for (const provider of [
    'google',
    'microsoft',
    'yahoo',
    'zoom',
    'imap',
    'icloud',
    'virtual-calendar',
    'ews',
    'nylas',
  ]) {
    for (const given of settings) {
      // Any name will do for a virtual calendar.
      if (provider === 'virtual-calendar' && 'email_address' in given) continue
      const at = `${provider} ${JSON.stringify(given)}`
      const answer = await app.call('POST', '/v3/connect/custom', { provider, settings: given })
      assertEnvelope(answer, at)
      assert.ok([400, 401].includes(answer.status), `${at}: ${answer.text}`)
    }
  }
})

test('a provider that answers nonsense is told as such, not as a fault of the server', async () => {
  for (const provider of ['microsoft', 'yahoo', 'zoom']) {
    const answer = await app.call('POST', '/v3/connect/custom', {
      provider,
      settings: { refresh_token: 'token' },
    })
    assertEnvelope(answer, provider)
    assert.ok([400, 504].includes(answer.status), `${provider}: ${answer.text}`)
  }
  for (const mode of ['html', 'drop-after', '404'] as const) {
    sandbox.control.fail({ target: 'api', mode, times: 50 })
    for (const route of keyed.filter(({ method, access }) => method === 'GET' && access.kind === 'grant')) {
      const at = `${mode} ${route.url}`
      const answer = await app.call('GET', pathOf(route))
      assertEnvelope(answer, at)
      // 400: a route that wants a parameter, or more than this provider can do.
      assert.ok([200, 400, 404, 504].includes(answer.status), `${at}: ${answer.status} ${answer.text}`)
    }
    sandbox.control.fail({ target: 'api', mode, times: 0 })
  }
})
