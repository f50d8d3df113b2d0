import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { connect, keysInUse, operatorKey, rotate, startKeyWorld } from './key-world.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const MOST_WRITES = 30
/** More than one batch of `reseal`. */
const GRANTS = 105

/**
 * Kills a rotation at each of its writes. After each death everything opens, and the next rotation finishes it.
 *
 * @param every  kill only at every nth write
 * @returns how many deaths there were
 */
export async function killRotating(
  database: { readonly [name: string]: string },
  when: 'before' | 'after',
  every = 1,
): Promise<number> {
  const encryptionKeys = operatorKey('k1')
  const world = await startKeyWorld(database, encryptionKeys)
  try {
    const users = Array.from({ length: GRANTS }, (_, at) => `user-${at}@zoom.example`)
    const tokens = users.map((email) => world.zoom.mint(email))
    const ids = await Promise.all(tokens.map((token) => connect(world.app, token)))
    for (let at = 1; ; at += every) {
      assert.ok(at < MOST_WRITES, 'the rotation has no end')
      await world.pause()
      const survived = await rotateAndDie({ ...database, GRANTWAY_ENCRYPTION_KEYS: encryptionKeys }, at, when)
      const app = await world.restart(encryptionKeys)
      const { dataKeys } = app.application.database.stores
      if (survived) return at - 1
      for (const index of [0, GRANTS - 1]) {
        assert.equal(await connect(app, tokens[index] ?? ''), ids[index], `after a death at write ${at}`)
      }
      const done = await rotate(app)
      assert.deepEqual(done.unreadable, [])
      assert.deepEqual([...(await keysInUse(app.application.database)).keys()], [done.key])
      assert.equal((await dataKeys.list()).length, 2, 'the lookup key and one seal key')
      assert.equal(world.zoom.replays(), 0)
    }
  } finally {
    await world.stop()
  }
}

async function rotateAndDie(
  environment: { readonly [name: string]: string },
  at: number,
  when: string,
): Promise<boolean> {
  const child = spawn(process.execPath, ['test/keys/killable-rotation.ts'], {
    cwd: root,
    env: { ...environment, KILL_AT: String(at), KILL_WHEN: when },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  assert.ok(code === 0 || signal === 'SIGKILL', `the rotation ended with ${code}`)
  return code === 0
}
