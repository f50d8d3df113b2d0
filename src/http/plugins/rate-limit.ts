import type { GrantRecord } from '../../core/ports/records.ts'
import type { RequestLimits } from '../../core/ports/limits.ts'
import type { Caller } from '../../core/ports/services.ts'
import type { Route } from '../route.ts'

/**
 * Counts a request before anybody is known, by its address.
 * @param ip  the client's, not the proxy's
 * @throws AppError 429 `api.rate_limit_error`
 */
export async function limitAddress(limits: RequestLimits, { limit }: Route, ip: string): Promise<void> {
  if (limit === 'oauth') await limits.admit('oauth-address', ip)
  if (limit === 'detect') await limits.admit('detect-address', ip)
}

/**
 * Counts a request for whom it turned out to come from.
 * @throws AppError 429 `api.rate_limit_error`
 */
export async function limitCaller(
  limits: RequestLimits,
  { limit, tag, messageBody }: Route,
  { caller, grant }: { readonly caller: Caller | null; readonly grant: GrantRecord | null },
  isForm: boolean,
): Promise<void> {
  if (limit === 'data' && grant && messageBody && isForm) await limits.admit('form', grant.id)
  if (limit === 'data' && grant) await limits.admit('data', grant.id)
  if (!caller) return
  if (limit === 'admin') await limits.admit('admin', `${caller.applicationId}:${tag}`)
  if (limit === 'detect') await limits.admit('detect', caller.applicationId)
}
