import { appError } from '../contract/errors.ts'
import type { AppError } from '../kit/app-error.ts'
import type { ProviderError } from '../kit/provider-error.ts'
import type { ConnectorAlarm } from './ports/records.ts'

/** What of a provider's failure goes to the client and the log; `reason` where there is something to advise. */
function extrasOf(error: ProviderError) {
  const { providerBody, retryAfterSeconds, providerCode, httpStatus, reason, advice } = error.details
  const code = reason ?? providerCode ?? error.kind
  return {
    ...(advice === undefined ? {} : { fields: { reason: { code, message: error.message, advice } } }),
    detail: `${error.kind}${httpStatus === undefined ? '' : ` ${httpStatus}`}: ${error.message}`,
    providerError: providerBody ?? { code: providerCode ?? error.kind, message: error.message },
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    cause: error,
  }
}

/**
 * Turns a provider's failure while a grant is being made into the documented error.
 * @param secretKind  a refused refresh token and a refused login have different errors
 * @see contract/auth.md 2.5
 */
export function connectFailure(error: ProviderError, secretKind: string, note = ''): AppError {
  const extras = extrasOf(error)
  const message = `${error.message}${note}`
  switch (error.kind) {
    case 'grant-revoked':
      return secretKind === 'refresh-token'
        ? appError('grant.refresh_token_invalid', message, extras)
        : appError('grant.invalid_authentication', message, extras)
    case 'client-misconfigured':
    case 'access-refused':
    case 'scope-missing':
    case 'not-found':
    case 'conflict':
      return appError('grant.invalid_authentication', message, extras)
    case 'invalid-request':
    case 'unsupported':
      return error.details.providerBody
        ? appError('grant.invalid_authentication', message, extras)
        : appError('api.invalid_request_error', message, { detail: extras.detail, cause: error })
    case 'rate-limited':
    case 'quota-exhausted':
      return appError('rate_limit_error', message, extras)
    case 'rejected':
    case 'send-as-denied':
    case 'too-large':
    case 'mailbox-full':
    case 'unavailable':
    case 'timeout':
    case 'malformed-response':
      return appError('api.provider_error', message, extras)
  }
}

/** The error for a grant that waits for its connector to be put right. */
export function alarmError(alarm: ConnectorAlarm, retryAfterSeconds: number): AppError {
  const { code, message, advice } = alarm
  return appError('api.provider_error', refusedConnector(message), {
    providerError: alarm.provider_error ?? { code, message },
    fields: { reason: { code, message, advice } },
    retryAfterSeconds,
  })
}

function refusedConnector(message: string): string {
  return `The connector's credentials are refused: ${message}`
}

/**
 * Turns a provider's failure while a valid grant is used into the documented error. `grant-revoked` is not
 * for here: the grant must be invalidated first.
 * @see contract/email.md 16; design.md section 10 where the sources disagree
 */
export function dataFailure(error: ProviderError): AppError {
  const extras = extrasOf(error)
  const { message } = error
  switch (error.kind) {
    case 'grant-revoked':
      return appError('grant.expired', undefined, extras)
    case 'client-misconfigured':
      return appError('api.provider_error', refusedConnector(message), extras)
    case 'access-refused':
      return appError('unauthorized', message, extras)
    case 'scope-missing':
      return appError('insufficient_scopes', message, extras)
    case 'not-found':
      return appError('not_found_error', message, extras)
    case 'conflict':
    case 'invalid-request':
    case 'unsupported':
      return error.details.providerBody
        ? appError('api.invalid_request_error', message, extras)
        : appError('api.invalid_request_error', message, { detail: extras.detail, cause: error })
    case 'rate-limited':
    case 'quota-exhausted':
      return appError('rate_limit_error', message, extras)
    case 'rejected':
      return appError('message_rejected', message, extras)
    case 'send-as-denied':
      return appError('send_as_denied', message, extras)
    case 'too-large':
      return appError('message_too_large', message, extras)
    case 'mailbox-full':
      return appError('mailbox_full', message, extras)
    case 'unavailable':
      return error.details.reason === 'smtp_unavailable'
        ? appError('smtp_unavailable', message, extras)
        : appError('api.provider_error', message, extras)
    case 'timeout':
    case 'malformed-response':
      return appError('api.provider_error', message, extras)
  }
}
