/** A limit on requests, and whom it counts. */
export type LimitName =
  /** per application and part of the API */
  | 'admin'
  /** per application: detection asks name servers and strangers' web servers */
  | 'detect'
  /** per grant */
  | 'data'
  /** per grant: forms with files */
  | 'form'
  /** per address, before anybody is known */
  | 'oauth-address'
  /** per address, before anybody is known */
  | 'detect-address'
  /** per address and client: attempts at a token that were refused */
  | 'token-refusals'

/** Limits on requests that all processes share. */
export interface RequestLimits {
  /**
   * Counts one more.
   * @param subject  whom it counts for: ids, or the address
   * @throws AppError 429 `api.rate_limit_error` with `Retry-After`
   */
  admit(limit: LimitName, subject: string): Promise<void>
}
