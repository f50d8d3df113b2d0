import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { killAtDeliverySteps } from './webhook-kills.ts'

let postgres: TestPostgres
before(async () => {
  postgres = await startPostgres()
})
after(() => postgres.stop())

// The short form: the embedded database is killed at more steps, and the code above it is the same.
test('webhook delivery on PostgreSQL, killed at its steps: the event comes, and nothing but that', async () => {
  const report = await killAtDeliverySteps({
    deaths: [
      { when: 'before', step: 'jobs.enqueue' },
      { when: 'after', step: 'jobs.claim' },
      { when: 'before', step: 'jobs.settle' },
      { when: 'after', step: 'jobs.settle' },
    ],
    database: { GRANTWAY_DATABASE_URL: await postgres.createDatabase() },
  })
  assert.equal(report.grants, 4)
  assert.equal(report.duplicates, 1)
})
