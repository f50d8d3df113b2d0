import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { type Sandbox, startSandbox } from '../../src/sandbox/start-sandbox.ts'
import { type FakeZoom, startFakeZoom, ZOOM_CLIENT } from '../support/fake-zoom.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { type ServerProcess, startServerProcess } from '../support/server-process.ts'
import { until } from './token-provider.ts'

const KEY = `refresh-nodes-key-${randomBytes(16).toString('hex')}`
const GRANTS = 120

let postgres: TestPostgres
let database: pg.Client
let sandbox: Sandbox
let zoom: FakeZoom
let environment: Record<string, string>
const running: ServerProcess[] = []

before(async () => {
  postgres = await startPostgres()
  const url = await postgres.createDatabase()
  sandbox = await startSandbox({ host: '127.0.0.1' })
  zoom = await startFakeZoom()
  environment = {
    GRANTWAY_PORT: '0',
    GRANTWAY_DATABASE_URL: url,
    GRANTWAY_API_KEY: KEY,
    GRANTWAY_ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    // Slow enough that all of them have started before everything is done.
    GRANTWAY_REFRESH_RATE: '44',
    GRANTWAY_RATE_LIMIT_FACTOR: '0',
    ...sandbox.endpoints,
    GRANTWAY_ZOOM_TOKEN_URL: zoom.endpoints.tokenUrl,
    GRANTWAY_ZOOM_API_URL: zoom.endpoints.apiUrl,
  }
  await start('api')
  database = new pg.Client({ connectionString: url })
  await database.connect()
  for (const [provider, settings] of [
    ['zoom', { client_id: ZOOM_CLIENT.clientId, client_secret: ZOOM_CLIENT.clientSecret }],
    ['google', { client_id: 'sandbox-client-id', client_secret: 'sandbox-client-secret' }],
  ] as const) {
    await call('POST', '/v3/connectors', { provider, settings })
  }
})
after(async () => {
  await Promise.all(running.map((server) => server.end('SIGTERM')))
  await database.end()
  await zoom.stop()
  await sandbox.stop()
  await postgres.stop()
})

async function start(role: 'api' | 'worker'): Promise<ServerProcess> {
  const server = await startServerProcess(['src/cli/main.ts', 'serve', '--role', role], environment)
  running.push(server)
  return server
}

async function call(method: string, path: string, body?: object) {
  const response = await fetch(`${running[0]?.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${KEY}`,
      ...(body ? { 'content-type': 'application/json' } : {}),
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
  const text = await response.text()
  assert.ok(response.ok, text)
  return JSON.parse(text)
}

const connect = async (provider: 'zoom' | 'google', refreshToken: string): Promise<string> =>
  (await call('POST', '/v3/connect/custom', { provider, settings: { refresh_token: refreshToken } })).data.id

describe('several processes over one database', () => {
  test('refresh each due grant once, whichever process claims it', async () => {
    const emails = Array.from({ length: GRANTS }, (_, at) => `node-${at}@zoom.example`)
    for (let at = 0; at < GRANTS; at += 10) {
      await Promise.all(emails.slice(at, at + 10).map((email) => connect('zoom', zoom.mint(email))))
    }
    await database.query('update grant_secrets set next_refresh_at_ms = 1')
    await Promise.all([start('worker'), start('worker'), start('worker')])
    await until('all are refreshed', async () => {
      const { rows } = await database.query(
        'select count(*)::int as left from grant_secrets where version < 2',
      )
      return rows[0].left === 0
    })
    assert.equal(zoom.replays(), 0)
    assert.deepEqual([...new Set(emails.map((email) => zoom.tokenCallsOf(email)))], [2])
    const { rows } = await database.query(
      'select count(*)::int as due from grant_secrets where next_refresh_at_ms < $1 or attempt_id is not null',
      [Date.now() + 3_000_000],
    )
    assert.equal(rows[0].due, 0)
  })

  test('a process without jobs writes down what it used when it ends', async () => {
    const id = await connect('google', sandbox.control.mintRefreshToken('ada@sandbox.example'))
    const farMs = Date.now() + 7 * 86_400_000
    await database.query(
      'update grant_secrets set next_refresh_at_ms = $1, last_used_at_ms = null where grant_id = $2',
      [farMs, id],
    )
    await call('GET', `/v3/grants/${id}/messages?limit=1`)
    await running[0]?.end('SIGTERM')
    const { rows } = await database.query('select * from grant_secrets where grant_id = $1', [id])
    assert.ok(Number(rows[0].next_refresh_at_ms) < Date.now() + 3_600_000)
    assert.ok(Number(rows[0].last_used_at_ms) > 0)
  })
})
