import { appError } from '../../contract/errors.ts'

const ADDRESS = /^[^\s@<>,;:"()[\]\\]+@[^\s@<>,;:"()[\]\\]+$/
const MAX_LENGTH = 320

/**
 * Checks that a parameter is one email address.
 * @returns the address, trimmed
 * @throws AppError `api.invalid_request_error` that names the parameter
 */
export function oneAddress(value: string, name: string): string {
  const address = value.trim()
  if (address.length <= MAX_LENGTH && ADDRESS.test(address)) return address
  throw appError('api.invalid_request_error', `${name} must be one email address`)
}
