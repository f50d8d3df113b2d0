import type { HttpClient } from '../../kit/outbound/http-client.ts'
import type { Secret } from '../../kit/secret.ts'
import { requestToken, type TokenAnswer, type TokenRequest } from './token-request.ts'

/**
 * Trades a refresh token for an access token at the provider's token endpoint.
 *
 * @param refreshToken  current refresh token; may be spent by this call
 * @returns tokens; `refreshToken` only when the provider rotated it: store before use
 * @throws ProviderError as `requestToken`
 * @see RFC 6749 section 6
 */
export function refreshAccessToken(
  http: HttpClient,
  request: Omit<TokenRequest, 'form'> & {
    readonly refreshToken: Secret
    readonly scope?: string
    readonly redirectUri?: string
  },
): Promise<TokenAnswer> {
  const { refreshToken, scope, redirectUri, ...rest } = request
  return requestToken(http, {
    ...rest,
    form: { grant_type: 'refresh_token', refresh_token: refreshToken, scope, redirect_uri: redirectUri },
  })
}
