import type { Connection, Engine } from './engine.ts'
import { MIGRATIONS } from './migrations/all.ts'
import type { Migration } from './migrations/migration.ts'

/**
 * Applies the migrations that the database lacks, each in a transaction of its own, under the engine's lock.
 * Doing it again, or from two processes at once, is harmless.
 *
 * @returns names of those applied by this call
 * @throws Error when the database has migrations that this version does not know
 */
export function migrate(
  engine: Engine,
  migrations: readonly Migration[] = MIGRATIONS,
): Promise<readonly string[]> {
  return engine.withMigrationLock(async (connection) => {
    const applied = await appliedMigrations(connection, engine)
    refuseUnknown(applied, migrations)
    const missing = migrations.filter(({ name }) => !applied.has(name))
    for (const migration of missing) {
      await connection.transaction().execute(async (transaction) => {
        await createMigrationTable(transaction, engine)
        await migration.up(transaction, engine)
        await transaction
          .insertInto('schema_migrations')
          .values({ name: migration.name, applied_at_ms: engine.nowMs })
          .execute()
      })
    }
    return missing.map(({ name }) => name)
  })
}

/** Names of the migrations that the database lacks, oldest first. */
export async function pendingMigrations(
  connection: Connection,
  engine: Engine,
  migrations: readonly Migration[] = MIGRATIONS,
): Promise<readonly string[]> {
  const applied = await appliedMigrations(connection, engine)
  return migrations.map(({ name }) => name).filter((name) => !applied.has(name))
}

async function appliedMigrations(connection: Connection, engine: Engine): Promise<ReadonlySet<string>> {
  if (!(await engine.hasTable(connection, 'schema_migrations'))) return new Set()
  const rows = await connection.selectFrom('schema_migrations').select('name').execute()
  return new Set(rows.map(({ name }) => name))
}

async function createMigrationTable({ schema }: Connection, { text }: Engine): Promise<void> {
  await schema
    .createTable('schema_migrations')
    .ifNotExists()
    .addColumn('name', text, (column) => column.primaryKey().notNull())
    .addColumn('applied_at_ms', 'bigint', (column) => column.notNull())
    .execute()
}

function refuseUnknown(applied: ReadonlySet<string>, migrations: readonly Migration[]): void {
  const known = new Set(migrations.map(({ name }) => name))
  const unknown = [...applied].filter((name) => !known.has(name))
  if (unknown.length > 0) {
    throw new Error(
      `The database was migrated by a newer version of Grantway (it has ${unknown.join(', ')}). ` +
        'Start that version, or restore the backup made before the upgrade.',
    )
  }
}
