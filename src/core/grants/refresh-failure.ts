import { appError } from '../../contract/errors.ts'
import type { AppError } from '../../kit/app-error.ts'
import type { ProviderError } from '../../kit/provider-error.ts'
import type { GrantReason } from '../../contract/grant.ts'

const FIRST_COOL_DOWN_MS = 1_000
const LONGEST_COOL_DOWN_MS = 60_000
/** A provider that asks for more is believed up to here. */
const LONGEST_RETRY_AFTER_MS = 15 * 60_000

/** How long nobody asks again after the nth failure in a row; the provider's `Retry-After` comes first. */
export function coolDownMs(failures: number, error: ProviderError): number {
  const asked = error.details.retryAfterSeconds
  if (asked !== undefined) return Math.min(asked * 1000, LONGEST_RETRY_AFTER_MS)
  return Math.min(FIRST_COOL_DOWN_MS * 2 ** Math.min(failures - 1, 10), LONGEST_COOL_DOWN_MS)
}

/** The error a client sees for a grant that is dead: why, and what the provider said. */
export function expiredError(reason: GrantReason | null): AppError {
  if (!reason) return appError('grant.expired')
  const { provider_error: providerError, ...shown } = reason
  return appError('grant.expired', `Grant is expired. Re-authenticate the user. ${reason.message}`, {
    providerError: providerError ?? { code: reason.code, message: reason.message },
    fields: { reason: shown },
  })
}

/** Whether the failure says that the grant is gone, so that no token of it may be served any more. */
export function tokensAreDead(error: AppError): boolean {
  return error.type === 'grant.expired' || error.type === 'grant.not_found'
}

/** Whether the provider refused the operator's client or our request, so that the user can do nothing about it. */
export function isConfigurationFault(error: ProviderError): boolean {
  return error.kind === 'client-misconfigured' || error.kind === 'invalid-request'
}
