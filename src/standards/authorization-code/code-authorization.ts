import type { AuthorizeCall, Authorization } from '../../core/ports/authorization.ts'
import type { Tokens } from '../../core/ports/identity.ts'
import type { Clock } from '../../kit/clock.ts'
import type { HttpClient } from '../../kit/outbound/http-client.ts'
import { buildAuthorizeUrl } from '../../protocols/oauth2/authorize-url.ts'
import { type CodeRequest, exchangeAuthorizationCode } from '../../protocols/oauth2/exchange-code.ts'
import type { TokenAnswer } from '../../protocols/oauth2/token-request.ts'

/** Where a provider's consent page differs from the standard. */
export interface CodeAuthorization
  extends Required<Pick<CodeRequest, 'clientAuthentication' | 'faultOf' | 'judge'>> {
  /** Set by the operator, so trusted. */
  readonly endpoints: { readonly authorizeUrl: string; readonly tokenUrl: string }
  readonly http: HttpClient
  readonly clock: Clock
  /** Left out where scopes are set in the app. */
  readonly scopeOf?: (call: AuthorizeCall) => string
  /** What else the page is asked; those that are undefined are left out. */
  readonly parametersOf?: (call: AuthorizeCall) => { readonly [name: string]: string | undefined }
  /** Reads what the token endpoint answered. */
  readonly toTokens: (answer: TokenAnswer) => Tokens
}

/**
 * A consent page and back by the authorization code grant with PKCE, for providers with one address of each kind.
 * @see RFC 6749 section 4.1, RFC 7636
 */
export function createCodeAuthorization(provider: CodeAuthorization): Authorization {
  const { endpoints, http, clock, clientAuthentication, faultOf, judge } = provider
  return {
    authorizeUrl: (call) =>
      buildAuthorizeUrl(endpoints.authorizeUrl, {
        response_type: 'code',
        client_id: call.client.clientId,
        redirect_uri: call.redirectUri,
        scope: provider.scopeOf?.(call),
        state: call.state,
        code_challenge: call.codeChallenge,
        code_challenge_method: 'S256',
        ...provider.parametersOf?.(call),
      }),
    async exchangeCode({ client, code, redirectUri, codeVerifier, signal }) {
      const answer = await exchangeAuthorizationCode(http, {
        url: endpoints.tokenUrl,
        client,
        clientAuthentication,
        code,
        redirectUri,
        codeVerifier,
        signal,
        faultOf,
        judge,
        nowMs: clock.nowMs(),
      })
      return provider.toTokens(answer)
    },
  }
}
