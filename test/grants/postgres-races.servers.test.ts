import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { type RunningServer, startServer } from '../../src/app/serve.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { Database, Stores } from '../../src/core/ports/stores.ts'
import { silentLogger } from '../../src/kit/logger.ts'
import { type FakeZoom, startFakeZoom, ZOOM_CLIENT } from '../support/fake-zoom.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { callApi } from '../support/server-process.ts'
import { type Fleet, startFleet } from './server-fleet.ts'

// Two transactions of one grant, stopped where they can hurt each other. SQLite knows no such moments: one writer at a
// time.

const KEY = 'race-test-api-key-of-more-than-32-characters'
const CONNECTOR = {
  provider: 'zoom',
  settings: { client_id: ZOOM_CLIENT.clientId, client_secret: ZOOM_CLIENT.clientSecret },
}
const zoomGrant = (refreshToken: string) => ({
  provider: 'zoom',
  settings: { refresh_token: refreshToken },
})

let postgres: TestPostgres
let zoom: FakeZoom
before(async () => {
  postgres = await startPostgres()
  zoom = await startFakeZoom()
})
after(async () => {
  await zoom.stop()
  await postgres.stop()
})
const zoomEndpoints = () => ({
  GRANTWAY_ZOOM_TOKEN_URL: zoom.endpoints.tokenUrl,
  GRANTWAY_ZOOM_API_URL: zoom.endpoints.apiUrl,
})

async function query<T extends object>(url: string, text: string): Promise<readonly T[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const { rows } = await client.query<T>(text)
    return rows
  } finally {
    await client.end()
  }
}

/** Where a transaction is stopped: after that step of it. */
interface Gate {
  readonly step: string
  readonly reached: () => void
  readonly open: Promise<void>
}

describe('two transactions of one grant', () => {
  let server: RunningServer
  let url: string
  let gate: Gate | null = null

  /** Stops the next transaction that makes the step. */
  function stopAfter(step: string): { readonly reached: Promise<void>; readonly release: () => void } {
    let reached = () => {}
    let release = () => {}
    const promise = new Promise<void>((resolve) => {
      reached = resolve
    })
    const open = new Promise<void>((resolve) => {
      release = resolve
    })
    gate = { step, reached: () => reached(), open }
    return { reached: promise, release: () => release() }
  }

  const gated = (database: Database): Database => ({
    ...database,
    transaction: (work) => database.transaction((stores) => work(gatedStores(stores))),
  })
  const gatedStores = (stores: Stores): Stores =>
    new Proxy(stores, {
      get: (target, name: keyof Stores) =>
        new Proxy(target[name], {
          get: (store: object, method) => {
            const found: unknown = Reflect.get(store, method)
            if (typeof found !== 'function') return found
            return async (...args: unknown[]) => {
              const result: unknown = await Reflect.apply(found, store, args)
              const here = gate
              if (here?.step === `${name}.${String(method)}`) {
                gate = null
                here.reached()
                await here.open
              }
              return result
            }
          },
        }),
    })

  before(async () => {
    url = await postgres.createDatabase()
    const config = loadConfig({
      GRANTWAY_PORT: '0',
      GRANTWAY_DATABASE_URL: url,
      GRANTWAY_API_KEY: KEY,
      GRANTWAY_ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
      ...zoomEndpoints(),
    })
    server = await startServer(config, 'api', silentLogger, { wrapDatabase: gated })
    assert.equal((await callApi(server, KEY, 'POST', '/v3/connectors', CONNECTOR)).status, 201)
  })
  after(() => server.stop())

  const connect = (token: string) => callApi(server, KEY, 'POST', '/v3/connect/custom', zoomGrant(token))

  /** Until a statement waits for another transaction, or `isDone`. The asking takes the time. */
  async function untilBlocked(isDone: () => boolean): Promise<void> {
    const waiting = `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
    while (!isDone() && (await query(url, waiting)).length === 0);
  }

  async function race<T>(first: Promise<T>): Promise<{ readonly isDone: () => boolean }> {
    let done = false
    const note = () => {
      done = true
    }
    first.then(note, note)
    return { isDone: () => done }
  }

  test('a grant deleted while its refresh is being stored is deleted, and nobody runs into the other', async () => {
    const token = zoom.mint('deleted@zoom.example')
    const { id } = (await connect(token)).body.data
    const stopped = stopAfter('secrets.store')
    const refreshing = connect(token)
    await stopped.reached
    const deleting = callApi(server, KEY, 'DELETE', `/v3/grants/${id}`)
    const { isDone } = await race(deleting)
    await untilBlocked(isDone)
    stopped.release()
    const deleted = await deleting
    assert.equal(deleted.status, 200, JSON.stringify(deleted.body))
    const refreshed = await refreshing
    assert.ok([201, 404].includes(refreshed.status), JSON.stringify(refreshed.body))
    assert.equal((await callApi(server, KEY, 'GET', `/v3/grants/${id}`)).status, 404)
  })

  test('a sign-in that lands while an old refusal is being written down wins', async () => {
    const email = 'refused@zoom.example'
    const token = zoom.mint(email)
    const { id } = (await connect(token)).body.data
    zoom.failNext(401, { reason: 'Invalid Token!', error: 'invalid_request' })
    const stopped = stopAfter('secrets.find')
    const refusing = connect(token)
    await stopped.reached
    const signingIn = connect(zoom.mint(email))
    const { isDone } = await race(signingIn)
    await untilBlocked(isDone)
    stopped.release()
    assert.equal((await signingIn).body.data?.id, id, JSON.stringify((await signingIn).body))
    await refusing
    const grant = await callApi(server, KEY, 'GET', `/v3/grants/${id}`)
    assert.equal(grant.body.data.grant_status, 'valid')
  })

  test('a label that is written while a refusal comes does not bring the grant back', async () => {
    const token = zoom.mint('relabelled@zoom.example')
    const { id } = (await connect(token)).body.data
    const stopped = stopAfter('grants.findLocked')
    const relabelling = callApi(server, KEY, 'PATCH', `/v3/grants/${id}`, { scope: ['user:read:user'] })
    await stopped.reached
    zoom.failNext(401, { reason: 'Invalid Token!', error: 'invalid_request' })
    const refusing = connect(token)
    const { isDone } = await race(refusing)
    await untilBlocked(isDone)
    stopped.release()
    assert.equal((await relabelling).status, 200)
    assert.equal((await refusing).status, 401)
    const grant = await callApi(server, KEY, 'GET', `/v3/grants/${id}`)
    assert.equal(grant.body.data.grant_status, 'invalid')
  })
})

describe('a process that lives and has lost the connection that shows it', () => {
  let fleet: Fleet
  let url: string
  before(async () => {
    url = await postgres.createDatabase()
    fleet = await startFleet(2, url, zoomEndpoints())
  })
  after(() => fleet.stop())

  for (const kind of ['refresh', 'first exchange'] as const) {
    test(`is not taken over while its ${kind} may still be answered`, async () => {
      const [one, two] = fleet.servers
      assert.ok(one && two)
      await fleet.call(one, 'POST', '/v3/connectors', CONNECTOR)
      const connect = (server: typeof one, token: string) =>
        fleet.call(server, 'POST', '/v3/connect/custom', zoomGrant(token))
      const email = `${kind.replace(' ', '-')}@zoom.example`
      const token = zoom.mint(email)
      if (kind === 'refresh') assert.equal((await connect(one, token)).status, 201)
      const calls = zoom.tokenCallsOf(email)
      const held = zoom.hold('token')
      const slow = connect(one, token)
      await held.first
      const [holder] = await query<{ readonly pid: number }>(url, holderOf(kind))
      assert.ok(holder)
      // Stopped, so that it can't take the lock again.
      process.kill(one.pid, 'SIGSTOP')
      await query(url, `select pg_terminate_backend(${holder.pid})`)
      const waiting = connect(two, token)
      for (let i = 0; i < 200; i++) await fleet.call(two, 'GET', '/v3/grants')
      const made = zoom.tokenCallsOf(email) - calls
      process.kill(one.pid, 'SIGCONT')
      held.release()
      assert.equal(made, 1)
      const answers = [await slow, await waiting]
      for (const { status, text } of answers) assert.equal(status, 201, text)
      assert.equal(new Set(answers.map(({ body }) => body.data.id)).size, 1)
      assert.equal(zoom.replays(), 0)
    })
  }

  /** The backend whose lock says that the holder of the one open attempt lives. The lock's name is a digest. */
  function holderOf(kind: 'refresh' | 'first exchange'): string {
    const table = kind === 'refresh' ? 'grant_secrets' : 'seen_tokens'
    return `
      select l.pid from pg_locks l, ${table} t
      where t.attempt_holder is not null and l.locktype = 'advisory' and l.granted
        and l.database = (select oid from pg_database where datname = current_database())
        and l.classid::bigint = ('x' || substr(d.digest, 1, 8))::bit(32)::bigint
        and l.objid::bigint = ('x' || substr(d.digest, 9, 8))::bit(32)::bigint`.replace(
      `${table} t`,
      `${table} t cross join lateral
        (select encode(sha256(('grantway holder ' || t.attempt_holder)::bytea), 'hex') as digest) d`,
    )
  }
})
