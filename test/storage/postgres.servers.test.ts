import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { EventEmitter, once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import pg from 'pg'
import type { Database } from '../../src/core/ports/stores.ts'
import { AppError } from '../../src/kit/app-error.ts'
import { randomIds } from '../../src/kit/ids.ts'
import { silentLogger } from '../../src/kit/logger.ts'
import { openPostgresDatabase } from '../../src/storage/engines/postgres.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { anApplication, newApplicationId } from './records.ts'
import { describeStorage } from './suite.ts'

const open = (url: string, clockOffsetMs = 0) =>
  openPostgresDatabase({ url, poolSize: 10, ids: randomIds, logger: silentLogger, clockOffsetMs })

async function ask(url: string, text: string): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(text)).rows
  } finally {
    await client.end()
  }
}

describeStorage('postgres', async () => {
  const server = await startPostgres()
  const url = await server.createDatabase()
  const handles: Database[] = []
  const another = async (clockOffsetMs?: number) => {
    const handle = await open(url, clockOffsetMs)
    handles.push(handle)
    return handle
  }
  const [database, other] = [await another(), await another()]
  await database.migrate()
  return {
    database,
    other: async () => other,
    later: (ms) => another(ms),
    async close() {
      await Promise.all(handles.map((handle) => handle.close()))
      await server.stop()
    },
  }
})

describe('PostgreSQL', () => {
  let server: TestPostgres
  before(async () => {
    server = await startPostgres()
  })
  after(() => server.stop())

  test('is migrated once when several processes start at the same time', async () => {
    const url = await server.createDatabase()
    const handles = await Promise.all([open(url), open(url), open(url)])
    const missing = await handles[0]!.pendingMigrations()
    assert.ok(missing.length > 0)
    const applied = await Promise.all(handles.map((handle) => handle.migrate()))
    assert.deepEqual(applied.flat(), missing)
    assert.deepEqual(await handles[1]!.pendingMigrations(), [])
    await ask(url, "insert into schema_migrations values ('9999-from-the-future', 0)")
    await assert.rejects(handles[0]!.migrate(), /newer version of Grantway.*9999-from-the-future/)
    await Promise.all(handles.map((handle) => handle.close()))
  })

  test('knows another process as alive until it is gone, through a lost connection', async () => {
    const url = await server.createDatabase()
    const events = new EventEmitter()
    const logger = { ...silentLogger, info: (_: object, event: string) => void events.emit(event) }
    const retaken = once(events, 'liveness-lock-retaken')
    const one = await open(url)
    const two = await openPostgresDatabase({ url, poolSize: 2, ids: randomIds, logger })
    assert.notEqual(one.liveness.self, two.liveness.self)
    const asks = await Promise.all(Array.from({ length: 10 }, () => one.liveness.isAlive(two.liveness.self)))
    assert.ok(asks.every(Boolean))
    const held = await ask(
      url,
      `select pg_terminate_backend(pid) from pg_locks
        where locktype = 'advisory'
          and database = (select oid from pg_database where datname = current_database())`,
    )
    assert.equal(held.length, 2)
    await retaken
    assert.equal(await one.liveness.isAlive(two.liveness.self), true)
    await two.close()
    // Who has lost its own lock a moment ago can't tell whether another one is still about to retake its.
    assert.equal(await one.liveness.isAlive(two.liveness.self), true)
    const three = await open(url)
    assert.equal(await three.liveness.isAlive(two.liveness.self), false)
    // Nor does it count as dead before it has had the time to.
    const [{ now = 0 } = {}] = (await ask(
      url,
      'select floor(extract(epoch from clock_timestamp()) * 1000)::float as now',
    )) as readonly { readonly now?: number }[]
    const gone = { holder: two.liveness.self }
    assert.equal(await three.liveness.mayAnswer({ ...gone, startedAtMs: now }), true)
    assert.equal(await three.liveness.mayAnswer({ ...gone, startedAtMs: now - 30_000 }), false)
    await Promise.all([one.close(), three.close()])
  })

  test('keeps showing that it lives when it is paused just while it asks whether its connection stands', async () => {
    const url = await server.createDatabase()
    const sockets: Socket[] = []
    const noteSocket = (message: unknown) =>
      void sockets.push((message as { readonly socket: Socket }).socket)
    const lost: string[] = []
    const logger = { ...silentLogger, warn: (_: object, event: string) => void lost.push(event) }
    subscribe('net.client.socket', noteSocket)
    const heartbeatMs = 20
    const one = await openPostgresDatabase({ url, poolSize: 2, ids: randomIds, logger, heartbeatMs })
    unsubscribe('net.client.socket', noteSocket)
    const [socket, ...others] = sockets
    assert.ok(socket && others.length === 0)
    // Asked in a timer's turn; the answer is read in the next one at the earliest, so that the pause comes between.
    for (let pauses = 0, written = socket.bytesWritten; pauses < 3 && lost.length === 0; await nextTurn()) {
      if (socket.bytesWritten === written) continue
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10 * heartbeatMs)
      written = socket.bytesWritten
      pauses += 1
    }
    await one.close()
    assert.deepEqual(lost, [])
  })

  test('answers unavailable while the server cannot be reached, and works again afterwards', async () => {
    const url = new URL(await server.createDatabase())
    const proxy = await startProxy(Number(url.port))
    url.port = String(proxy.port)
    const database = await open(url.href)
    await database.migrate()
    const record = anApplication()
    await proxy.cut()
    const isUnavailable = (error: unknown) =>
      error instanceof AppError && error.status === 503 && error.extras.retryAfterSeconds === 2
    for (const call of [
      () => database.ping(),
      () => database.stores.applications.find(newApplicationId()),
      () => database.stores.applications.insert(record),
      () => database.transaction((inside) => inside.applications.insert(record)),
      () => database.migrate(),
      () => database.liveness.isAlive('somebody'),
      () => open(url.href),
    ]) {
      await assert.rejects(call(), isUnavailable)
    }
    await proxy.restore()
    await database.stores.applications.insert(record)
    assert.deepEqual(await database.stores.applications.find(record.id), record)
    await database.close()
    await proxy.close()
  })

  test('rolls back and answers unavailable when the connection is lost inside a transaction', async () => {
    const url = await server.createDatabase()
    const database = await open(url)
    await database.migrate()
    const record = anApplication()
    await assert.rejects(
      database.transaction(async (inside) => {
        await inside.applications.insert(record)
        await ask(
          url,
          `select pg_terminate_backend(pid) from pg_stat_activity
            where datname = current_database() and state = 'idle in transaction'`,
        )
        await inside.applications.update({ ...record, name: 'lost' })
      }),
      { status: 503 },
    )
    assert.equal(await database.stores.applications.find(record.id), null)
    await database.close()
  })

  test('answers a text too long for an index as a bad request', async () => {
    const url = await server.createDatabase()
    const database = await open(url)
    await database.migrate()
    const long = Array.from({ length: 10_000 }, (_, at) => at.toString(36)).join('')
    const key = {
      applicationId: newApplicationId(),
      provider: 'google',
      clientId: long,
      digest: 'd',
    } as const
    await assert.rejects(database.stores.seenTokens.insertAttempt(key, { id: 'a', holder: 'h' }), {
      status: 400,
    })
    await database.close()
  })

  test('compares ids by their bytes, whatever the locale of the database', async () => {
    const url = await server.createDatabase()
    const database = await open(url)
    await database.migrate()
    const rows = await ask(
      url,
      `select count(*)::int as other from information_schema.columns
        where table_schema = 'public' and data_type = 'text' and collation_name is distinct from 'C'`,
    )
    assert.deepEqual(rows, [{ other: 0 }])
    await database.close()
  })
})

/** A relay to a port of this machine that can be cut and restored. */
async function startProxy(target: number) {
  const sockets = new Set<Socket>()
  const keep = (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket))
    return socket
  }
  const server = createServer((incoming) => {
    const outgoing = keep(connect(target, '127.0.0.1'))
    keep(incoming).pipe(outgoing).pipe(incoming)
  })
  const listen = async (port: number) => {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    assert.ok(address && typeof address === 'object')
    return address.port
  }
  const cut = async () => {
    const closed = new Promise((resolve) => server.close(resolve))
    for (const socket of sockets) socket.destroy()
    await closed
  }
  const port = await listen(0)
  return { port, cut, restore: () => listen(port), close: cut }
}
