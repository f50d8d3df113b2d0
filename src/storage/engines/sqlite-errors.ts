import { appError } from '../../contract/errors.ts'

// Result codes: sqlite.org/rescode.html (checked 2026-11). The low byte is the primary code.
const BUSY = 5
const LOCKED = 6
const FULL = 13
const CONSTRAINT_FOREIGN_KEY = 787
const CONSTRAINT_PRIMARY_KEY = 1555
const CONSTRAINT_TRIGGER = 1811
const CONSTRAINT_UNIQUE = 2067

/** What the triggers say that guard sealed columns. */
export const CLOSED_KEY = 'sealed under a data key that is closed'

/**
 * Turns an error of SQLite into what the stores throw: AppError `api.unavailable` when another process holds
 * the file, the disk is full or a data key was closed meanwhile, `api.not_found_error` when what a row refers to was deleted meanwhile; any
 * other error as it is.
 */
export function toSqliteStorageError(error: unknown): unknown {
  const code = resultCode(error)
  if (code === undefined) return error
  const detail = error instanceof Error ? error.message : 'SQLite failed'
  if (code === CONSTRAINT_FOREIGN_KEY) {
    return appError('api.not_found_error', 'What this refers to does not exist any more.', {
      detail,
      cause: error,
    })
  }
  const primary = code & 0xff
  const isClosedKey = code === CONSTRAINT_TRIGGER && detail === CLOSED_KEY
  if (primary === BUSY || primary === LOCKED || primary === FULL || isClosedKey) {
    return appError('api.unavailable', undefined, { detail, cause: error, retryAfterSeconds: 1 })
  }
  return error
}

/** Tells whether a row with that key is there already. */
export function isSqliteUniqueViolation(error: unknown): boolean {
  const code = resultCode(error)
  return code === CONSTRAINT_UNIQUE || code === CONSTRAINT_PRIMARY_KEY
}

/** Tells whether another process has the file. */
export function isSqliteBusy(error: unknown): boolean {
  const code = resultCode(error)
  return code !== undefined && (code & 0xff) === BUSY
}

function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined
  return typeof error.errcode === 'number' ? error.errcode : undefined
}
