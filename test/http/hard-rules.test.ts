import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { allRoutes } from '../../src/http/routes/all.ts'
import { grantRecord, startHttpApp, type HttpApp } from '../support/http-app.ts'
import { rawRequest } from '../support/raw-http.ts'

// Each test is one of the rules of contract/auth.md section 0 and contract/email.md section 0.

let app: HttpApp
before(async () => {
  app = await startHttpApp()
})
after(() => app.close())

function lines(first: string, headers: readonly string[] = [], body = ''): string {
  return [
    first,
    'host: localhost',
    'connection: close',
    `authorization: Bearer ${app.key}`,
    ...headers,
    '',
    body,
  ].join('\r\n')
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

const KINDS: readonly [name: string, request: () => string, status: number][] = [
  ['success', () => lines('GET /v3/applications HTTP/1.1'), 200],
  ['list', () => lines('GET /v3/grants HTTP/1.1'), 200],
  [
    'created',
    () =>
      lines(
        'POST /v3/connectors HTTP/1.1',
        ['content-type: application/json', 'content-length: 19'],
        '{"provider":"imap"}',
      ),
    201,
  ],
  ['deleted', () => lines('DELETE /v3/connectors/imap HTTP/1.1'), 200],
  ['health', () => lines('GET /healthz HTTP/1.1'), 200],
  ['openapi', () => lines('GET /openapi.json HTTP/1.1'), 200],
  ['no key', () => 'GET /v3/grants HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n', 401],
  ['no host', () => 'GET /v3/nope HTTP/1.1\r\nconnection: close\r\n\r\n', 404],
  ['unknown route', () => lines('GET /v3/nope HTTP/1.1'), 404],
  ['unknown method', () => lines('PROPFIND /v3/grants HTTP/1.1'), 404],
  ['wrong method', () => lines('DELETE /v3/grants HTTP/1.1'), 405],
  [
    'bad JSON',
    () => lines('POST /v3/connectors HTTP/1.1', ['content-type: application/json', 'content-length: 1'], '{'),
    400,
  ],
  ['bad field', () => lines('POST /v3/connectors HTTP/1.1', ['content-length: 0']), 400],
  ['bad percent-encoding', () => lines('GET /v3/grants/%E0%A4%A HTTP/1.1'), 400],
  ['too long id', () => lines(`GET /v3/grants/${'a'.repeat(5_000)} HTTP/1.1`), 400],
  ['too long header', () => lines('GET /v3/grants HTTP/1.1', [`x-long: ${'a'.repeat(20_000)}`]), 431],
  [
    'too large body',
    () =>
      lines('POST /v3/connectors HTTP/1.1', ['content-type: application/json', 'content-length: 2000000']),
    413,
  ],
  [
    'other media type',
    () => lines('POST /v3/connectors HTTP/1.1', ['content-type: text/plain', 'content-length: 2'], 'hi'),
    415,
  ],
  ['unknown expectation', () => lines('GET /v3/grants HTTP/1.1', ['expect: nothing']), 417],
  ['no HTTP', () => 'HELO there\r\n\r\n', 400],
  [
    'contradicting lengths',
    () => lines('POST /v3/connectors HTTP/1.1', ['content-length: 2', 'transfer-encoding: chunked'], '{}'),
    400,
  ],
  ['oauth path', () => lines('POST /v3/connect/token HTTP/1.1', ['content-length: 0']), 400],
]

for (const [name, request, status] of KINDS) {
  test(`answers exactly application/json with a request id in body and header: ${name}`, async () => {
    const answer = await rawRequest(app.port, request())
    assert.equal(answer.status, status, answer.body)
    const types = answer.headers.filter((line) => /^content-type:/i.test(line))
    assert.deepEqual(types, ['content-type: application/json'])
    const length = Number(answer.header('content-length'))
    assert.equal(length, Buffer.byteLength(answer.body), 'the whole body came')
    const body = JSON.parse(answer.body)
    if (name === 'openapi') return
    assert.match(body.request_id, UUID)
    assert.equal(answer.header('x-request-id'), body.request_id)
    if (status < 400) return
    if (name === 'oauth path') {
      assert.deepEqual(Object.keys(body).toSorted(), [
        'error',
        'error_code',
        'error_description',
        'error_uri',
        'request_id',
      ])
      return
    }
    assert.deepEqual(Object.keys(body).toSorted(), ['error', 'request_id'])
    assert.equal(typeof body.error.type, 'string')
    assert.ok(body.error.message.length > 0)
  })
}

test('never takes the request id from the client', async () => {
  const answer = await rawRequest(app.port, lines('GET /healthz HTTP/1.1', ['x-request-id: <script>']))
  assert.match(answer.header('x-request-id') ?? '', UUID)
})

test('answers a JSON object to every delete', async () => {
  await app.call('POST', '/v3/connectors', { provider: 'imap' })
  const connector = await app.call('DELETE', '/v3/connectors/imap')
  assert.equal(connector.status, 200)
  assert.deepEqual(Object.keys(connector.body), ['request_id'])

  const grant = grantRecord({ applicationId: app.applicationId })
  await app.database.stores.grants.insert(grant)
  const deleted = await app.call('DELETE', `/v3/grants/${grant.id}`, '{}')
  assert.deepEqual([deleted.status, Object.keys(deleted.body)], [200, ['request_id']])
})

test('sends success and request_id with the callback URI list and with a changed application', async () => {
  const list = await app.call('GET', '/v3/applications/redirect-uris')
  assert.deepEqual(list.body, { request_id: list.body.request_id, success: true, data: [] })
  const changed = await app.call('PATCH', '/v3/applications', {})
  assert.equal(changed.body.success, true)
  assert.equal(typeof changed.body.request_id, 'string')
})

test('uses the OAuth error body on the three OAuth paths, also with doubled slashes and a query', async () => {
  for (const path of [
    '/v3/connect/token',
    '/v3/connect/revoke?token=x',
    '//v3/connect/tokeninfo?id_token=y',
  ]) {
    const { status, body } = await app.call('PUT', path, {})
    assert.equal(status, 405)
    assert.equal(body.error, 'invalid_request')
    assert.equal(body.error_code, 405)
    assert.equal(typeof body.error_description, 'string')
    assert.match(body.error_uri, /^https:/)
  }
  const { body } = await app.call('POST', '/v3/connect/other', {})
  assert.equal(body.error.type, 'api.not_found_error')
})

test('serves PUT beside PATCH where SDKs send it', () => {
  const routes = new Set(allRoutes().map((route) => `${route.method} ${route.url}`))
  for (const url of [
    '/v3/connectors/:provider',
    '/v3/connectors/:provider/creds/:id',
    '/v3/applications/redirect-uris/:id',
    '/v3/applications/callback-uris/:id',
  ]) {
    assert.ok(routes.has(`PUT ${url}`) && routes.has(`PATCH ${url}`), url)
  }
})

const EMPTY: readonly [name: string, headers: readonly string[], body: string][] = [
  ['no body, no content type (Node, Python)', ['content-length: 0'], ''],
  ['no body, no length', [], ''],
  ['no body, JSON content type (Java)', ['content-length: 0', 'content-type: application/json'], ''],
  ['no body, another content type', ['content-length: 0', 'content-type: text/plain'], ''],
  ['blank chunked body', ['transfer-encoding: chunked', 'content-type: application/json'], '0\r\n\r\n'],
  ['{} (Ruby)', ['content-length: 2', 'content-type: application/json'], '{}'],
  ['{} with a charset', ['content-length: 2', 'content-type: application/json; charset=utf-8'], '{}'],
  ['{} without a content type', ['content-length: 2'], '{}'],
]
for (const [name, headers, body] of EMPTY) {
  test(`takes an empty POST and DELETE: ${name}`, async () => {
    const post = await rawRequest(
      app.port,
      lines(
        'POST /v3/providers/detect?email=ada%40example.com&all_provider_types=True HTTP/1.1',
        headers,
        body,
      ),
    )
    assert.equal(post.status, 200, post.body)
    assert.deepEqual(JSON.parse(post.body).data, { email_address: 'ada@example.com', detected: false })
    const remove = await rawRequest(app.port, lines('DELETE /v3/grants/none HTTP/1.1', headers, body))
    assert.equal(remove.status, 404, remove.body)
    assert.equal(JSON.parse(remove.body).error.type, 'grant.not_found')
  })
}

test('reports region and environment that Java knows, and settings on every connector', async () => {
  const { body } = await app.call('GET', '/v3/applications')
  assert.deepEqual([body.data.region, body.data.environment], ['us', 'production'])
  await app.call('POST', '/v3/connectors', { provider: 'virtual-calendar' })
  const connector = await app.call('GET', '/v3/connectors/virtual-calendar')
  assert.deepEqual(connector.body.data.settings, {})
})

test('compresses answers of 200 bytes and more when asked, and keeps the content type', async () => {
  const answer = await fetch(`${app.url}/v3/applications`, {
    headers: { authorization: `Bearer ${app.key}`, 'accept-encoding': 'gzip' },
  })
  assert.equal(answer.headers.get('content-encoding'), 'gzip')
  assert.equal(answer.headers.get('content-type'), 'application/json')
  assert.match(await answer.text(), new RegExp(app.applicationId))

  const small = await fetch(`${app.url}/healthz`, { headers: { 'accept-encoding': 'gzip' } })
  assert.equal(small.headers.get('content-encoding'), null)
  const plain = await rawRequest(app.port, lines('GET /openapi.json HTTP/1.1'))
  assert.equal(plain.header('content-encoding'), undefined)
  assert.throws(() => gunzipSync(Buffer.from(plain.body)))
})

test('reads + and %20 as a space, and doubled slashes as one', async () => {
  const plus = await app.call('GET', '/v3/grants?email=a+b')
  const percent = await app.call('GET', '//v3//grants?email=a%20b')
  assert.deepEqual([plus.status, percent.status], [200, 200])
})

test('names the methods a known path takes', async () => {
  const answer = await app.call('DELETE', '/v3/applications')
  assert.equal(answer.status, 405)
  assert.equal(answer.headers.get('allow'), 'GET, PATCH')
  assert.equal(answer.body.error.type, 'api.invalid_request_error')
})

test('hides everything of an unknown error', async () => {
  const broken = await startHttpApp({
    services: {
      detect: { detect: () => Promise.reject(new Error('password hunter2 at /srv/secret.ts')) },
    },
  })
  try {
    const answer = await broken.call('POST', '/v3/providers/detect?email=a@b.example')
    assert.equal(answer.status, 500)
    assert.deepEqual(answer.body, {
      request_id: answer.body.request_id,
      error: { type: 'api.internal_error', message: 'Something went wrong on our side.' },
    })
  } finally {
    await broken.close()
  }
})
