import { after, before, test } from 'node:test'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { killImport } from './import-matrix.ts'

let postgres: TestPostgres
before(async () => {
  postgres = await startPostgres()
})
after(() => postgres.stop())

for (const when of ['before', 'after'] as const) {
  test(`import on PostgreSQL, killed ${when} database steps: the same file again loses and doubles nothing`, async () => {
    await killImport(
      { GRANTWAY_DATABASE_URL: await postgres.createDatabase() },
      when,
      when === 'before' ? [6] : [13],
    )
  })
}
