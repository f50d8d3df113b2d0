import { appError } from '../../contract/errors.ts'
import { AppError } from '../../kit/app-error.ts'
import type { RowError } from '../ports/import.ts'

/**
 * An id that some grant has. One text whoever owns it: an id of another application's grant is not told from one's
 * own.
 */
export function takenId(field: 'grant_id' | 'account_id'): AppError {
  return appError('api.invalid_request_error', `${field} is taken by another grant`)
}

/**
 * What a row's failure is called in the results.
 * @throws the error itself where it is not the row's: the database can't be reached, or a fault of ours
 */
export function toRowError(error: unknown): RowError {
  if (!(error instanceof AppError) || error.status === 503 || error.status === 500) throw error
  return { type: error.type, message: error.message }
}
