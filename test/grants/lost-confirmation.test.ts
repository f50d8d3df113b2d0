import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type RunningServer, startServer } from '../../src/app/serve.ts'
import { loadConfig } from '../../src/config/load.ts'
import { appError } from '../../src/contract/errors.ts'
import type { Database, Stores } from '../../src/core/ports/stores.ts'
import { silentLogger } from '../../src/kit/logger.ts'
import { movableClock } from '../support/grantway-app.ts'
import { type FakeZoom, startFakeZoom, ZOOM_CLIENT } from '../support/fake-zoom.ts'
import { callApi } from '../support/server-process.ts'

// A statement that is durable while its confirmation is lost with the connection: what PostgreSQL can do to us at each
// of them. Here the embedded database's answers are withheld in the same way.

const KEY = 'lost-confirmation-key-of-more-than-32-characters'
const HOUR_MS = 3_600_000

/** How often each step was made since the last `lose`. */
const made = new Map<string, number>()
/** The step whose confirmation is lost: `store.method` or `transaction`, and which of them. */
let losing = ''

function lose(step: string): void {
  made.clear()
  losing = step
}

let zoom: FakeZoom
let server: RunningServer
let folder: string
const clock = movableClock()

async function confirmed<T>(step: string, work: Promise<T>): Promise<T> {
  const result = await work
  const count = (made.get(step) ?? 0) + 1
  made.set(step, count)
  if (losing !== `${step}:${count}`) return result
  losing = ''
  throw appError('api.unavailable')
}

function lossy(database: Database): Database {
  const stores = new Proxy(database.stores, {
    get: (target, name: keyof Stores) =>
      new Proxy(target[name], {
        get: (store: object, method) => {
          const found: unknown = Reflect.get(store, method)
          if (typeof found !== 'function') return found
          return (...args: unknown[]) =>
            confirmed(`${name}.${String(method)}`, Promise.resolve(Reflect.apply(found, store, args)))
        },
      }),
  })
  return {
    ...database,
    stores,
    transaction: (work) => confirmed('transaction', database.transaction(work)),
  }
}

before(async () => {
  zoom = await startFakeZoom()
  folder = await mkdtemp(join(tmpdir(), 'grantway-lost-'))
  const config = loadConfig({
    GRANTWAY_PORT: '0',
    GRANTWAY_DATA_DIR: folder,
    GRANTWAY_API_KEY: KEY,
    GRANTWAY_ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    GRANTWAY_ZOOM_TOKEN_URL: zoom.endpoints.tokenUrl,
    GRANTWAY_ZOOM_API_URL: zoom.endpoints.apiUrl,
  })
  server = await startServer(config, 'all', silentLogger, { clock, wrapDatabase: lossy })
  const settings = { client_id: ZOOM_CLIENT.clientId, client_secret: ZOOM_CLIENT.clientSecret }
  const connector = await callApi(server, KEY, 'POST', '/v3/connectors', { provider: 'zoom', settings })
  assert.equal(connector.status, 201)
})
after(async () => {
  await server.stop()
  await zoom.stop()
  await rm(folder, { recursive: true, force: true })
})

const connect = (refreshToken: string) =>
  callApi(server, KEY, 'POST', '/v3/connect/custom', {
    provider: 'zoom',
    settings: { refresh_token: refreshToken },
  })

for (const step of ['seenTokens.insertAttempt:1', 'transaction:1', 'transaction:2']) {
  test(`connect/custom goes on when the confirmation of ${step} is lost`, async () => {
    const token = zoom.mint(`${step}@zoom.example`)
    lose(step)
    const first = await connect(token)
    assert.equal(losing, '', 'the step was not made')
    assert.ok(first.status === 201 || first.status === 503, JSON.stringify(first.body))
    const again = await connect(token)
    assert.equal(again.status, 201, JSON.stringify(again.body))
    assert.equal(zoom.replays(), 0)
  })
}

for (const step of ['secrets.takeLease:1', 'connectors.find:2', 'transaction:1']) {
  test(`a refresh goes on when the confirmation of ${step} is lost`, async () => {
    const token = zoom.mint(`refresh-${step}@zoom.example`)
    const { id } = (await connect(token)).body.data
    clock.advance(2 * HOUR_MS)
    lose(step)
    const first = await connect(token)
    assert.equal(losing, '', 'the step was not made')
    assert.ok(first.status === 201 || first.status === 503, JSON.stringify(first.body))
    const again = await connect(token)
    assert.equal(again.status, 201, JSON.stringify(again.body))
    assert.equal(again.body.data.id, id)
    assert.equal(zoom.replays(), 0)
  })
}

test('a refresh that is refused while the database is away is not left open', async () => {
  const token = zoom.mint('refused@zoom.example')
  const { id } = (await connect(token)).body.data
  clock.advance(2 * HOUR_MS)
  zoom.failNext(401, { reason: 'Invalid Token!', error: 'invalid_request' })
  // The look at the row after the refusal; two come before the call.
  lose('secrets.find:3')
  assert.equal((await connect(token)).status, 401)
  assert.equal(losing, '', 'the step was not made')
  const grant = await callApi(server, KEY, 'GET', `/v3/grants/${id}`)
  assert.equal(grant.body.data.grant_status, 'invalid')
})

test('an unfinished exchange is renewed when the confirmation of its attempt is lost', async () => {
  const token = zoom.mint('pending@zoom.example')
  zoom.failNextMe(503, {})
  assert.equal((await connect(token)).status, 504)
  clock.advance(2 * HOUR_MS)
  lose('pendingSecrets.update:1')
  assert.equal((await connect(token)).status, 503)
  const again = await connect(token)
  assert.equal(again.status, 201, JSON.stringify(again.body))
  assert.equal(zoom.replays(), 0)
})
