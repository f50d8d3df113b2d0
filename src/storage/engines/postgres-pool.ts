import type { PostgresPool, PostgresPoolClient } from 'kysely'
import { Socket } from 'node:net'
import pg from 'pg'
import type { Logger } from '../../kit/logger.ts'
import { AppError } from '../../kit/app-error.ts'
import { refuseNul } from '../refuse-nul.ts'
import { toPostgresStorageError } from './postgres-errors.ts'

const CONNECT_TIMEOUT_MS = 5_000
const STATEMENT_TIMEOUT_MS = 10_000
const INT8 = 20

/** Reads int8 as a number: every bigint column holds times and versions far below 2^53. */
const types: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) => (oid === INT8 ? Number : pg.types.getTypeParser(oid, format)),
}

/** How every connection of ours is made. `url` holds a password: it is never logged. */
export function connectionOptions(url: string): pg.ClientConfig {
  return {
    connectionString: url,
    types,
    application_name: 'grantway',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
  }
}

/** What statements of one turn of the event loop are sent by goes out in one piece. */
class GatheringSocket extends Socket {
  // pg corks and uncorks around the messages of each statement.
  override uncork(): void {
    process.nextTick(() => super.uncork())
  }
}

/**
 * Opens a pool for Kysely. Nothing on it waits for ever: connecting, waiting for a free connection and every
 * statement have a deadline, on the server first and here in case the server has gone silent. Its errors are
 * the stores' (postgres-errors.ts).
 */
export function openPool(url: string, size: number, logger: Logger): PostgresPool {
  const pool = new pg.Pool({
    ...connectionOptions(url),
    max: size,
    // A statement does not wait for the answer of the one before, in a transaction that sends several (pg 8.23, read 2026-11).
    pipeline: true,
    stream: () => new GatheringSocket(),
    statement_timeout: STATEMENT_TIMEOUT_MS,
    query_timeout: STATEMENT_TIMEOUT_MS + 2_000,
    idle_in_transaction_session_timeout: 2 * STATEMENT_TIMEOUT_MS,
  })
  return guardPool(pool, logger)
}

/** Opens a pool of one connection for migrations: they may take long, but do not wait for ever for a lock. */
export function openMigrationPool(url: string, logger: Logger): PostgresPool {
  return guardPool(new pg.Pool({ ...connectionOptions(url), max: 1, lock_timeout: 600_000 }), logger)
}

function guardPool(pool: pg.Pool, logger: Logger): PostgresPool {
  // An idle connection that the server ends: the pool drops it by itself and makes another one.
  pool.on('error', (error) => logger.warn({ err: error }, 'database-connection-lost'))
  // The pool takes its listener away before we have the connection: a server that shuts down in the same packet in which
  // it says that it is ready would end this process. Such a connection takes no query, which says it then.
  pool.on('connect', (client) => client.on('error', () => undefined))
  return {
    options: {},
    async connect() {
      try {
        return guardClient(await pool.connect(), logger)
      } catch (error) {
        throw toPostgresStorageError(error)
      }
    },
    end: () => pool.end(),
  }
}

/** Statements that find or write rows by their keys, whose plan is the same whatever the values are, and others. */
const MAY_BE_BY_KEY = /^(?:delete|insert|select|update) /
const NOT_BY_KEY = /\b(?:any|in|limit|order by|unnest)\b|[<>]/
const MOST_NAMES = 300
const names = new Map<string, string>()

/**
 * Names a statement, so that each connection has it parsed and planned once: that was a third of the server's work for
 * a grant (docs/benchmarks.md). Others go without, and are planned for their values each time.
 */
function named(text: string): { readonly name?: string } {
  const known = names.get(text)
  if (known !== undefined) return { name: known }
  if (names.size >= MOST_NAMES || !MAY_BE_BY_KEY.test(text) || NOT_BY_KEY.test(text)) return {}
  const name = `grantway_${names.size}`
  names.set(text, name)
  return { name }
}

function guardClient(client: pg.PoolClient, logger: Logger): PostgresPoolClient {
  let unusable = false
  // Between its statements a connection taken from the pool has no listener of the pool's.
  const onError = (error: Error) => {
    unusable = true
    logger.warn({ err: error }, 'database-connection-lost')
  }
  client.on('error', onError)
  let mustBegin = false
  const query = async (text: string, values: readonly unknown[]) => {
    if (text === 'begin') {
      // Goes with the first statement of the transaction.
      mustBegin = true
      return { command: 'BEGIN', rowCount: null, rows: [] }
    }
    refuseNul(values)
    try {
      const begun = mustBegin ? client.query('begin') : undefined
      mustBegin = false
      const [answer] = await Promise.all([client.query({ ...named(text), text, values: [...values] }), begun])
      return answer
    } catch (error) {
      const mapped = toPostgresStorageError(error)
      // After a deadline of ours the connection may still be busy with the statement: not for the next one.
      if (mapped instanceof AppError && mapped.type === 'api.internal_error') unusable = true
      throw mapped
    }
  }
  return {
    // Kysely's types name each query's rows; its other overload is for cursors, which nothing here opens.
    query: query as unknown as PostgresPoolClient['query'],
    release(destroy) {
      client.off('error', onError)
      client.release(unusable || destroy === true)
    },
  }
}
