import { after, before, test } from 'node:test'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { killAtSendingSteps } from './scheduled-kills.ts'

let postgres: TestPostgres
before(async () => {
  postgres = await startPostgres()
})
after(() => postgres.stop())

// The short form: the embedded database is killed at more steps, and the code above it is the same.
test('a scheduled send on PostgreSQL, killed at its steps: never two sends, never none without a word', async () => {
  await killAtSendingSteps({ GRANTWAY_DATABASE_URL: await postgres.createDatabase() }, [
    { when: 'after', step: 'scheduledSends.claim', sent: 1, code: 'success' },
    { when: 'after', step: 'scheduledSends.begin', sent: 0, code: 'failed' },
    { when: 'before', step: 'scheduledSends.close', sent: 1, code: 'failed' },
    { when: 'after', step: 'scheduledSends.close', sent: 1, code: 'success' },
  ])
})
