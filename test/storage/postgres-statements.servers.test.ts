import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import pg from 'pg'
import type { Database } from '../../src/core/ports/stores.ts'
import { randomIds } from '../../src/kit/ids.ts'
import { silentLogger } from '../../src/kit/logger.ts'
import { openPostgresDatabase } from '../../src/storage/engines/postgres.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { anApplication } from './records.ts'

let server: TestPostgres
let database: Database
let url: string

before(async () => {
  server = await startPostgres()
  url = await server.createDatabase()
  database = await openPostgresDatabase({ url, poolSize: 1, ids: randomIds, logger: silentLogger })
  await database.migrate()
})

after(async () => {
  await database.close()
  await server.stop()
})

test('a column that another version adds costs a connection one answer, and no more', async () => {
  const { applications } = database.stores
  const one = anApplication()
  await applications.insert(one)
  assert.equal((await applications.find(one.id))?.name, one.name)
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query('alter table applications add column of_a_newer_version text')
  await client.end()
  await assert.rejects(applications.find(one.id), { status: 503 })
  assert.deepEqual(await applications.find(one.id), one)
  await database.transaction(async (stores) => {
    assert.deepEqual(await stores.applications.find(one.id), one)
  })
})
