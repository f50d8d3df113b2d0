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
      // Two batches are looked up by 5 steps each: the 12th comes after the first of them is durable.
      when === 'before' ? [6, 12] : [13],
    )
  })
}
