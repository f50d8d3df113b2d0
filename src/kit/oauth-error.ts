/** Codes of RFC 6749 section 5.2 and what contract/auth.md 4.1 adds. */
export type OAuthErrorCode =
  | 'invalid_request'
  | 'invalid_client'
  | 'invalid_grant'
  | 'unsupported_grant_type'
  | 'invalid_token'
  | 'server_error'
  | 'temporarily_unavailable'

/** A refusal of `/v3/connect/token`, `tokeninfo` or `revoke`: answered in the OAuth body. */
export class OAuthError extends Error {
  readonly code: OAuthErrorCode
  readonly status: number
  readonly retryAfterSeconds: number | undefined

  constructor(code: OAuthErrorCode, status: number, description: string, retryAfterSeconds?: number) {
    super(description)
    this.name = 'OAuthError'
    this.code = code
    this.status = status
    this.retryAfterSeconds = retryAfterSeconds
  }
}
