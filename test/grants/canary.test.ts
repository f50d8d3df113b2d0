// Secrets go in by every way there is, with success and with every kind of failure, to providers that quote what they
// were sent. None may come out: not in an answer, not in the most talkative log, not in the database files.
import assert from 'node:assert/strict'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { type Sandbox, startSandbox } from '../../src/sandbox/start-sandbox.ts'
import { type FakeGraph, startFakeGraph } from '../support/fake-graph/start-fake-graph.ts'
import { FAKE_CLIENT } from '../support/fake-graph/token-endpoint.ts'
import { type ApiAnswer, type GrantwayApp, startGrantway } from '../support/grantway-app.ts'
import { logKeeper } from '../support/log-keeper.ts'
import { canaryWatch } from './canary-watch.ts'

const HOUR_MS = 3_600_000
const watch = canaryWatch()
const kept = logKeeper()

let sandbox: Sandbox
let graph: FakeGraph
let echo: Echo
let app: GrantwayApp

before(async () => {
  sandbox = await startSandbox({ host: '127.0.0.1' })
  graph = await startFakeGraph()
  echo = await startEcho()
  app = await startGrantway(
    {
      ...sandbox.endpoints,
      GRANTWAY_MICROSOFT_TOKEN_URL: graph.endpoints.tokenUrl,
      GRANTWAY_MICROSOFT_GRAPH_URL: graph.url,
      GRANTWAY_YAHOO_TOKEN_URL: echo.url,
      GRANTWAY_YAHOO_USERINFO_URL: echo.url,
      GRANTWAY_ZOOM_TOKEN_URL: echo.url,
      GRANTWAY_ZOOM_API_URL: echo.url,
      GRANTWAY_ICLOUD_IMAP: '127.0.0.1:1',
      GRANTWAY_ICLOUD_SMTP: '127.0.0.1:1',
    },
    { log: kept.log },
  )
  watch.add('api key', app.key)
})
after(async () => {
  await app.stop()
  await echo.stop()
  await graph.stop()
  await sandbox.stop()
})

type EchoMode = 'refused' | 'wrong client' | 'failing' | 'malformed' | 'no tokens' | 'throttled' | 'hung up'
interface Echo {
  readonly url: string
  mode: EchoMode
  readonly seen: string[]
  stop(): Promise<void>
}

/** A provider at its worst: whatever it is sent, it says so in its answer. */
async function startEcho(): Promise<Echo> {
  const answers: { readonly [mode in EchoMode]: (said: string) => readonly [number, string] | null } = {
    refused: (said) => [
      400,
      JSON.stringify({ error: 'invalid_grant', error_description: said, reason: said }),
    ],
    'wrong client': (said) => [
      401,
      JSON.stringify({ error: 'invalid_client', error_description: said, error_codes: [said] }),
    ],
    failing: (said) => [500, said],
    malformed: (said) => [200, `{"access_token": "${said}`],
    'no tokens': (said) => [200, JSON.stringify({ error: said, said })],
    throttled: (said) => [429, JSON.stringify({ error: said, error_uri: said })],
    'hung up': () => null,
  }
  const echo = { mode: 'refused' as EchoMode, seen: [] as string[] }
  const server = createServer((request: IncomingMessage, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8')
      const basic = request.headers.authorization ?? ''
      const opened = Buffer.from(basic.replace(/^Basic /, ''), 'base64').toString('utf8')
      const said = `${body} ${basic} ${opened} ${decodeURIComponent(body)}`
      echo.seen.push(said)
      const answer = answers[echo.mode](said)
      if (answer) response.writeHead(answer[0], { 'content-type': 'application/json' }).end(answer[1])
      else request.socket.destroy()
    })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return Object.assign(echo, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`,
    stop: () =>
      new Promise<void>((done) => {
        server.close(() => done())
        server.closeAllConnections()
      }),
  })
}

async function call(
  on: GrantwayApp,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<ApiAnswer> {
  const answer = await on.call(method, path, body, headers)
  watch.keep(`${method} ${path}`, answer)
  return answer
}

const connect = (on: GrantwayApp, provider: string, settings: object) =>
  call(on, 'POST', '/v3/connect/custom', { provider, settings })

const CONNECTORS = ['google', 'microsoft', 'yahoo', 'zoom'] as const

/** Makes a connector of every provider with a client; its secret is planted where the provider does not check it. */
async function makeConnectors(
  on: GrantwayApp,
  secrets: { readonly [provider: string]: string },
): Promise<void> {
  for (const provider of CONNECTORS) {
    const id = provider === 'google' ? 'sandbox-client-id' : FAKE_CLIENT.clientId
    const made = await call(on, 'POST', '/v3/connectors', {
      provider,
      settings: {
        client_id: id,
        client_secret: secrets[provider] ?? watch.plant(`client-secret-${provider}`),
        ...(provider === 'microsoft' ? { tenant: 'contoso.example' } : {}),
      },
      ...(provider === 'microsoft' ? { scope: ['Mail.Read', 'User.Read'] } : {}),
    })
    assert.equal(made.status, 201, made.text)
  }
  for (const provider of ['imap', 'icloud']) await call(on, 'POST', '/v3/connectors', { provider })
}

/** Reads all that can be read. */
async function readEverything(on: GrantwayApp): Promise<void> {
  for (const path of [
    'applications',
    'connectors',
    'grants',
    ...CONNECTORS.map((name) => `connectors/${name}/creds`),
  ]) {
    const { body } = await call(on, 'GET', `/v3/${path}`)
    for (const { id } of Array.isArray(body.data) ? body.data : []) {
      if (id !== undefined) await call(on, 'GET', `/v3/${path}/${id}`)
    }
  }
}

async function assertClean(on: GrantwayApp, proof: string): Promise<void> {
  const files = await kept.filesOf(on.dataDir)
  assert.ok(
    files.length >= 1 && files.some(({ bytes }) => bytes.includes(proof)),
    'the files are looked into',
  )
  assert.ok(kept.text().length > 1_000, 'the log is kept')
  watch.assertClean([{ name: 'the log', bytes: kept.text() }, ...files])
}

test('grants that work, and then die, show no secret', async () => {
  const secrets = {
    google: watch.add('google client secret', 'sandbox-client-secret'),
    microsoft: watch.add('microsoft client secret', FAKE_CLIENT.clientSecret),
  }
  await makeConnectors(app, secrets)
  // Every token that the stand-ins give out begins so.
  watch.add('an access token of the sandbox', 'ya29.sandbox-')
  const google = watch.add('google refresh token', sandbox.control.mintRefreshToken('ada@sandbox.example'))
  const microsoft = watch.add('microsoft refresh token', graph.tokens.mint('ada@contoso.example'))
  const key = sandbox.control.serviceAccountKey()
  for (const [at, line] of (key['private_key'] ?? '').split('\n').slice(1, -2).entries()) {
    watch.add(`line ${at} of the service account's key`, line)
  }
  const account = await call(app, 'POST', '/v3/connectors/google/creds', {
    name: 'service account',
    credential_type: 'serviceaccount',
    credential_data: key,
  })
  const consent = await call(app, 'POST', '/v3/connectors/microsoft/creds', {
    name: 'consent',
    credential_type: 'adminconsent',
    credential_data: {
      client_id: FAKE_CLIENT.clientId,
      client_secret: FAKE_CLIENT.clientSecret,
      tenant: 'contoso.example',
    },
  })
  const grants = [
    await connect(app, 'google', { refresh_token: google }),
    await connect(app, 'google', {
      credential_id: account.body.data.id,
      email_address: 'kim@workspace.sandbox.example',
    }),
    await connect(app, 'microsoft', { refresh_token: microsoft }),
    await connect(app, 'microsoft', {
      credential_id: consent.body.data.id,
      email_address: 'bob@contoso.example',
    }),
  ]
  for (const { status, text } of grants) assert.equal(status, 201, text)
  const ids = grants.map(({ body }) => body.data.id as string)
  const readAll = async (statuses: readonly number[]) => {
    for (const id of ids) {
      for (const path of ['messages?limit=2&fields=raw_mime', 'folders?limit=2']) {
        const { status, text } = await call(app, 'GET', `/v3/grants/${id}/${path}`)
        assert.ok(statuses.includes(status), `${path}: ${text}`)
      }
    }
  }
  await readAll([200])
  // A second time around with new tokens, and with tokens that the API refuses.
  app.clock.advance(2 * HOUR_MS)
  await readAll([200, 504]) // a service account's token from the future is refused
  graph.tokens.expireAccessTokens()
  sandbox.control.expireAccessTokens()
  await readAll([200, 504])
  for (const mode of ['html', '503', 'drop-after'] as const) {
    app.clock.advance(2 * HOUR_MS)
    sandbox.control.fail({ target: 'token', mode, times: 2 })
    graph.tokens.failNext(503, { error: 'temporarily_unavailable' })
    await readAll([200, 429, 504])
    sandbox.control.fail({ target: 'token', mode, times: 0 })
  }
  app.clock.advance(2 * HOUR_MS)
  const newest = watch.add('second refresh token', sandbox.control.mintRefreshToken('ada@sandbox.example'))
  await call(app, 'PATCH', `/v3/grants/${ids[0]}`, { settings: { refresh_token: newest } })
  const wrong = watch.plant('refused-refresh-token')
  await call(app, 'PATCH', `/v3/grants/${ids[0]}`, { settings: { refresh_token: wrong } })
  await call(app, 'PATCH', '/v3/connectors/google', {
    settings: { client_id: 'sandbox-client-id', client_secret: watch.plant('wrong-client-secret') },
  })
  app.clock.advance(2 * HOUR_MS)
  await readAll([200, 401, 429, 504])
  sandbox.control.revokeUser('ada@sandbox.example')
  await call(app, 'PATCH', '/v3/connectors/google', { settings: { client_secret: 'sandbox-client-secret' } })
  app.clock.advance(2 * HOUR_MS)
  await readAll([200, 401, 429, 504])
  await readEverything(app)
  await call(app, 'DELETE', `/v3/grants/${ids[2]}`)
  assert.ok(graph.tokens.calls.length > 4 && sandbox.control.tokenLog().length > 4)
  assert.doesNotMatch(kept.text(), /\b(access|refresh)-[0-9a-f]{8}-[0-9a-f]{4}-/)
  await assertClean(app, ids[0] ?? '')
})

test('a provider that quotes what it was sent is not quoted', async () => {
  const quoting = await startGrantway(
    {
      GRANTWAY_GOOGLE_TOKEN_URL: echo.url,
      GRANTWAY_GOOGLE_USERINFO_URL: echo.url,
      GRANTWAY_MICROSOFT_TOKEN_URL: echo.url,
      GRANTWAY_MICROSOFT_GRAPH_URL: echo.url,
      GRANTWAY_YAHOO_TOKEN_URL: echo.url,
      GRANTWAY_YAHOO_USERINFO_URL: echo.url,
      GRANTWAY_ZOOM_TOKEN_URL: echo.url,
      GRANTWAY_ZOOM_API_URL: echo.url,
    },
    { log: kept.log },
  )
  try {
    watch.add('second api key', quoting.key)
    await makeConnectors(quoting, {})
    const account = await call(quoting, 'POST', '/v3/connectors/google/creds', {
      name: 'service account',
      credential_type: 'serviceaccount',
      credential_data: sandbox.control.serviceAccountKey(),
    })
    const consent = await call(quoting, 'POST', '/v3/connectors/microsoft/creds', {
      name: 'consent',
      credential_type: 'adminconsent',
      credential_data: {
        client_id: 'id',
        client_secret: watch.plant('adminconsent'),
        tenant: 'contoso.example',
      },
    })
    for (const mode of [
      'refused',
      'wrong client',
      'failing',
      'malformed',
      'no tokens',
      'throttled',
      'hung up',
    ] as const) {
      echo.mode = mode
      for (const provider of CONNECTORS) {
        const token = watch.plant(`${provider}-${mode.replaceAll(' ', '-')}`)
        const answer = await connect(quoting, provider, { refresh_token: token })
        assert.ok(answer.status >= 400, `${provider} ${mode}: ${answer.text}`)
        assert.ok(
          echo.seen.some((said) => said.includes(token)),
          `${provider} ${mode} was asked`,
        )
      }
      await connect(quoting, 'google', { credential_id: account.body.data.id, email_address: 'a@b.example' })
      await connect(quoting, 'microsoft', {
        credential_id: consent.body.data.id,
        email_address: 'a@b.example',
      })
    }
    assert.ok(echo.seen.some((said) => said.includes('CANARY-adminconsent')))
    await readEverything(quoting)
    await assertClean(quoting, consent.body.data.id)
  } finally {
    await quoting.stop()
  }
})

test('requests that fit nothing are not quoted in their answer', async () => {
  const secret = () => watch.plant('misplaced')
  const bodies: readonly unknown[] = [
    `{"provider":"google","settings":{"refresh_token":"${secret()}`,
    `"${secret()}"`,
    { provider: secret(), settings: {} },
    { provider: 'google', settings: { refresh_token: [secret()] } },
    { provider: 'google', settings: secret() },
    { provider: 'google', settings: { password: secret() } },
    { provider: 'google', settings: { credential_id: 'none', refresh_token: secret() } },
    { provider: 'ews', settings: { username: 'a@b.example', password: secret() } },
    {
      provider: 'imap',
      settings: { imap_username: 'a@b.example', imap_password: secret(), imap_host: '127.0.0.1' },
    },
    {
      provider: 'imap',
      settings: { imap_username: 'a@b.example', imap_password: `${secret()}\r\n`, imap_host: 'x' },
    },
    {
      provider: 'imap',
      settings: { imap_username: 'no address', imap_password: secret(), smtp_password: secret() },
    },
    { provider: 'icloud', settings: { username: 'a@icloud.com', password: secret() } },
    { provider: 'icloud', settings: { username: 'no address', password: secret() } },
    { provider: 'virtual-calendar', settings: { email: 'room', password: secret() } },
  ]
  for (const body of bodies) {
    for (const [method, path] of [
      ['POST', '/v3/connect/custom'],
      ['POST', '/v3/connectors'],
      ['PATCH', '/v3/connectors/google'],
      ['POST', '/v3/connectors/google/creds'],
    ] as const) {
      const text = typeof body === 'string' ? body : JSON.stringify(body)
      const response = await fetch(app.url + path, {
        method,
        headers: { authorization: `Bearer ${app.key}`, 'content-type': 'application/json' },
        body: text,
      })
      watch.keep(`${method} ${path}`, { text: await response.text(), headers: response.headers })
    }
  }
  for (const authorization of [`Bearer ${secret()}`, `Basic ${btoa(`${secret()}:`)}`, secret()]) {
    const { status } = await call(app, 'GET', '/v3/grants', undefined, { authorization })
    assert.equal(status, 401)
  }
  await assertClean(app, 'virtual-calendar')
})
