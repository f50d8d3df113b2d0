import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { SEALED_TABLES } from '../../src/core/ports/sealed.ts'
import { openKeyRing } from '../../src/core/vault/key-ring.ts'
import { sealJson } from '../../src/core/vault/sealed-json.ts'
import { createVault } from '../../src/core/vault/vault.ts'
import { systemClock } from '../../src/kit/clock.ts'
import { randomIds } from '../../src/kit/ids.ts'
import { silentLogger } from '../../src/kit/logger.ts'
import { connect, keysInUse, type KeyWorld, operatorKey, rotate, startKeyWorld } from './key-world.ts'

/** Defines the tests; `environment` says which database the server uses. */
export function testKeyRotation(
  engine: string,
  environment: () => Promise<{ readonly [name: string]: string }>,
): void {
  describe(`key rotation on ${engine}`, () => {
    const firstKey = operatorKey('k1')
    let world: KeyWorld
    before(async () => {
      world = await startKeyWorld(await environment(), firstKey)
    })
    after(() => world.stop())
    const stores = () => world.app.application.database.stores
    const sealKeys = async () => (await stores().dataKeys.list()).filter(({ purpose }) => purpose === 'seal')

    let users = 0
    function newUser() {
      users += 1
      const email = `user-${users}@zoom.example`
      return { email, token: world.zoom.mint(email) }
    }

    /** A ring that never looks again: what a process holds that was paused before the rotation. */
    function staleRing() {
      const [id, encoded] = firstKey.split(':')
      const operatorKeys = [{ id: id ?? '', key: Buffer.from(encoded ?? '', 'base64') }]
      const { database } = world.app.application
      return openKeyRing({ database, operatorKeys, clock: systemClock, ids: randomIds, log: silentLogger })
    }

    test('seals every value anew, deletes the old key, and leaves versions and digests alone', async () => {
      const { token, email } = newUser()
      const id = await connect(world.app, token)
      const [credentials] = SEALED_TABLES
      const before = {
        keys: await sealKeys(),
        sealed: await stores().sealed.list(credentials!, '', 10),
        values: [...(await keysInUse(world.app.application.database)).values()],
      }
      const done = await rotate(world.app)
      const now = await sealKeys()
      assert.equal(now.length, 1)
      assert.equal(now[0]?.id, done.key)
      assert.notEqual(now[0]?.id, before.keys[0]?.id)
      assert.deepEqual(done.deleted, [before.keys[0]?.id])
      assert.deepEqual([...(await keysInUse(world.app.application.database))], [[done.key, before.values[0]]])
      assert.notDeepEqual(await stores().sealed.list(credentials!, '', 10), before.sealed)
      // The digest still finds the token, and the stored one is the provider's newest.
      assert.equal(await connect(world.app, token), id)
      assert.equal(await connect(world.app, world.zoom.currentToken(email)), id)
      assert.equal(world.zoom.replays(), 0)
      const audit = await stores().audit.list({ applicationId: null }, { limit: 50 })
      const about = audit.filter(({ action }) => action.startsWith('keys.'))
      assert.deepEqual(
        about.map(({ action, actor, target, applicationId }) => [action, actor, target, applicationId]),
        [
          ['keys.rotated', 'cli', `data_key:${done.key}`, null],
          ['keys.rotation_started', 'cli', `data_key:${done.key}`, null],
        ],
      )
    })

    test('loses nothing while connects, refreshes and reads go on', async () => {
      const known = await Promise.all(
        Array.from({ length: 5 }, async () => {
          const user = newUser()
          return { ...user, id: await connect(world.app, user.token) }
        }),
      )
      let rotated = false
      const traffic = known.map(async (user) => {
        do {
          assert.equal(await connect(world.app, user.token), user.id)
          const fresh = newUser()
          const id = await connect(world.app, fresh.token)
          const read = await world.app.call('GET', `/v3/grants/${id}`)
          assert.equal(read.body.data?.grant_status, 'valid', read.text)
        } while (!rotated)
      })
      const rotations = (async () => {
        for (let i = 0; i < 2; i++) await rotate(world.app)
        rotated = true
      })()
      await Promise.all([rotations, ...traffic])
      const inUse = await keysInUse(world.app.application.database)
      assert.deepEqual([...inUse.keys()], [(await sealKeys()).at(-1)?.id])
      for (const user of known) assert.equal(await connect(world.app, user.token), user.id)
      assert.equal(world.zoom.replays(), 0)
    })

    test('a token call that is out while the keys change is stored under the new one', async () => {
      const { token } = newUser()
      const held = world.zoom.hold('token')
      const connecting = connect(world.app, token)
      await held.first
      const done = await rotate(world.app)
      held.release()
      const id = await connecting
      assert.deepEqual([...(await keysInUse(world.app.application.database)).keys()], [done.key])
      assert.equal(await connect(world.app, token), id)
      assert.equal(world.zoom.replays(), 0)
    })

    test('a process that missed the rotation is refused, and goes in once it has read the keys', async () => {
      const id = await connect(world.app, newUser().token)
      const ring = await staleRing()
      const stale = createVault(ring)
      const record = (await stores().secrets.find(id as never))!
      const place = {
        table: 'grant_secrets',
        column: 'sealed_secret',
        rowId: record.grantId,
        applicationId: record.applicationId,
      }
      const write = () =>
        stores().secrets.replace(record.grantId, {
          ...record,
          sealedSecret: sealJson(stale, place, { kind: 'none' }),
          sealedAccessToken: null,
        })
      const done = await rotate(world.app)
      assert.notEqual(ring.current.id, done.key)
      // What it wrote before may still be read by it; nothing may be written under the key that is gone.
      await assert.rejects(write, { status: 503 })
      assert.deepEqual([...(await keysInUse(world.app.application.database)).keys()], [done.key])
      // Meeting a value under the new key makes it read the keys.
      const sealed = (await stores().secrets.find(record.grantId))!.sealedSecret
      assert.match(await stale.open(place, sealed), /refresh-token/)
      await write()
    })

    test('what a paused process still writes under the old key before it is closed is found', async () => {
      const id = await connect(world.app, newUser().token)
      const { keyRotation } = world.app.application
      const stale = createVault(await staleRing())
      let step = await keyRotation.begin('cli')
      const old = (await sealKeys())[0]!.id
      while (step.kind === 'more' && step.state.phase === 'reseal') {
        step = await keyRotation.step(step.state, 'cli')
      }
      assert.equal((await keysInUse(world.app.application.database)).get(old), undefined)
      const record = (await stores().secrets.find(id as never))!
      const place = {
        table: 'grant_secrets',
        column: 'sealed_superseded',
        rowId: record.grantId,
        applicationId: record.applicationId,
      }
      await stores().secrets.replace(record.grantId, {
        ...record,
        sealedSuperseded: sealJson(stale, place, { kind: 'late' }),
      })
      assert.equal((await keysInUse(world.app.application.database)).get(old), 1)
      while (step.kind === 'more') step = await keyRotation.step(step.state, 'cli')
      assert.deepEqual(step.deleted, [old])
      const after = (await stores().secrets.find(record.grantId))!
      assert.match(await createVault(await staleRing()).open(place, after.sealedSuperseded!), /late/)
    })

    test('an interrupted rotation is finished under the same key, by the next command or in the background', async () => {
      const { keyRotation } = world.app.application
      const begun = await keyRotation.begin('cli')
      assert.equal(begun.kind === 'more' && begun.state.isResumed, false)
      const again = await keyRotation.begin('cli')
      assert.equal(again.kind === 'more' && again.state.isResumed, true)
      assert.equal((await sealKeys()).length, 2)
      assert.equal(await keyRotation.resume(60_000), null)
      let step = await keyRotation.resume(0)
      while (step?.kind === 'more') step = await keyRotation.step(step.state, 'system')
      assert.equal(step?.isResumed, true)
      assert.equal((await sealKeys()).length, 1)
      assert.equal(await keyRotation.resume(0), null)
    })

    test('two rotations at once do no harm', async () => {
      const { token } = newUser()
      const id = await connect(world.app, token)
      const [first, second] = await Promise.all([rotate(world.app), rotate(world.app)])
      // Whoever comes late finishes what the other began, or makes one more key: everything is under the newest.
      const keys = await sealKeys()
      const last = keys.length === 1 ? keys[0]! : null
      if (!last) await rotate(world.app)
      assert.ok([first.key, second.key].includes(last?.id ?? first.key))
      const inUse = await keysInUse(world.app.application.database)
      assert.deepEqual([...inUse.keys()], [(await sealKeys()).at(-1)?.id])
      assert.equal((await sealKeys()).length, 1)
      assert.equal(await connect(world.app, token), id)
    })

    test('a data key that has sealed enough is replaced by itself, and its values follow', async () => {
      const old = (await sealKeys())[0]!.id
      const ring = await staleRing()
      await ring.keepUp()
      assert.equal(ring.current.id, old)
      await stores().dataKeys.addSeals(old, 2 ** 29)
      await Promise.all([ring.keepUp(), ring.keepUp()])
      const keys = await sealKeys()
      assert.deepEqual([keys.length, keys[0]?.id, keys[1]?.id], [2, old, ring.current.id])
      await rotate(world.app)
      assert.deepEqual([...(await keysInUse(world.app.application.database)).keys()], [ring.current.id])
      const [started] = await stores().audit.list(
        { applicationId: null, action: 'keys.rotation_started' },
        { limit: 1 },
      )
      assert.deepEqual([started?.actor, started?.detail], ['system', { because: 'seal_limit' }])
    })

    test('another operator key: wrap under it, then the old one may go', async () => {
      const second = operatorKey('k2')
      const user = newUser()
      const id = await connect(world.app, user.token)
      await world.restart(`${second},${firstKey}`)
      assert.equal(await connect(world.app, user.token), id)
      const rewrapped = await world.app.application.keyRotation.rewrap('cli')
      assert.deepEqual(rewrapped, { rewrapped: 2, under: 'k2' })
      assert.deepEqual(await world.app.application.keyRotation.rewrap('cli'), { rewrapped: 0, under: 'k2' })

      const wrappings = async () => (await stores().dataKeys.list()).map(({ id, wrapped }) => [id, wrapped])
      const unchanged = await wrappings()
      const [wrong, third] = [operatorKey('k2'), operatorKey('k3')]
      const swapped = `k2:${firstKey.split(':')[1]},k1:${second.split(':')[1]}`
      for (const [keys, said] of [
        [firstKey, /encryption key "k2", which is not among the configured ones \(k1\)/],
        [third, /encryption key "k2", which is not among/],
        [wrong, /encryption key "k2" is not the one this database was sealed under/],
        [swapped, /encryption key "k2" is not the one/],
      ] as const) {
        await assert.rejects(world.restart(keys), said)
      }
      await world.restart(second)
      assert.deepEqual(await wrappings(), unchanged)

      // A whole rotation does the same on its way.
      await world.restart(`${third},${second}`)
      await rotate(world.app)
      assert.deepEqual(
        new Set((await stores().dataKeys.list()).map(({ wrappedBy }) => wrappedBy)),
        new Set(['k3']),
      )
      await world.restart(third)
      assert.equal(await connect(world.app, user.token), id)
      assert.equal(world.zoom.replays(), 0)
    })

    test('a value that was damaged keeps its key, and is named', async () => {
      const id = await connect(world.app, newUser().token)
      const record = (await stores().secrets.find(id as never))!
      const damaged = record.sealedSecret.replace(/.{8}$/, 'AAAAAAAA')
      await stores().secrets.replace(record.grantId, { ...record, sealedSecret: damaged })
      const done = await rotate(world.app)
      assert.deepEqual(done.unreadable, [`grant_secrets.sealed_secret of ${id}`])
      assert.deepEqual(done.deleted, [])
      const keys = await sealKeys()
      assert.deepEqual(
        keys.map(({ isClosed }) => isClosed),
        [true, false],
      )
      const after = (await stores().secrets.find(record.grantId))!
      assert.equal(after.sealedSecret, damaged)
      assert.match(after.sealedAccessToken ?? '', new RegExp(`^g1\\.${keys[1]?.id}\\.`))
    })
  })
}
