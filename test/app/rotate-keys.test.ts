// The command's side of a key rotation: beside a running server through its admin socket, and on an idle data folder.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { runAdminCommandAnywhere } from '../../src/app/admin-commands.ts'
import type { RotationProgress } from '../../src/app/commands.ts'
import { rotateKeys } from '../../src/app/rotate-keys.ts'
import { loadConfig } from '../../src/config/load.ts'
import { silentLogger } from '../../src/kit/logger.ts'
import { keysInUse, operatorKey } from '../keys/key-world.ts'
import { type GrantwayApp, startGrantway } from '../support/grantway-app.ts'

const folder = mkdtempSync(join(tmpdir(), 'grantway-rotate-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const k1 = operatorKey('k1')
const settings = (keys: string) => ({ GRANTWAY_DATA_DIR: folder, GRANTWAY_ENCRYPTION_KEYS: keys })

async function withServer(keys: string, use: (app: GrantwayApp) => Promise<void>): Promise<void> {
  const app = await startGrantway(settings(keys), { overrides: { keyTakeUpMs: 0 } })
  try {
    await use(app)
  } finally {
    await app.stop()
  }
}

async function run(keys: string, rewrap = false) {
  const progress: RotationProgress[] = []
  const outcome = await rotateKeys(loadConfig(settings(keys)), silentLogger, {
    rewrap,
    onProgress: (one) => progress.push(one),
  })
  return { outcome, progress }
}

test('rotates beside a running server, which goes on under the new key', async () => {
  await withServer(k1, async (app) => {
    const client = { client_id: 'a', client_secret: 'b' }
    const made = await app.call('POST', '/v3/connectors', { provider: 'zoom', settings: client })
    assert.equal(made.status, 201, made.text)
    const { outcome, progress } = await run(k1)
    if (outcome.event !== 'keys.rotated') assert.fail(outcome.event)
    assert.equal(outcome.resealed, 1)
    assert.equal(outcome.deleted.length, 1)
    assert.deepEqual([...(await keysInUse(app.application.database)).keys()], [outcome.key])
    assert.deepEqual([...new Set(progress.map(({ phase }) => phase))], ['reseal', 'close', 'sweep'])
    assert.ok(progress.every(({ seen, total }) => seen <= total))
    const changed = await app.call('PATCH', '/v3/connectors/zoom', { settings: { client_secret: 'c' } })
    assert.equal(changed.status, 200, changed.text)
    assert.deepEqual([...(await keysInUse(app.application.database)).keys()], [outcome.key])
  })
})

test('refuses to wrap under a key that the running server was started without', async () => {
  const k2 = operatorKey('k2')
  await withServer(k1, async (app) => {
    const before = await app.application.database.stores.dataKeys.list()
    for (const rewrap of [false, true]) {
      await assert.rejects(
        run(`${k2},${k1}`, rewrap),
        /wraps keys under the encryption key "k1".*Restart the server/s,
      )
    }
    const now = await app.application.database.stores.dataKeys.list()
    assert.deepEqual(
      now.map(({ wrapped }) => wrapped),
      before.map(({ wrapped }) => wrapped),
    )
  })
})

test('wraps anew and rotates on an idle data folder, and the audit log says so', async () => {
  const k2 = operatorKey('k2')
  const config = loadConfig(settings(`${k2},${k1}`))
  assert.deepEqual((await run(`${k2},${k1}`, true)).outcome, {
    event: 'keys.rewrapped',
    rewrapped: 2,
    under: 'k2',
  })
  const { outcome } = await run(k2)
  assert.equal(outcome.event, 'keys.rotated')
  const entries = await runAdminCommandAnywhere(config, { name: 'audit.list', limit: 3 }, silentLogger)
  assert.ok(Array.isArray(entries))
  assert.deepEqual(
    entries.map(({ actor, action, application_id: owner }) => [actor, action, owner]),
    [
      ['cli', 'keys.rotated', null],
      ['cli', 'keys.rotation_started', null],
      ['cli', 'keys.rewrapped', null],
    ],
  )
  await assert.rejects(run(k1), /encryption key "k2", which is not among the configured ones/)
})
