import { ProviderError } from '../../kit/provider-error.ts'
import type { TokenErrorAnswer } from '../../protocols/oauth2/token-request.ts'

/** Codes of Yahoo's own beside those of RFC 6749 (OAuth 2.0 guide, "Errors", checked 2026-11). */
const REVOKED = new Set(['INVALID_REFRESH_TOKEN', 'TOKEN_EXPIRED', 'ACCOUNT_NOT_AUTHORIZED'])
const MISCONFIGURED = new Set([
  'INVALID_CONSUMER_KEY',
  'INVALID_CONSUMER_SECRET',
  'INVALID_CLIENT_SECRET',
  'UNAUTHORIZED_CLIENT',
])

/** Judges an error of Yahoo's token endpoint; undefined leaves it to the common rules. */
export function judgeYahooTokenError(answer: TokenErrorAnswer): ProviderError | undefined {
  const code = answer.error.toUpperCase()
  const details = { httpStatus: answer.status, providerCode: answer.error, providerBody: answer.shown }
  if (REVOKED.has(code)) {
    return new ProviderError('grant-revoked', 'Yahoo rejected the refresh token.', details)
  }
  if (MISCONFIGURED.has(code)) {
    return new ProviderError('client-misconfigured', 'Yahoo rejected the client id or secret.', details)
  }
  return undefined
}
