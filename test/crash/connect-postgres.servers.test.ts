import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { startOAuthServer, type TestOAuthServer } from '../support/oauth-server.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { killConnecting, prepareWorld } from './crash-matrix.ts'
import { killDeleting, killPatching, killRefreshing, killRelabelling } from './grant-kills.ts'

let oauth: TestOAuthServer
let postgres: TestPostgres
before(async () => {
  oauth = await startOAuthServer()
  postgres = await startPostgres()
})
after(async () => {
  await postgres.stop()
  await oauth.stop()
})

// The short form: the embedded database is killed at every step, and the code above it is the same.
describe('connect/custom on PostgreSQL, killed at every third step', () => {
  for (const when of ['before', 'after'] as const) {
    test(`killed ${when} it: the same request finishes the work, nothing is replayed`, async () => {
      const start = await prepareWorld(oauth, { GRANTWAY_DATABASE_URL: await postgres.createDatabase() })
      const lost = await killConnecting(oauth, start, when, 3)
      assert.ok(lost <= (when === 'before' ? 1 : 0), `${lost} tokens were lost`)
    })
  }
})

describe('a grant on PostgreSQL, killed at some steps of what happens to it', () => {
  const world = async () => prepareWorld(oauth, { GRANTWAY_DATABASE_URL: await postgres.createDatabase() })

  test('a refresh: the grant lives on, or says once that an answer was lost', async () => {
    const start = await world()
    assert.ok((await killRefreshing({ oauth, start, when: 'before', every: 4 })) <= 1)
    assert.equal(await killRefreshing({ oauth, start, when: 'after', every: 6 }), 0)
  })

  test('PATCH and DELETE: done and told once, or neither', async () => {
    const start = await world()
    assert.ok((await killPatching({ oauth, start, when: 'before', every: 5 })) <= 1)
    await killRelabelling({ oauth, start, when: 'after', every: 3 })
    await killDeleting({ oauth, start, when: 'before', every: 3 })
  })
})
