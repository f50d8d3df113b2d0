import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { paramNames, type Route } from '../../src/http/route.ts'
import { allRoutes } from '../../src/http/routes/all.ts'
import { grantRecord, startHttpApp, type HttpApp } from '../support/http-app.ts'
import { plantWebhook } from './plant-webhook.ts'

// Every route of the table, tried without a key, with wrong ones, with another application's, with garbage.

let app: HttpApp
const grant = grantRecord()
const planted: string[] = ['planted-client-secret']
let ids: Readonly<Record<string, string>> = {}
let unchanged: string

before(async () => {
  app = await startHttpApp()
  const connector = await app.call('POST', '/v3/connectors', {
    provider: 'google',
    settings: { client_id: 'id', client_secret: 'planted-client-secret' },
  })
  await app.database.stores.grants.insert({ ...grant, applicationId: app.applicationId })
  const uri = await app.call('POST', '/v3/applications/redirect-uris', { url: 'https://a.example' })
  planted.push(app.key, app.otherKey)
  ids = { grant_id: grant.id, provider: 'google', message_id: 'm', '*': 'INBOX' }
  ids = { ...ids, schedule_id: 's', attachment_id: 'u' }
  ids = { ...ids, uri: uri.body.data.id, credential: connector.body.data.active_credential_id }
  ids = { ...ids, ...(await plantWebhook(app.database, app.applicationId)) }
  unchanged = await everything()
})
after(() => app.close())

const keyed = allRoutes().filter((route) => route.access.kind !== 'public')

function pathOf(route: Route): string {
  return paramNames(route.url).reduce((path, name) => {
    const kind = route.url.includes('/creds/')
      ? 'credential'
      : route.url.includes('-uris/')
        ? 'uri'
        : route.url.startsWith('/v3/webhooks')
          ? 'webhook'
          : 'application'
    const id = name === 'id' ? (ids[kind] ?? app.applicationId) : (ids[name] ?? 'none')
    return path.replace(name === '*' ? '*' : `:${name}`, id)
  }, route.url)
}

/** All that this application has, as it reads it itself. */
async function everything(): Promise<string> {
  const parts = []
  const deliveries = `/v3/webhooks/${ids['webhook']}/deliveries`
  const creds = '/v3/connectors/google/creds'
  for (const path of [
    '/v3/applications',
    '/v3/connectors',
    creds,
    '/v3/grants',
    '/v3/webhooks',
    deliveries,
  ]) {
    const { body } = await app.call('GET', path)
    parts.push(body.data)
  }
  return JSON.stringify(parts)
}

function assertEnvelope(
  answer: { status: number; headers: Headers; text: string; body: unknown },
  at: string,
) {
  assert.equal(answer.headers.get('content-type'), 'application/json', at)
  const { error, request_id } = answer.body as {
    error?: { type?: unknown; message?: unknown }
    request_id?: unknown
  }
  assert.equal(request_id, answer.headers.get('x-request-id'), at)
  if (answer.status >= 400) {
    assert.equal(typeof error?.type, 'string', at)
    assert.equal(typeof error?.message, 'string', at)
  }
  for (const secret of planted) assert.ok(!answer.text.includes(secret), `${at} shows a secret`)
}

const BEARERS: readonly [name: string, header: (() => string) | null][] = [
  ['no key', null],
  ['an empty bearer', () => 'Bearer '],
  ['an unknown key', () => 'Bearer 0123456789012345678901234567890123456789'],
  ['a key with something behind it', () => `Bearer ${app.key} x`],
  ['a key in upper case', () => `Bearer ${app.key.toUpperCase()}x`],
  ['the key as Basic', () => `Basic ${btoa(`${app.key}:`)}`],
  ['the bare key', () => app.key],
  ['a very long key', () => `Bearer ${'k'.repeat(4_000)}`],
]
for (const [name, header] of BEARERS) {
  test(`refuses every route with ${name}`, async () => {
    for (const route of keyed) {
      const at = `${route.method} ${route.url}`
      const response = await fetch(app.url + pathOf(route), {
        method: route.method,
        headers: header ? { authorization: header() } : {},
        // Who calls is settled before the body is looked at.
        ...(route.method === 'GET' ? {} : { body: '{"broken' }),
      })
      const text = await response.text()
      const body: unknown = JSON.parse(text)
      assertEnvelope({ status: response.status, headers: response.headers, text, body }, at)
      assert.equal(response.status, 401, at)
      assert.equal((body as { error: { type: string } }).error.type, 'token.unauthorized_access', at)
      assert.equal(response.headers.get('www-authenticate'), 'Bearer')
    }
  })
}

test('shows another application nothing and lets it change nothing, on every route', async () => {
  const headers = { authorization: `Bearer ${app.otherKey}` }
  for (const route of keyed) {
    const at = `${route.method} ${route.url}`
    const body =
      route.method === 'GET'
        ? undefined
        : { name: 'x', credential_type: 'connector', credential_data: {}, since: 0, variables: {} }
    const answer = await app.call(route.method, pathOf(route), body, headers)
    assertEnvelope(answer, at)
    if (paramNames(route.url).length > 0) assert.equal(answer.status, 404, at)
    const mine = [grant.id, grant.email, app.applicationId]
    for (const name of ['uri', 'credential', 'webhook', 'delivery_id']) mine.push(ids[name] ?? name)
    for (const id of mine) {
      assert.ok(!answer.text.includes(id), `${at} shows ${id}`)
    }
  }
  assert.equal(await everything(), unchanged)
})

const GARBAGE: readonly [name: string, body: string, contentType?: string][] = [
  ['broken JSON', '{"a":'],
  ['an array', '[]'],
  ['null', 'null'],
  ['a number', '1e999'],
  ['text', 'hello', 'text/plain'],
  ['a form', 'a=b', 'application/x-www-form-urlencoded'],
  ['multipart', '--x--', 'multipart/form-data; boundary=x'],
  ['a broken content type', '{}', ';;;'],
  [
    'wrong types',
    '{"provider":1,"name":{},"settings":"x","scope":7,"url":[],"state":{},"credential_type":0,"branding":1}',
  ],
  [
    'NUL characters',
    '{"provider":"goo\\u0000gle","name":"\\u0000","url":"https://a.example/\\u0000","credential_type":"\\u0000","credential_data":{"\\u0000":"\\u0000"}}',
  ],
  ['lone surrogates', '{"provider":"\\ud800","name":"\\ud800","state":"\\udfff","settings":{"\\ud800":1}}'],
  ['invalid UTF-8', '\xff\xfe'],
  ['prototype names', '{"__proto__":{"x":1},"constructor":{"prototype":{}}}'],
  ['deep nesting', `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`],
]
for (const [name, body, contentType] of GARBAGE) {
  test(`answers garbage with a clear 4xx or ignores it: ${name}`, async () => {
    for (const route of keyed.filter((candidate) => candidate.method !== 'GET')) {
      // An id that fits nothing, so that deletes leave the rest alone.
      const path = paramNames(route.url).reduce(
        (url, param) => url.replace(param === '*' ? '*' : `:${param}`, 'none'),
        route.url,
      )
      const at = `${route.method} ${route.url}`
      const answer = await app.call(route.method, path, body, {
        'content-type': contentType ?? 'application/json',
      })
      assertEnvelope(answer, at)
      assert.ok(answer.status < 500, `${at}: ${answer.status} ${answer.text}`)
    }
  })
}

test('answers garbage in path and query with a clear 4xx or ignores it', async () => {
  const values = [
    '%00',
    '%ff',
    '%',
    '..%2f..',
    '%2e%2e',
    "'--",
    '%F0%9F%92%A9',
    'x'.repeat(4_096),
    '[]',
    '__proto__',
    '1e309',
  ]
  for (const route of keyed) {
    for (const value of values) {
      const at = `${route.method} ${route.url} ${value.slice(0, 20)}`
      const path = paramNames(route.url).reduce(
        (url, param) =>
          url.replace(param === '*' ? '*' : `:${param}`, param === 'grant_id' ? grant.id : value),
        route.url,
      )
      const names = Object.keys(route.query.properties)
      const query = names.map((param) => `${param}=${value.slice(0, 300)}`).join('&')
      const isDelete = route.method === 'DELETE' && route.url === '/v3/grants/:grant_id'
      if (isDelete) continue
      const answer = await app.call(route.method, `${path}?${query}`, route.method === 'GET' ? undefined : {})
      assertEnvelope(answer, at)
      assert.ok(answer.status < 500, `${at}: ${answer.status} ${answer.text}`)
    }
  }
})
