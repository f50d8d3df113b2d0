import { Kysely, PostgresDialect, sql } from 'kysely'
import type { Database } from '../../core/ports/stores.ts'
import type { Ids } from '../../kit/ids.ts'
import type { Logger } from '../../kit/logger.ts'
import { createDatabase } from '../database.ts'
import type { Connection, Engine } from '../engine.ts'
import type { Tables } from '../tables.ts'
import { CLOSED_KEY, isPostgresUniqueViolation } from './postgres-errors.ts'
import { HEARTBEAT_MS, PostgresLiveness } from './postgres-liveness.ts'
import { openMigrationPool, openPool } from './postgres-pool.ts'

/** Number of the advisory lock around migrations: "grantway" in ASCII. */
const MIGRATION_LOCK = 0x6772616e74776179n.toString()

/**
 * Opens a PostgreSQL database (15 and newer are tested) for one of several processes. Lease, due and attempt
 * times come from its clock.
 *
 * @param options.url           `postgres://…`; the database must exist and the role may create tables
 * @param options.poolSize      most connections of the pool; one more shows that this process lives
 * @param options.clockOffsetMs added to the database's clock; only tests set it
 * @param options.heartbeatMs   how often it is looked whether this process still shows that it lives; only tests set it
 * @throws AppError `api.unavailable` when the server can't be reached, here and from every store
 */
export async function openPostgresDatabase(options: {
  readonly url: string
  readonly poolSize: number
  readonly ids: Ids
  readonly logger: Logger
  readonly clockOffsetMs?: number
  readonly heartbeatMs?: number
}): Promise<Database> {
  const { url, poolSize, ids, logger, clockOffsetMs = 0, heartbeatMs = HEARTBEAT_MS } = options
  const connection = connect(openPool(url, poolSize, logger))
  const engine = postgresEngine(clockOffsetMs, (work) => withMigrationLock(url, logger, work))
  const { nowMs } = engine
  const liveness = new PostgresLiveness({ self: ids.uuid(), connection, nowMs, url, logger, heartbeatMs })
  try {
    await liveness.start()
  } catch (error) {
    await Promise.all([connection.destroy(), liveness.stop()])
    throw error
  }
  return createDatabase({
    connection,
    engine,
    liveness,
    async close() {
      await connection.destroy()
      // Last: whoever sees the lock fall may take over what this process had begun.
      await liveness.stop()
    },
  })
}

function connect(pool: ReturnType<typeof openPool>): Connection {
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) })
}

function postgresEngine(clockOffsetMs: number, withLock: Engine['withMigrationLock']): Engine {
  const offset = sql.lit(Math.trunc(clockOffsetMs))
  return {
    // The clock itself: `now()` stands still inside a transaction.
    nowMs: sql<number>`(floor(extract(epoch from clock_timestamp()) * 1000)::bigint + (${offset}))`,
    text: sql`text collate "C"`,
    bytes: sql`bytea`,
    sequence: sql`bigserial`,
    async hasTable(on, name) {
      const { rows } = await sql`select 1 where to_regclass(${name}) is not null`.execute(on)
      return rows.length > 0
    },
    isUniqueViolation: isPostgresUniqueViolation,
    skippingLocked: (query) => query.forUpdate().skipLocked(),
    keepingRows: (query) => query.forKeyShare(),
    lockingRows: (query) => query.forNoKeyUpdate(),
    list: (values) => values,
    isAnyOf: (column, list) => sql<boolean>`${column} = any(${list}::text[])`,
    givenRows(columns) {
      const entries = Object.entries(columns)
      const arrays = entries.map(([, { type, values }]) => sql`${values}::${sql.raw(type)}[]`)
      const names = entries.map(([name]) => sql.ref(name))
      return sql`unnest(${sql.join(arrays)}) as given(${sql.join(names)})`
    },
    async makeAppendOnly(on, table) {
      const refuse = sql.ref(`${table}_refuse`)
      await sql`create function ${refuse}() returns trigger language plpgsql as
        $body$ begin raise exception 'this table is append-only'; end $body$`.execute(on)
      await sql`create trigger ${sql.ref(`${table}_append_only`)} before update or delete or truncate
        on ${sql.table(table)} for each statement execute function ${refuse}()`.execute(on)
    },
    async refuseClosedKeys(on, table, columns) {
      const refuse = sql.ref(`${table}_refuse_closed_key`)
      const keyIds = sql.join(columns.map((name) => sql`split_part(new.${sql.ref(name)}, '.', 2)`))
      await sql`create function ${refuse}() returns trigger language plpgsql as $body$ begin
        if exists (select 1 from data_keys where state <> 'open' and id in (${keyIds})) then
          raise exception 'sealed under a data key that is closed' using errcode = ${sql.lit(CLOSED_KEY)};
        end if;
        return new;
      end $body$`.execute(on)
      await sql`create trigger ${sql.ref(`${table}_closed_key`)} before insert or update of
        ${sql.join(columns.map((name) => sql.ref(name)))} on ${sql.table(table)}
        for each row execute function ${refuse}()`.execute(on)
    },
    async holdUpWrites(transaction, tables, waitMs) {
      await sql`set local lock_timeout = ${sql.lit(`${Math.ceil(waitMs)}ms`)}`.execute(transaction)
      // Conflicts with the lock of every INSERT, UPDATE and DELETE, with no SELECT (PostgreSQL 17, table 13.2).
      const names = sql.join(tables.map((table) => sql.table(table)))
      await sql`lock table ${names} in share mode`.execute(transaction)
    },
    withMigrationLock: withLock,
  }
}

async function withMigrationLock<T>(
  url: string,
  logger: Logger,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  const pool = connect(openMigrationPool(url, logger))
  try {
    return await pool.connection().execute(async (session) => {
      // A lock of the session: it falls with this pool's only connection, also when the process dies.
      await sql`select pg_advisory_lock(${MIGRATION_LOCK}::bigint)`.execute(session)
      return work(session)
    })
  } finally {
    await pool.destroy()
  }
}
