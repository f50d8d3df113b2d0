import { sql } from 'kysely'
import type { Database, Liveness } from '../core/ports/stores.ts'
import type { Connection, Engine } from './engine.ts'
import { migrate, pendingMigrations } from './migrate.ts'
import { createStores } from './stores.ts'

/** Puts a database together from an engine's parts. `close` is called once. */
export function createDatabase(parts: {
  readonly connection: Connection
  readonly engine: Engine
  readonly liveness: Liveness
  close(): Promise<void>
}): Database {
  const { connection, engine, liveness } = parts
  let closing: Promise<void> | undefined
  return {
    stores: createStores(connection, engine),
    liveness,
    transaction: (work) =>
      connection.transaction().execute((transaction) => work(createStores(transaction, engine))),
    migrate: () => migrate(engine),
    pendingMigrations: () => pendingMigrations(connection, engine),
    async ping() {
      await sql`select 1`.execute(connection)
    },
    close: () => (closing ??= parts.close()),
  }
}
