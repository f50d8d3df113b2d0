import assert from 'node:assert/strict'
import { test } from 'node:test'
import { together } from '../../src/kit/together.ts'
import { aGrant, anApplication, someTokens } from './records.ts'
import type { Subject } from './suite.ts'

export function coversTransactions(subject: Subject): void {
  test('leaves nothing of a transaction that failed', async () => {
    const { database } = subject()
    const [application, grant] = [anApplication(), aGrant()]
    const failure = new Error('work failed')
    await assert.rejects(
      database.transaction(async (inside) => {
        await inside.applications.insert(application)
        await inside.grants.insert(grant)
        await inside.secrets.insert(grant.id, grant.applicationId, someTokens())
        assert.deepEqual(await inside.applications.find(application.id), application)
        throw failure
      }),
      failure,
    )
    assert.equal(await database.stores.applications.find(application.id), null)
    assert.equal(await database.stores.grants.find(grant.applicationId, grant.id), null)
    assert.equal(await database.stores.secrets.find(grant.id), null)
  })

  test('leaves nothing of statements begun together when one fails, and writes none of them later', async () => {
    const { database } = subject()
    const [application, grant] = [anApplication(), aGrant()]
    await assert.rejects(
      database.transaction((inside) =>
        together(
          inside.grants.insert(grant),
          inside.secrets.insert(grant.id, grant.applicationId, someTokens()),
          inside.secrets.insert(grant.id, grant.applicationId, someTokens()),
          inside.applications.insert(application),
        ),
      ),
      /unique/i,
    )
    assert.equal(await database.stores.applications.find(application.id), null)
    assert.equal(await database.stores.grants.find(grant.applicationId, grant.id), null)
    assert.equal(await database.stores.secrets.find(grant.id), null)
  })

  test('gives each of the statements begun together its own answer', async () => {
    const { database } = subject()
    const grants = Array.from({ length: 5 }, () => aGrant())
    for (const grant of grants) await database.stores.grants.insert(grant)
    const found = await database.transaction((inside) =>
      together(...grants.map((grant) => inside.grants.find(grant.applicationId, grant.id))),
    )
    assert.deepEqual(found, grants)
  })

  test('leaves nothing when the commit itself is refused, and works on', async () => {
    const { database } = subject()
    const application = anApplication()
    await assert.rejects(
      database.transaction(async (inside) => {
        await inside.applications.insert(application)
        await inside.secrets.insert(aGrant().id, application.id, someTokens())
      }),
      { status: 404 },
    )
    assert.equal(await database.stores.applications.find(application.id), null)
    assert.equal(await database.transaction(async () => 'done'), 'done')
  })

  test('serves reads while a transaction is open, without what is not committed', async () => {
    const { database } = subject()
    const application = anApplication()
    await database.transaction(async (inside) => {
      await inside.applications.insert(application)
      assert.equal(await database.stores.applications.find(application.id), null)
    })
    assert.deepEqual(await database.stores.applications.find(application.id), application)
  })

  test('runs transactions that come at once, all of them', async () => {
    const handles = [subject().database, await subject().other()]
    const records = Array.from({ length: 50 }, () => anApplication())
    await Promise.all(
      records.map((record, at) =>
        handles[at % 2]!.transaction(async (inside) => {
          await inside.applications.insert(record)
          await inside.applications.update({ ...record, name: 'twice' })
        }),
      ),
    )
    for (const record of records) {
      assert.equal((await subject().database.stores.applications.find(record.id))?.name, 'twice')
    }
  })

  test('has nothing left to migrate and answers a ping', async () => {
    const { database } = subject()
    assert.deepEqual(await database.pendingMigrations(), [])
    assert.deepEqual(await database.migrate(), [])
    await database.ping()
  })

  test('knows a process that never was as gone', async () => {
    const { liveness } = subject().database
    assert.equal(await liveness.isAlive(liveness.self), true)
    assert.equal(await liveness.isAlive('nobody-ever'), false)
    assert.equal(await liveness.mayAnswer({ holder: liveness.self, startedAtMs: 0 }), true)
    assert.equal(await liveness.mayAnswer({ holder: 'nobody-ever', startedAtMs: 0 }), false)
  })
}
