import type { HttpClient } from '../../kit/outbound/http-client.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import type { Secret } from '../../kit/secret.ts'
import { requestToken, type TokenAnswer, type TokenErrorAnswer, type TokenRequest } from './token-request.ts'

/** What a refusal is about: the code (or its verifier), or the address it was sent to. */
export type CodeFault = 'code' | 'redirect-uri'

export interface CodeRequest extends Omit<TokenRequest, 'form'> {
  /** single use */
  readonly code: Secret
  /** byte for byte as in the authorization request */
  readonly redirectUri: string
  readonly codeVerifier: Secret
  readonly scope?: string
  /**
   * Finds out from the provider's own words whether code or redirect URI was refused; comes before `judge`, whose
   * tables speak of refresh tokens. Not asked about a 5xx or 429.
   */
  readonly faultOf: (answer: TokenErrorAnswer) => CodeFault | undefined
}

/**
 * Trades the code of a callback for tokens. One call, never repeated here: providers revoke what a code gave when it
 * comes again (RFC 6749 section 4.1.2).
 *
 * @throws ProviderError as `requestToken`: `grant-revoked` for a code that is spent, expired or another client's,
 *         `client-misconfigured` for a redirect URI that does not match
 * @see RFC 6749 section 4.1.3, RFC 7636 section 4.5
 */
export function exchangeAuthorizationCode(http: HttpClient, request: CodeRequest): Promise<TokenAnswer> {
  const { code, redirectUri, codeVerifier, scope, faultOf, judge, ...rest } = request
  return requestToken(http, {
    ...rest,
    form: {
      grant_type: 'authorization_code',
      code,
      redirect_uri: redirectUri,
      code_verifier: codeVerifier,
      scope,
    },
    judge: (answer) => {
      const isAboutUs = answer.status < 500 && answer.status !== 429
      const fault = isAboutUs ? faultOf(answer) : undefined
      return fault ? faultError(fault, answer) : judge?.(answer)
    },
  })
}

function faultError(fault: CodeFault, answer: TokenErrorAnswer): ProviderError {
  const details = {
    httpStatus: answer.status,
    providerCode: answer.error || `HTTP ${answer.status}`,
    providerBody: answer.shown,
    answered: true,
  }
  return fault === 'code'
    ? new ProviderError(
        'grant-revoked',
        'The provider does not accept the code of this sign-in: it was used before, has expired, or belongs to another client.',
        {
          ...details,
          advice:
            'Start the sign-in again. If it always fails, compare client id and secret of the connector with the app.',
        },
      )
    : new ProviderError('client-misconfigured', 'The provider does not know the redirect URI.', {
        ...details,
        advice:
          'Register <public url>/v3/connect/callback with the app, character by character, and check GRANTWAY_PUBLIC_URL.',
      })
}
