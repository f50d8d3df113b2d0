import type { GrantId } from '../../contract/ids.ts'
import type { JsonObject } from '../../kit/json.ts'
import type { Logger } from '../../kit/logger.ts'
import type { Secret } from '../../kit/secret.ts'
import type { GrantSecret } from './identity.ts'

/**
 * All a provider gets to act for a grant. It never sees the vault, a store, the request or the reply.
 * Lives for one request.
 */
export interface GrantSession {
  readonly grantId: GrantId
  /** As the provider writes it. */
  readonly email: string
  readonly scope: readonly string[]
  /** The grant's public settings. */
  readonly settings: JsonObject
  /** Fires at the request's deadline or when the client hangs up. */
  readonly signal: AbortSignal
  readonly log: Logger
  /** Counts what was asked of the provider, for the answer's headers: each request, each try; Gmail's quota units. */
  spend(spent: { readonly requests: number; readonly gmailUnits?: number }): void
  /**
   * Gives an access token that is good for a while: cached, or refreshed under the grant's lease.
   * @throws AppError `grant.expired`, `api.provider_error`
   */
  accessToken(): Promise<Secret>
  /**
   * Gives another token after the provider's API refused this one with 401: one refresh, unless somebody
   * refreshed meanwhile. Call it at most once per request.
   */
  replaceRejected(rejected: Secret): Promise<Secret>
  /**
   * The grant's secret, for mailboxes that sign in with it (`kind: 'mailbox'`) and for impersonation
   * (`emailAddress`).
   */
  secret(): Promise<GrantSecret>
}
