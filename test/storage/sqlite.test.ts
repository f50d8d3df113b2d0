import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, test } from 'node:test'
import { applicationId } from '../../src/contract/ids.ts'
import { randomIds } from '../../src/kit/ids.ts'
import { silentLogger } from '../../src/kit/logger.ts'
import { openSqliteDatabase } from '../../src/storage/engines/sqlite.ts'
import { takeProcessLock } from '../../src/storage/process-lock.ts'
import { anApplication, newApplicationId } from './records.ts'
import { startChild } from './start-child.ts'
import { describeStorage } from './suite.ts'
import { tempFolder } from './temp-folder.ts'

const START_MS = 1_700_000_000_000

async function openIn(folder: string, clock = { nowMs: () => START_MS }) {
  const path = join(folder, 'grantway.db')
  return openSqliteDatabase({ path, clock, ids: randomIds, logger: silentLogger })
}

describeStorage('sqlite', async () => {
  const folder = await tempFolder()
  let nowMs = START_MS
  const database = await openIn(folder.path, { nowMs: () => nowMs })
  await database.migrate()
  return {
    database,
    other: async () => database,
    later: async (ms) => {
      nowMs = Math.max(nowMs, START_MS + ms)
      return database
    },
    async close() {
      await database.close()
      await folder.remove()
    },
  }
})

describe('the embedded database', () => {
  test('is made private, migrates once however often it is asked, and says what is missing', async () => {
    const folder = await tempFolder()
    const database = await openIn(folder.path)
    assert.equal(statSync(join(folder.path, 'grantway.db')).mode & 0o777, 0o600)
    const missing = await database.pendingMigrations()
    assert.ok(missing.includes('0001-initial'))
    const applied = await Promise.all([database.migrate(), database.migrate(), database.migrate()])
    assert.deepEqual(applied.flat(), missing)
    assert.deepEqual(await database.pendingMigrations(), [])
    await database.close()
    await database.close()
    const again = await openIn(folder.path)
    assert.deepEqual(await again.migrate(), [])
    await again.close()
    await folder.remove()
  })

  test('refuses a database of a newer version', async () => {
    const folder = await tempFolder()
    const database = await openIn(folder.path)
    await database.migrate()
    const file = new DatabaseSync(join(folder.path, 'grantway.db'))
    file.exec("insert into schema_migrations values ('9999-from-the-future', 0)")
    file.close()
    await assert.rejects(database.migrate(), /newer version of Grantway.*9999-from-the-future/)
    await database.close()
    await folder.remove()
  })

  test('refuses a file that is no database', async () => {
    const folder = await tempFolder()
    await assert.rejects(
      openSqliteDatabase({
        path: folder.path,
        clock: { nowMs: () => 0 },
        ids: randomIds,
        logger: silentLogger,
      }),
    )
    await folder.remove()
  })

  test('makes a write wait for the open transaction, in the order they came', async () => {
    const folder = await tempFolder()
    const database = await openIn(folder.path)
    await database.migrate()
    const order: string[] = []
    const [first, second, third] = [anApplication(), anApplication(), anApplication()]
    let outside: Promise<void> | undefined
    const transaction = database.transaction(async (inside) => {
      outside = database.stores.applications.insert(second).then(() => void order.push('second'))
      await inside.applications.insert(first)
      assert.equal(await inside.applications.find(second.id), null)
      order.push('first')
    })
    const last = transaction
      .then(() => database.stores.applications.insert(third))
      .then(() => void order.push('third'))
    await Promise.all([transaction, last])
    await outside
    assert.deepEqual(order, ['first', 'second', 'third'])
    await database.close()
    await folder.remove()
  })

  test('keeps every committed row through kill -9, and nothing of the open transaction', async () => {
    const folder = await tempFolder()
    const child = await startChild('commit', join(folder.path, 'grantway.db'), '20')
    await child.kill()
    const database = await openIn(folder.path)
    const { committed, open } = child.said
    assert.ok(Array.isArray(committed) && committed.length === 20)
    const found = (await database.stores.applications.list()).map(({ id }) => String(id))
    assert.deepEqual(found.toSorted(), committed.map(String).toSorted())
    assert.equal(await database.stores.applications.find(applicationId(String(open))), null)
    assert.deepEqual(await database.pendingMigrations(), [])
    await database.close()
    await folder.remove()
  })

  test('answers unavailable, not a fault, when another process holds the file', async () => {
    const folder = await tempFolder()
    const child = await startChild('commit', join(folder.path, 'grantway.db'), '1')
    const database = await openIn(folder.path)
    await assert.rejects(database.stores.applications.insert(anApplication()), { status: 503 })
    await assert.rejects(
      database.transaction(async () => {}),
      { status: 503 },
    )
    assert.equal(await database.stores.applications.find(newApplicationId()), null)
    await child.kill()
    await database.stores.applications.insert(anApplication())
    await database.close()
    await folder.remove()
  })
})

describe('the process lock', () => {
  test('refuses a second process, and is free after kill -9', async () => {
    const folder = await tempFolder()
    const child = await startChild('lock', folder.path)
    assert.deepEqual(child.said, { taken: true })
    assert.equal(takeProcessLock(folder.path), null)
    await child.kill()
    const lock = takeProcessLock(folder.path)
    assert.ok(lock)
    const second = await startChild('lock', folder.path)
    assert.deepEqual(second.said, { taken: false })
    await second.kill()
    lock.release()
    lock.release()
    const third = await startChild('lock', folder.path)
    assert.deepEqual(third.said, { taken: true })
    await third.kill()
    await folder.remove()
  })

  test('is refused to a second holder in the same process', async () => {
    const folder = await tempFolder()
    const lock = takeProcessLock(folder.path)
    assert.equal(takeProcessLock(folder.path), null)
    lock?.release()
    takeProcessLock(folder.path)?.release()
    await folder.remove()
  })

  test('says so when the folder is missing', async () => {
    const folder = await tempFolder()
    assert.throws(() => takeProcessLock(join(folder.path, 'missing')), { code: 'ENOENT' })
    await folder.remove()
  })
})
