import { appError } from '../../contract/errors.ts'
import { AppError } from '../../kit/app-error.ts'

/** SQLSTATE of the triggers that guard sealed columns: a data key was closed meanwhile. */
export const CLOSED_KEY = 'GW001'

/** SQLSTATE classes and codes that say "not now": postgresql.org, appendix A (checked 2026-11). */
const NOT_NOW = [
  '08', // connection exceptions
  '25006', // read-only: a standby before its promotion
  '25P03', // idle in transaction for too long
  '28', // sign-in refused: a matter of configuration, not of the request
  '3D000', // no such database
  '40', // deadlock, serialization failure: the transaction is undone
  '53', // out of connections, memory or disk
  '55P03', // lock not available in time
  '57', // shutting down, starting up, statement deadline, connection ended by an operator
  '58', // the server's own I/O failed
  CLOSED_KEY,
]

/** What a value can be that the engine refuses: NUL or broken UTF-8, too long for an index, out of range. */
const BAD_VALUE = ['22', '54000']

const FOREIGN_KEY = '23503'
const UNIQUE = '23505'

/** Codes of Node's sockets and look-ups. */
const NETWORK = new Set([
  'EAI_AGAIN',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'EMFILE',
  'ENETDOWN',
  'ENETUNREACH',
  'ENOENT', // the unix socket is not there
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
])

/** Errors that pg and pg-pool make without a code (8.23, read 2026-11). */
const PG_MESSAGE =
  /^(timeout exceeded when trying to connect|timeout expired|Connection terminated|Query read timeout|Client has encountered a connection error|Client was closed|Cannot use a pool after calling end)/

/**
 * Turns an error of pg into what the stores throw: AppError `api.unavailable` when the server can't be
 * reached or can't serve now, `api.invalid_request_error` for a value it can't keep, `api.not_found_error`
 * when what a row refers to was deleted meanwhile; any other error as it is.
 */
export function toPostgresStorageError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof AppError) return error
  const code = codeOf(error)
  const extras = { detail: `${code} ${error.message}`.trim(), cause: error }
  if (
    isOutdatedPlan(error, code) ||
    NETWORK.has(code) ||
    PG_MESSAGE.test(error.message) ||
    startsWithOneOf(code, NOT_NOW)
  ) {
    return appError('api.unavailable', undefined, { ...extras, retryAfterSeconds: 2 })
  }
  if (startsWithOneOf(code, BAD_VALUE)) {
    return appError('api.invalid_request_error', 'A value is too long or not valid.', extras)
  }
  if (code === FOREIGN_KEY) {
    return appError('api.not_found_error', 'What this refers to does not exist any more.', extras)
  }
  return error
}

/** Tells whether a row with that key is there already. */
export function isPostgresUniqueViolation(error: unknown): boolean {
  return error instanceof Error && codeOf(error) === UNIQUE
}

/**
 * A statement that the connection keeps answers other columns since a migration of another process ("cached plan must
 * not change result type", in the server's language; PostgreSQL 17, plancache.c): a new connection is needed.
 */
function isOutdatedPlan(error: Error, code: string): boolean {
  return code === '0A000' && 'routine' in error && error.routine === 'RevalidateCachedQuery'
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : ''
}

function startsWithOneOf(code: string, beginnings: readonly string[]): boolean {
  // SQLSTATEs have five characters; Node's own codes (ERR_…, E…) are longer or begin otherwise.
  return code.length === 5 && beginnings.some((beginning) => code.startsWith(beginning))
}
