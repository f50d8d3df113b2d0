import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { type FakeZoom, startFakeZoom, ZOOM_CLIENT } from '../support/fake-zoom.ts'
import type { ServerProcess } from '../support/server-process.ts'
import { type Fleet, type FleetAnswer, startFleet } from './server-fleet.ts'

// A PostgreSQL of its own: the one that other tests share must not be restarted under them.

const run = promisify(execFile)
const SCRIPT = join(import.meta.dirname, '..', 'support', 'testworld', 'start-postgres.sh')

let folder: string
let port: string
let zoom: FakeZoom
let fleet: Fleet
let one: ServerProcess
let two: ServerProcess

const postgres = (verb: 'start' | 'stop') =>
  run(SCRIPT, [verb], { env: { ...process.env, TESTWORLD_DIR: folder, PG_PORT: port } })

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'grantway-postgres-restart-'))
  await chmod(folder, 0o755) // its owner is another user than the one PostgreSQL runs as
  port = await freePort()
  zoom = await startFakeZoom()
  await postgres('start')
  fleet = await startFleet(2, `postgres://testworld:testworld@127.0.0.1:${port}/testworld`, {
    GRANTWAY_ZOOM_TOKEN_URL: zoom.endpoints.tokenUrl,
    GRANTWAY_ZOOM_API_URL: zoom.endpoints.apiUrl,
  })
  const [first, second] = fleet.servers
  assert.ok(first && second)
  one = first
  two = second
  const made = await fleet.call(one, 'POST', '/v3/connectors', {
    provider: 'zoom',
    settings: { client_id: ZOOM_CLIENT.clientId, client_secret: ZOOM_CLIENT.clientSecret },
  })
  assert.equal(made.status, 201, made.text)
})
after(async () => {
  await fleet.stop()
  await zoom.stop()
  await postgres('stop')
  await rm(folder, { recursive: true, force: true })
})

const connect = (server: ServerProcess, refreshToken: string) =>
  fleet.call(server, 'POST', '/v3/connect/custom', {
    provider: 'zoom',
    settings: { refresh_token: refreshToken },
  })

function assertUnavailable(answer: FleetAnswer): void {
  assert.equal(answer.status, 503, answer.text)
  assert.equal(answer.body.error.type, 'api.internal_error')
  assert.match(answer.headers.get('retry-after') ?? '', /^\d+$/)
}

/** Asks for something until `until` holds; the asking takes the time. */
async function keepAsking(until: () => boolean): Promise<void> {
  while (!until()) await fleet.call(two, 'GET', '/v3/grants')
}

test('the database is restarted under traffic: nothing is lost, replayed or taken down', async () => {
  const refreshed = zoom.mint('refreshed@zoom.example')
  const { id } = (await connect(one, refreshed)).body.data
  const fresh = zoom.mint('fresh@zoom.example')
  const busy = await Promise.all(
    Array.from({ length: 4 }, async (_, i) => {
      const token = zoom.mint(`busy-${i}@zoom.example`)
      return { token, id: (await connect(two, token)).body.data.id }
    }),
  )
  // Traffic of all kinds until the end, on both processes.
  let over = false
  const traffic = busy.map(async ({ token, id: busyId }, i) => {
    const seen: FleetAnswer[] = []
    const server = i % 2 ? one : two
    while (!over)
      seen.push(await connect(server, token), await fleet.call(server, 'GET', `/v3/grants/${busyId}`))
    return seen
  })

  // Two answers of the provider come while the database is down: a first exchange and a refresh.
  const calls = zoom.tokenCallsOf('fresh@zoom.example') + zoom.tokenCallsOf('refreshed@zoom.example')
  const held = zoom.hold('token')
  const exchange = connect(one, fresh)
  const refresh = connect(one, refreshed)
  await keepAsking(
    () => zoom.tokenCallsOf('fresh@zoom.example') + zoom.tokenCallsOf('refreshed@zoom.example') === calls + 2,
  )
  await postgres('stop')
  assertUnavailable(await fleet.call(one, 'GET', '/v3/grants'))
  assertUnavailable(await connect(two, refreshed))
  held.release()
  await keepAsking(() => one.log().includes('grant.answer_waits_for_database'))
  // The other process wants the same tokens the moment the database is back.
  await postgres('start')
  const others = await Promise.all([connect(two, refreshed), connect(two, fresh)])
  for (const answer of [await exchange, await refresh, ...others]) {
    if (answer.status !== 201) assertUnavailable(answer)
  }
  assert.equal((await exchange).status, 201, (await exchange).text)
  assert.equal((await refresh).body.data.id, id)
  over = true
  for (const answer of (await Promise.all(traffic)).flat()) {
    if (answer.status !== 200 && answer.status !== 201) assertUnavailable(answer)
  }
  // Everything that was there is there, on both, and can be refreshed.
  for (const server of [one, two]) {
    assert.equal((await connect(server, refreshed)).body.data?.id, id)
    assert.equal((await connect(server, fresh)).body.data?.id, (await exchange).body.data.id)
    for (const { token, id: busyId } of busy)
      assert.equal((await connect(server, token)).body.data?.id, busyId)
  }
  assert.equal(zoom.replays(), 0)
})

test('a process that is slow to come back after a restart is not taken for dead, its token call not repeated', async () => {
  const token = zoom.mint('paused@zoom.example')
  const { id } = (await connect(one, token)).body.data
  const held = zoom.hold('token')
  const slow = connect(one, token)
  await held.first
  // Both lose the lock that shows that they live; this one can't take it again yet.
  process.kill(one.pid, 'SIGSTOP')
  await postgres('stop')
  await postgres('start')
  let answered = false
  const waiting = connect(two, token).finally(() => {
    answered = true
  })
  for (let i = 0; i < 100 && !answered; i++) await fleet.call(two, 'GET', '/v3/grants')
  process.kill(one.pid, 'SIGCONT')
  held.release()
  assert.equal((await slow).body.data?.id, id, (await slow).text)
  const other = await waiting
  if (other.status !== 201) assertUnavailable(other)
  assert.equal((await connect(two, token)).body.data?.id, id)
  assert.equal(zoom.replays(), 0)
})

function freePort(): Promise<string> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(String(typeof address === 'object' && address ? address.port : 0)))
    })
  })
}
