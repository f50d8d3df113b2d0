import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { callApi } from '../support/server-process.ts'
import { keysInUse, operatorKey, rotate, startKeyWorld } from './key-world.ts'
import { killRotating } from './rotation-kills.ts'
import { testKeyRotation } from './rotation-suite.ts'

let postgres: TestPostgres
before(async () => {
  postgres = await startPostgres()
})
after(() => postgres.stop())

testKeyRotation('PostgreSQL', async () => ({ GRANTWAY_DATABASE_URL: await postgres.createDatabase() }))

test('a rotation on PostgreSQL, killed at every other write: everything opens, and the next one finishes it', async () => {
  assert.ok((await killRotating({ GRANTWAY_DATABASE_URL: await postgres.createDatabase() }, 'after', 2)) > 4)
})

test('a process that slept through a rotation, with a token call out, stores its answer and works on', async () => {
  const database = { GRANTWAY_DATABASE_URL: await postgres.createDatabase() }
  const world = await startKeyWorld(database, operatorKey('k1'))
  const sleeper = await world.startProcess()
  try {
    const settings = { refresh_token: world.zoom.mint('ada@zoom.example') }
    const connect = () =>
      callApi(sleeper, world.app.key, 'POST', '/v3/connect/custom', { provider: 'zoom', settings })
    const held = world.zoom.hold('token')
    const connecting = connect()
    await held.first
    process.kill(sleeper.pid, 'SIGSTOP')
    const done = await rotate(world.app)
    held.release()
    process.kill(sleeper.pid, 'SIGCONT')
    const first = await connecting
    assert.equal(first.status, 201, JSON.stringify(first.body))
    const again = await connect()
    assert.equal(again.body.data?.id, first.body.data.id, JSON.stringify(again.body))
    assert.deepEqual([...(await keysInUse(world.app.application.database)).keys()], [done.key])
    assert.equal(world.zoom.replays(), 0)
  } finally {
    await sleeper.end('SIGTERM')
    await world.stop()
  }
})
