import type { AuthorizeCall, Authorization, CodeExchangeCall } from '../../core/ports/authorization.ts'
import type { Tokens } from '../../core/ports/identity.ts'
import { buildAuthorizeUrl, joinScopes } from '../../protocols/oauth2/authorize-url.ts'
import { type CodeFault, exchangeAuthorizationCode } from '../../protocols/oauth2/exchange-code.ts'
import type { TokenErrorAnswer } from '../../protocols/oauth2/token-request.ts'
import { judgeYahooTokenError } from './errors.ts'
import { toTokens, type YahooOAuthDeps } from './identity.ts'

/** What userinfo needs to tell the address (OpenID Connect guide, checked 2026-11). */
const IDENTITY_SCOPES: readonly string[] = ['openid', 'email', 'profile']

/**
 * Yahoo's consent page and back. A refresh token comes of every sign-in without being asked for. No `issuer`: Yahoo's
 * discovery document names no such parameter.
 *
 * @see developer.yahoo.com/oauth2/guide/flows_authcode (checked 2026-11)
 */
export function createYahooAuthorization(deps: YahooOAuthDeps): Authorization {
  return {
    authorizeUrl: (call) => authorizeUrl(deps, call),
    exchangeCode: (call) => exchangeCode(deps, call),
  }
}

function authorizeUrl({ endpoints }: YahooOAuthDeps, call: AuthorizeCall): string {
  return buildAuthorizeUrl(endpoints.authorizeUrl, {
    response_type: 'code',
    client_id: call.client.clientId,
    redirect_uri: call.redirectUri,
    scope: joinScopes(IDENTITY_SCOPES, call.scope),
    state: call.state,
    // Neither the guide nor the discovery document mentions PKCE, but mail apps are refused without it ("invalid code
    // challenge or method": mustang issue 162, thunderbird-android issue 7159; checked 2026-11).
    code_challenge: call.codeChallenge,
    code_challenge_method: 'S256',
    login_hint: call.loginHint,
  })
}

async function exchangeCode(
  { endpoints, http, clock }: YahooOAuthDeps,
  call: CodeExchangeCall,
): Promise<Tokens> {
  const { client, code, redirectUri, codeVerifier, signal } = call
  return toTokens(
    await exchangeAuthorizationCode(http, {
      url: endpoints.tokenUrl,
      client,
      clientAuthentication: 'basic',
      code,
      redirectUri,
      codeVerifier,
      signal,
      faultOf,
      judge: judgeYahooTokenError,
      nowMs: clock.nowMs(),
    }),
  )
}

/** "redirect_uri does not match the one of the authorization request", or is not the client's (guide, "Errors", checked 2026-11). */
const REDIRECT_ERRORS = new Set(['invalid_redirect_uri', 'unsupported_redirect_uri', 'invalid_callback'])

/** Yahoo writes its codes in capitals or not. */
function faultOf({ error, description }: TokenErrorAnswer): CodeFault | undefined {
  const code = error.toLowerCase()
  if (REDIRECT_ERRORS.has(code)) return 'redirect-uri'
  if (code === 'invalid_grant') return /redirect.?uri/i.test(description) ? 'redirect-uri' : 'code'
  return undefined
}
