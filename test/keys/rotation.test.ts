import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, test } from 'node:test'
import { SEALED_TABLES } from '../../src/core/ports/sealed.ts'
import { keysInUse, operatorKey, startKeyWorld } from './key-world.ts'
import { testKeyRotation } from './rotation-suite.ts'

const folder = mkdtempSync(join(tmpdir(), 'grantway-keys-'))
after(() => rmSync(folder, { recursive: true, force: true }))

testKeyRotation('SQLite', () => Promise.resolve({ GRANTWAY_DATA_DIR: join(folder, 'suite') }))

test('a rotation that was left alone is finished in the background', async () => {
  const world = await startKeyWorld({ GRANTWAY_DATA_DIR: join(folder, 'left') }, operatorKey('k1'))
  const { database, keyRotation, jobs } = world.app.application
  const begun = await keyRotation.begin('cli')
  assert.equal(begun.kind, 'more')
  world.app.clock.advance(11 * 60_000)
  jobs?.wake()
  let keys = await database.stores.dataKeys.list()
  while (keys.length > 2) {
    await world.app.call('GET', '/v3/applications')
    keys = await database.stores.dataKeys.list()
  }
  assert.deepEqual([...(await keysInUse(database)).keys()], [keys.at(-1)?.id])
  await world.stop()
})

test('the list of sealed columns is that of the database', async () => {
  const dataDir = join(folder, 'columns')
  const world = await startKeyWorld({ GRANTWAY_DATA_DIR: dataDir }, operatorKey('k1'))
  await world.stop()
  const file = new DatabaseSync(join(dataDir, 'grantway.db'), { readOnly: true })
  const found = file
    .prepare(
      `select t.name || '.' || c.name as place from sqlite_master t join pragma_table_info(t.name) c
       where t.type = 'table' and c.name like 'sealed%' order by place`,
    )
    .all()
    .map(({ place }) => place)
  file.close()
  const listed = SEALED_TABLES.flatMap(({ table, columns }) => columns.map((column) => `${table}.${column}`))
  assert.deepEqual(found, listed.sort())
})
