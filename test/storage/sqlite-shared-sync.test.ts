import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { grantId } from '../../src/contract/ids.ts'
import { randomIds } from '../../src/kit/ids.ts'
import { silentLogger } from '../../src/kit/logger.ts'
import { createFileSync } from '../../src/storage/engines/shared-sync.ts'
import { openSqliteDatabase } from '../../src/storage/engines/sqlite.ts'
import { anApplication, aTokenKey } from './records.ts'
import { tempFolder } from './temp-folder.ts'

interface Gate {
  readonly promise: Promise<void>
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

function aGate(): Gate {
  let [resolve, reject]: [Gate['resolve'], Gate['reject']] = [() => {}, () => {}]
  const promise = new Promise<void>((...settle) => {
    ;[resolve, reject] = settle
  })
  return { promise, resolve, reject }
}

/** A database whose disk answers when the test says so. */
async function openWithDisk() {
  const folder = await tempFolder()
  const file = createFileSync()
  const disk = { syncs: 0, hold: Promise.resolve(), reached: aGate() }
  const open = () =>
    openSqliteDatabase({
      path: join(folder.path, 'grantway.db'),
      clock: { nowMs: () => 1_700_000_000_000 },
      ids: randomIds,
      logger: silentLogger,
      async syncFile(path) {
        disk.syncs += 1
        disk.reached.resolve()
        await disk.hold
        await file.sync(path)
      },
    })
  const database = await open()
  await database.migrate()
  disk.syncs = 0
  disk.reached = aGate()
  return {
    database,
    disk,
    open,
    close: async () => {
      await database.close()
      await file.close()
      await rm(folder.path, { recursive: true })
    },
  }
}

describe('commits of the embedded database that share the way to the disk', () => {
  test('tells nobody of a write or a transaction before it is on the disk', async () => {
    const { database, disk, close } = await openWithDisk()
    const held = aGate()
    disk.hold = held.promise
    const told: string[] = []
    const [single, inside] = [anApplication(), anApplication()]
    const writes = [
      database.stores.applications.insert(single).then(() => told.push('write')),
      database
        .transaction((stores) => stores.applications.insert(inside))
        .then(() => told.push('transaction')),
      // Changes nothing, but tells what another has just written.
      database
        .transaction(async (stores) => {
          if (await stores.applications.find(single.id)) throw new Error('taken')
        })
        .catch(() => told.push('refused by what was read')),
    ]
    await disk.reached.promise
    assert.ok(await database.stores.applications.find(inside.id))
    assert.deepEqual(told, [])
    held.resolve()
    await Promise.all(writes)
    assert.equal(told.length, 3)
    assert.equal(disk.syncs, 1)
    await close()
  })

  test('waits for a sync that began after the commit, never for one under way', async () => {
    const { database, disk, close } = await openWithDisk()
    const first = aGate()
    disk.hold = first.promise
    const early = database.stores.applications.insert(anApplication())
    await disk.reached.promise
    const second = aGate()
    disk.reached = aGate()
    disk.hold = second.promise
    const told: string[] = []
    const late = database.stores.applications.insert(anApplication()).then(() => told.push('late'))
    first.resolve()
    await early
    await disk.reached.promise
    assert.deepEqual(told, [])
    second.resolve()
    await late
    assert.equal(disk.syncs, 2)
    await close()
  })

  test('brings nothing to the disk when nothing was changed', async () => {
    const { database, disk, close } = await openWithDisk()
    await database.ping()
    assert.equal(await database.stores.apiKeys.revoke('nobody', 1), false)
    await database.transaction((stores) => stores.applications.list())
    assert.equal(disk.syncs, 0)
    await close()
  })

  test('undoes a transaction that fails at its commit, and none of those that share its sync', async () => {
    const { database, disk, open, close } = await openWithDisk()
    const kept = Array.from({ length: 9 }, () => anApplication())
    const lost = anApplication()
    const write = (one: typeof lost) => database.transaction((stores) => stores.applications.insert(one))
    const outcomes = await Promise.allSettled([
      ...kept.slice(0, 5).map(write),
      // The foreign key is looked at by the commit only.
      database.transaction(async (stores) => {
        await stores.applications.insert(lost)
        await stores.seenTokens.setGranted(aTokenKey(), grantId('no such grant'), 1)
      }),
      ...kept.slice(5).map(write),
    ])
    assert.deepEqual(
      outcomes.map(({ status }) => status === 'fulfilled'),
      [true, true, true, true, true, false, true, true, true, true],
    )
    assert.equal(disk.syncs, 1)
    await database.close()
    const again = await open()
    const ids = (await again.stores.applications.list()).map(({ id }) => id)
    assert.deepEqual(ids.toSorted(), kept.map(({ id }) => id).toSorted())
    await again.close()
    await close()
  })

  test('writes nothing any more after the disk has failed once, and still reads', async () => {
    const { database, disk, close } = await openWithDisk()
    const before = anApplication()
    await database.stores.applications.insert(before)
    disk.reached = aGate()
    const broken = aGate()
    disk.hold = broken.promise
    void disk.reached.promise.then(() => broken.reject(new Error('EIO')))
    await assert.rejects(database.stores.applications.insert(anApplication()), { status: 503 })
    disk.hold = Promise.resolve()
    const later = anApplication()
    await assert.rejects(database.stores.applications.insert(later), { status: 503 })
    await assert.rejects(
      database.transaction((stores) => stores.applications.insert(later)),
      { status: 503 },
    )
    await assert.rejects(database.ping(), { status: 503 })
    assert.ok(await database.stores.applications.find(before.id))
    assert.equal(await database.stores.applications.find(later.id), null)
    await close()
  })
})
