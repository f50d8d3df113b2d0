import type { GrantRecord } from '../ports/records.ts'
import { appError } from '../../contract/errors.ts'
import type { Account } from '../ports/identity.ts'
import type { AccessTokens } from './access-tokens.ts'
import { type Acquired, createAcquireTokens } from './acquire-tokens.ts'
import { identifyAccount } from './identify-account.ts'
import type { RefreshDeps } from './refresh-flight.ts'
import { type Authentication, createUpsertGrant } from './upsert-grant.ts'

/** Each more is another request with the same token that was quicker. */
const MOST_TRIES = 5

/**
 * Acquires tokens, asks whose they are and writes the grant; all of it again when another request with the same
 * refresh token has moved the secret on meanwhile.
 *
 * @throws AppError of contract/auth.md 2.5, and whatever `check` throws
 */
export function createAuthenticate(deps: RefreshDeps & { readonly accessTokens: AccessTokens }) {
  const acquire = createAcquireTokens(deps)
  const upsert = createUpsertGrant(deps)

  return async function authenticate(
    authentication: Omit<Authentication, 'acquired' | 'account'>,
    check: { acquired?(acquired: Acquired): void; account?(account: Account): void } = {},
  ): Promise<{ readonly grant: GrantRecord; readonly by: Acquired['kind'] }> {
    const { input, scope } = authentication
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const acquired = await acquire(input, scope, tries > 0)
      check.acquired?.(acquired)
      const account = await identifyAccount(input, acquired)
      check.account?.(account)
      const grant = await upsert({ ...authentication, acquired, account })
      if (!grant) continue
      if (acquired.kind !== 'granted') deps.accessTokens.forget(grant.id)
      return { grant, by: acquired.kind }
    }
    throw appError('api.provider_error', 'Other requests with this refresh token are under way.', {
      retryAfterSeconds: 1,
    })
  }
}
