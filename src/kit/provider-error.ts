/**
 * How a provider failed us, as far as core needs to know.
 *
 * - `grant-revoked`: the user's secret is dead for good (revoked, expired, password changed, policy)
 * - `client-misconfigured`: the operator's client id or secret is wrong; says nothing about the user
 * - `access-refused`: an API refused a token that was just issued; the grant may still be good
 * - `scope-missing`: the grant lacks a permission
 * - `not-found`, `conflict`, `invalid-request`: about one object or one request
 * - `rate-limited`: slow down; `quota-exhausted`: nothing more until the quota renews
 * - `unavailable`: could not be reached, or 5xx; `timeout`: no answer inside the deadline
 * - `rejected`: the message or a recipient is refused for good; `send-as-denied`: not from that address
 * - `too-large`: over the provider's ceiling; `mailbox-full`: no room left in the account
 * - `unsupported`: this provider lacks that one field or filter
 * - `malformed-response`: an answer that can't be read
 */
export type ProviderErrorKind =
  | 'grant-revoked'
  | 'client-misconfigured'
  | 'access-refused'
  | 'scope-missing'
  | 'not-found'
  | 'conflict'
  | 'invalid-request'
  | 'rate-limited'
  | 'quota-exhausted'
  | 'unavailable'
  | 'timeout'
  | 'rejected'
  | 'send-as-denied'
  | 'too-large'
  | 'mailbox-full'
  | 'unsupported'
  | 'malformed-response'

export interface ProviderErrorDetails {
  readonly retryAfterSeconds?: number
  /** The provider's own code: `invalid_grant`, `AADSTS700082`, `AUTHENTICATIONFAILED`, `ErrorItemNotFound`. */
  readonly providerCode?: string
  /** Our own stable name of the cause, where a table knows it: `access_revoked`, `client_secret_expired`. */
  readonly reason?: string
  /** The provider's answer as an object, redacted, fit for `error.provider_error`. */
  readonly providerBody?: Record<string, unknown>
  /** HTTP status of the provider's answer, when there was one. */
  readonly httpStatus?: number
  /**
   * False only when no answer came to a request that may have been carried out. Decides whether a refresh
   * token may have been spent without our knowing.
   */
  readonly answered?: boolean
  /** What the owner of the grant or connector should do, in plain words. */
  readonly advice?: string
  readonly cause?: unknown
}

/** The one way providers and protocols fail. The message is fit for the client: it holds no secret. */
export class ProviderError extends Error {
  readonly kind: ProviderErrorKind
  readonly details: ProviderErrorDetails

  constructor(kind: ProviderErrorKind, message: string, details: ProviderErrorDetails = {}) {
    super(message, details.cause === undefined ? {} : { cause: details.cause })
    this.name = 'ProviderError'
    this.kind = kind
    this.details = details
  }
}
