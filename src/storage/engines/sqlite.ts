import { closeSync, openSync } from 'node:fs'
import { Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler, sql } from 'kysely'
import type { Database, Liveness } from '../../core/ports/stores.ts'
import type { Clock } from '../../kit/clock.ts'
import type { Ids } from '../../kit/ids.ts'
import type { Logger } from '../../kit/logger.ts'
import { createDatabase } from '../database.ts'
import type { Connection, Engine } from '../engine.ts'
import type { Tables } from '../tables.ts'
import { SqliteDriver } from './sqlite-driver.ts'
import { isSqliteUniqueViolation } from './sqlite-errors.ts'
import { SqliteHandle } from './sqlite-handle.ts'
import { WriteLock } from './write-lock.ts'

const MAX_WRITE_WAIT_MS = 15_000

/**
 * Opens the embedded database, making the file (mode 0600) when it is not there; its folder must be. Times
 * come from the clock. Only one process may have it open: take the process lock first.
 *
 * @throws Error when the file can't be opened, is no database, or lies where WAL does not work
 */
export async function openSqliteDatabase(options: {
  readonly path: string
  readonly clock: Clock
  readonly ids: Ids
  readonly logger: Logger
}): Promise<Database> {
  const { path, clock, ids, logger } = options
  // SQLite gives the -wal and -shm files the mode of the database file.
  closeSync(openSync(path, 'a', 0o600))
  const writer = new SqliteHandle(path, { enableForeignKeyConstraints: true, timeout: 0 })
  let reader: SqliteHandle | undefined
  try {
    prepareWriter(writer, path)
    reader = new SqliteHandle(path, { readOnly: true, timeout: 0 })
    for (const { database } of [writer, reader]) {
      database.exec('pragma cache_size = -16000; pragma temp_store = memory')
      database.function('now_ms', () => BigInt(Math.floor(clock.nowMs())))
    }
  } catch (error) {
    reader?.close()
    writer.close()
    throw error
  }
  const driver = new SqliteDriver({ writer, reader, lock: new WriteLock(MAX_WRITE_WAIT_MS) })
  const connection = new Kysely<Tables>({
    dialect: {
      createDriver: () => driver,
      createAdapter: () => new Adapter(),
      createQueryCompiler: () => new SqliteQueryCompiler(),
      createIntrospector: (kysely) => new SqliteIntrospector(kysely),
    },
  })
  logger.debug({ path }, 'database-opened')
  return createDatabase({
    connection,
    engine: sqliteEngine(connection),
    liveness: onlySelf(ids.uuid()),
    async close() {
      await connection.destroy()
      // Kysely destroys a driver only after its first query.
      await driver.destroy()
    },
  })
}

function prepareWriter({ database }: SqliteHandle, path: string): void {
  const mode = database.prepare('pragma journal_mode = wal').get()
  if (mode?.['journal_mode'] !== 'wal') {
    throw new Error(`SQLite can't use WAL for ${path}: put the data folder on a local disk`)
  }
  // FULL: a commit is on the disk before anybody hears of it, also when the machine loses power.
  database.exec('pragma synchronous = full')
}

/** Kysely would make every query wait for the open transaction: that is SqliteDriver's to decide. */
class Adapter extends SqliteAdapter {
  override get supportsMultipleConnections(): boolean {
    return true
  }
}

/** Only one process may have the embedded database open, so every other one is gone. */
function onlySelf(self: string): Liveness {
  return { self, isAlive: async (holder) => holder === self }
}

function sqliteEngine(connection: Connection): Engine {
  let migrating: Promise<unknown> = Promise.resolve()
  return {
    nowMs: sql<number>`now_ms()`,
    text: sql`text`,
    sequence: sql`integer`,
    async hasTable(on, name) {
      const { rows } = await sql`select 1 from sqlite_master where type = 'table' and name = ${name}`.execute(
        on,
      )
      return rows.length > 0
    },
    isUniqueViolation: isSqliteUniqueViolation,
    // One writer at a time: nothing else can hold a row.
    skippingLocked: (query) => query,
    async makeAppendOnly(on, table) {
      for (const change of ['update', 'delete']) {
        await sql`create trigger ${sql.ref(`${table}_no_${change}`)} before ${sql.raw(change)} on ${sql.table(table)}
          begin select raise(abort, 'this table is append-only'); end`.execute(on)
      }
    },
    withMigrationLock(work) {
      const turn = migrating.then(() => work(connection))
      migrating = turn.catch(() => undefined) // the caller gets the error; the next one only waits its turn
      return turn
    },
  }
}
