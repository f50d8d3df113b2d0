import { after } from 'node:test'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { testStrictRotation } from './strict-rotation-suite.ts'

let postgres: TestPostgres | undefined

testStrictRotation({
  async environment() {
    postgres = await startPostgres()
    return { GRANTWAY_DATABASE_URL: await postgres.createDatabase() }
  },
  // PostgreSQL's own clock says how old it is.
  dayOldMs: 0,
})
after(() => postgres?.stop())
