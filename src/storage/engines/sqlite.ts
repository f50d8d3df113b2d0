import { closeSync, openSync } from 'node:fs'
import { Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler, sql } from 'kysely'
import type { Database, Liveness } from '../../core/ports/stores.ts'
import type { Clock } from '../../kit/clock.ts'
import type { Ids } from '../../kit/ids.ts'
import type { Logger } from '../../kit/logger.ts'
import { createDatabase } from '../database.ts'
import type { Connection, Engine } from '../engine.ts'
import type { Tables } from '../tables.ts'
import { createFileSync, SharedSync, type SyncFile } from './shared-sync.ts'
import { SqliteDriver } from './sqlite-driver.ts'
import { CLOSED_KEY, isSqliteUniqueViolation } from './sqlite-errors.ts'
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
  /** only tests set it */
  readonly syncFile?: SyncFile
}): Promise<Database> {
  const { path, clock, ids, logger } = options
  const fileSync = createFileSync()
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
  const sync = new SharedSync(`${path}-wal`, options.syncFile ?? fileSync.sync, logger)
  const driver = new SqliteDriver({ writer, reader, lock: new WriteLock(MAX_WRITE_WAIT_MS), sync })
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
      await fileSync.close()
    },
  })
}

function prepareWriter({ database }: SqliteHandle, path: string): void {
  const mode = database.prepare('pragma journal_mode = wal').get()
  if (mode?.['journal_mode'] !== 'wal') {
    throw new Error(`SQLite can't use WAL for ${path}: put the data folder on a local disk`)
  }
  // A commit is on the disk before anybody hears of it, also when the machine loses power: SharedSync sees to that for
  // several at once. NORMAL syncs around checkpoints, so that the file is sound (sqlite.org/pragma.html, checked 2026-11).
  database.exec('pragma synchronous = normal')
  // A page that many transactions change is written back once for them all; the log file grows to 40 MB at most.
  database.exec('pragma wal_autocheckpoint = 10000')
}

/** Kysely would make every query wait for the open transaction: that is SqliteDriver's to decide. */
class Adapter extends SqliteAdapter {
  override get supportsMultipleConnections(): boolean {
    return true
  }
}

/** Only one process may have the embedded database open, so every other one is gone. */
function onlySelf(self: string): Liveness {
  const isAlive = async (holder: string) => holder === self
  return { self, isAlive, mayAnswer: ({ holder }) => isAlive(holder) }
}

function sqliteEngine(connection: Connection): Engine {
  let migrating: Promise<unknown> = Promise.resolve()
  return {
    nowMs: sql<number>`now_ms()`,
    text: sql`text`,
    bytes: sql`blob`,
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
    keepingRows: (query) => query,
    lockingRows: (query) => query,
    list: (values) => JSON.stringify(values),
    isAnyOf: (column, list) => sql<boolean>`${column} in (select value from json_each(${list}))`,
    givenRows(columns) {
      const entries = Object.entries(columns)
      const count = entries[0]?.[1].values.length ?? 0
      const rows = Array.from({ length: count }, (_, at) => entries.map(([, { values }]) => values[at]))
      const fields = entries.map(([name], at) => sql`value ->> ${sql.lit(at)} as ${sql.ref(name)}`)
      return sql`(select ${sql.join(fields)} from json_each(${JSON.stringify(rows)})) as given`
    },
    async makeAppendOnly(on, table) {
      for (const change of ['update', 'delete']) {
        await sql`create trigger ${sql.ref(`${table}_no_${change}`)} before ${sql.raw(change)} on ${sql.table(table)}
          begin select raise(abort, 'this table is append-only'); end`.execute(on)
      }
    },
    async refuseClosedKeys(on, table, columns) {
      // `g1.<key id>.<box>`: the id stands between the first and the second dot.
      const keyIds = columns.map((name) => {
        const rest = sql`substr(${sql.ref(`new.${name}`)}, 4)`
        return sql`substr(${rest}, 1, instr(${rest}, '.') - 1)`
      })
      const closed = sql`select 1 from data_keys where state <> 'open' and id in (${sql.join(keyIds)})`
      const names = sql.join(columns.map((name) => sql.ref(name)))
      const changes = { insert: sql`insert`, update: sql`update of ${names}` }
      for (const [name, change] of Object.entries(changes)) {
        await sql`create trigger ${sql.ref(`${table}_closed_key_${name}`)} before ${change} on ${sql.table(table)}
          when exists (${closed}) begin select raise(abort, ${sql.lit(CLOSED_KEY)}); end`.execute(on)
      }
    },
    // One writer at a time, and this is it.
    holdUpWrites: () => Promise.resolve(),
    withMigrationLock(work) {
      const turn = migrating.then(() => work(connection))
      migrating = turn.catch(() => undefined) // the caller gets the error; the next one only waits its turn
      return turn
    },
  }
}
