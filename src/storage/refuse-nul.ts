import { appError } from '../contract/errors.ts'

/**
 * Refuses text with a NUL character in a statement's values: PostgreSQL can't keep it, and an address or an
 * id that has one fits nothing, so that both engines answer the same.
 *
 * @throws AppError `api.invalid_request_error`
 */
export function refuseNul(values: readonly unknown[]): void {
  for (const value of values) {
    if (typeof value === 'string' && value.includes('\0')) {
      throw appError('api.invalid_request_error', 'Text must not contain a NUL character.')
    }
  }
}
