import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { rawRequest } from '../support/raw-http.ts'
import { REDIRECT, sdkPkce, startTokenApp, type TokenApp } from '../support/token-app.ts'

// Requests of the Python, Ruby and Java SDKs and of the command line, byte for byte as contract/auth.md 1.4, 4 and 8
// describe them.

let app: TokenApp
before(async () => {
  app = await startTokenApp()
})
after(() => app.stop())

interface Sender {
  readonly name: string
  /** `method path` and the headers beside length and host */
  readonly headers: (key: string) => readonly string[]
  /** body of a POST that passes everything in the query */
  readonly emptyBody: string
  readonly emptyBodyHeaders: readonly string[]
  /** fields beside those of the call */
  readonly credentials: (key: string) => object
}

const SENDERS: readonly Sender[] = [
  {
    name: 'Python 6.17',
    headers: (key) => [
      'X-Nylas-API-Wrapper: python',
      'User-Agent: Nylas Python SDK 6.17.0 - 3.11.2',
      'Accept: */*',
      `Authorization: Bearer ${key}`,
    ],
    emptyBody: '',
    emptyBodyHeaders: [],
    credentials: (key) => ({ client_secret: key }),
  },
  {
    name: 'Ruby 6.8',
    headers: (key) => [
      'X-Nylas-API-Wrapper: ruby',
      'User-Agent: Nylas Ruby SDK 6.8.0 - 3.1.7',
      'Accept: */*',
      `Authorization: Bearer ${key}`,
    ],
    emptyBody: '{}',
    emptyBodyHeaders: ['Content-type: application/json'],
    credentials: (key) => ({ client_secret: key }),
  },
  {
    name: 'Java 2.18',
    headers: (key) => [
      'User-Agent: Nylas Java SDK 2.18.1',
      'Accept: application/json',
      `Authorization: Bearer ${key}`,
    ],
    emptyBody: '',
    emptyBodyHeaders: ['Content-Type: application/json; charset=utf-8'],
    credentials: (key) => ({ client_secret: key }),
  },
  {
    name: 'Java as the documentation calls it, a wrong secret beside the header',
    headers: (key) => ['User-Agent: Nylas Java SDK 2.18.1', `Authorization: Bearer ${key}`],
    emptyBody: '',
    emptyBodyHeaders: ['Content-Type: application/json'],
    credentials: () => ({ client_secret: 'nylas' }),
  },
  {
    name: 'Node after 8.4, no client_secret',
    headers: (key) => [
      'Accept: application/json',
      'User-Agent: Nylas Node SDK v8.5.0',
      `Authorization: Bearer ${key}`,
    ],
    emptyBody: '',
    emptyBodyHeaders: [],
    credentials: () => ({}),
  },
  {
    name: 'the command line, no header',
    headers: () => ['User-Agent: nylas-cli'],
    emptyBody: '',
    emptyBodyHeaders: [],
    credentials: (key) => ({ client_secret: key }),
  },
]

async function send(first: string, headers: readonly string[], body: string) {
  const length = `Content-Length: ${Buffer.byteLength(body)}`
  const lines = [`${first} HTTP/1.1`, 'Host: localhost', 'Connection: close', length, ...headers, '', body]
  const answer = await rawRequest(Number(new URL(app.url).port), lines.join('\r\n'))
  // Ruby compares the content type as a whole.
  assert.equal(answer.header('content-type'), 'application/json', answer.body)
  return { status: answer.status, body: JSON.parse(answer.body) }
}

for (const sender of SENDERS) {
  const json = () => [...sender.headers(app.key), 'Content-type: application/json']
  const token = (fields: object) =>
    send('POST /v3/connect/token', json(), JSON.stringify({ ...fields, ...sender.credentials(app.key) }))

  test(`${sender.name}: exchange, refresh, token info and revoke`, async () => {
    const { verifier, ...pkce } = sdkPkce()
    const shared = { client_id: app.clientId, redirect_uri: REDIRECT }
    const exchanged = await token({
      code: await app.code(pkce),
      ...shared,
      grant_type: 'authorization_code',
      code_verifier: verifier,
    })
    assert.equal(exchanged.status, 200, JSON.stringify(exchanged.body))
    // What Java's CodeExchangeResponse needs, in its types.
    assert.equal(typeof exchanged.body.access_token, 'string')
    assert.equal(exchanged.body.grant_id, app.grantId)
    assert.ok(Number.isInteger(exchanged.body.expires_in))

    const { refresh_token } = exchanged.body
    const refreshed = await token({ refresh_token, ...shared, grant_type: 'refresh_token' })
    assert.equal(refreshed.status, 200, JSON.stringify(refreshed.body))
    assert.equal(refreshed.body.refresh_token, refresh_token)

    const { access_token, id_token } = refreshed.body
    for (const query of [`access_token=${access_token}`, `id_token=${id_token}`]) {
      const info = await send(`GET /v3/connect/tokeninfo?${query}`, sender.headers(app.key), '')
      assert.equal(info.status, 200)
      assert.deepEqual([info.body.data.aud, info.body.data.sub], [app.clientId, app.grantId])
    }
    const revoke = () =>
      send(
        `POST /v3/connect/revoke?token=${access_token}`,
        [...sender.headers(app.key), ...sender.emptyBodyHeaders],
        sender.emptyBody,
      )
    const revoked = await revoke()
    assert.deepEqual([revoked.status, Object.keys(revoked.body)], [200, ['request_id']])
    const again = await revoke()
    assert.deepEqual(
      [again.status, Object.keys(again.body).toSorted()],
      [400, ['error', 'error_code', 'error_description', 'error_uri', 'request_id']],
    )
  })

  test(`${sender.name}: a used code and a wrong key give all four fields`, async () => {
    const fields = {
      code: await app.code(),
      client_id: app.clientId,
      redirect_uri: REDIRECT,
      grant_type: 'authorization_code',
    }
    assert.equal((await token(fields)).status, 200)
    const used = await token(fields)
    assert.deepEqual([used.status, used.body.error, used.body.error_code], [400, 'invalid_grant', 400])
    const headers = [...sender.headers('wrong'), 'Content-type: application/json']
    const body = JSON.stringify({ ...fields, ...sender.credentials('wrong') })
    const refused = await send('POST /v3/connect/token', headers, body)
    assert.deepEqual(
      [refused.status, refused.body.error, refused.body.error_code],
      [401, 'invalid_client', 401],
    )
    assert.equal(typeof refused.body.error_description, 'string')
    assert.match(refused.body.error_uri, /^https:/)
  })
}

test('the browser library: a form without any credential, then token info by form', async () => {
  const { verifier, ...pkce } = sdkPkce()
  const form = ['Content-Type: application/x-www-form-urlencoded', 'Accept: */*']
  const fields = new URLSearchParams({
    client_id: app.clientId,
    redirect_uri: REDIRECT,
    code: await app.code({ ...pkce, offline: false }),
    grant_type: 'authorization_code',
    code_verifier: verifier,
  })
  const exchanged = await send('POST /v3/connect/token', form, fields.toString())
  assert.equal(exchanged.status, 200, JSON.stringify(exchanged.body))
  // It reads these claims without a check.
  const claims = JSON.parse(atob(exchanged.body.id_token.split('.')[1].replace(/-/g, '+').replace(/_/g, '/')))
  assert.deepEqual([claims.sub, claims.email, claims.provider], [app.grantId, app.email, 'virtual-calendar'])
  const info = await send(
    'POST /v3/connect/tokeninfo',
    form,
    `access_token=${encodeURIComponent(exchanged.body.access_token)}`,
  )
  assert.equal(info.body.data.sub, app.grantId)
})
