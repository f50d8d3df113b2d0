import { appError, type ErrorKey, ERRORS } from '../../contract/errors.ts'
import type { AppError } from '../../kit/app-error.ts'
import type { HostedStep } from '../ports/oauth-services.ts'

/** What the application is told when no code comes (contract/auth.md 3, RFC 6749 section 4.1.2.1). */
export interface Refusal {
  readonly error: string
  readonly description: string
  /** like the status of the same error elsewhere */
  readonly code: number
}

/** Codes of RFC 6749 section 4.1.2.1 for errors whose type is not one an application looks for. */
const OAUTH_CODES: { readonly [type: string]: string } = {
  'api.invalid_request_error': 'invalid_request',
  'api.provider_error': 'server_error',
  'api.rate_limit_error': 'temporarily_unavailable',
  rate_limit_error: 'temporarily_unavailable',
}

/** A parameter of the application's that is wrong. */
export function invalidParameter(message: string, error = 'invalid_request'): AppError {
  return appError('api.invalid_request_error', message, { fields: { error } })
}

/** Turns an error into what the application is told; null for a fault of ours, which is nobody's to handle. */
export function refusalOf(error: AppError): Refusal | null {
  if (error.type === 'api.internal_error') return null
  const given = error.extras.fields?.['error']
  return {
    error: typeof given === 'string' ? given : (OAUTH_CODES[error.type] ?? error.type),
    description: error.message,
    code: error.status,
  }
}

export const ACCESS_DENIED: Refusal = {
  error: 'access_denied',
  description: 'The user did not give access.',
  code: 403,
}

/** Nothing more can be done in this session. */
export function stop(key: ErrorKey, message: string = ERRORS[key].message): HostedStep {
  return { kind: 'stop', status: ERRORS[key].status, type: ERRORS[key].type, message }
}
