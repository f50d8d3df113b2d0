import type { Authorization } from '../../core/ports/authorization.ts'
import { joinScopes } from '../../protocols/oauth2/authorize-url.ts'
import type { CodeFault } from '../../protocols/oauth2/exchange-code.ts'
import type { TokenErrorAnswer } from '../../protocols/oauth2/token-request.ts'
import { createCodeAuthorization } from '../../standards/authorization-code/code-authorization.ts'
import { judgeYahooTokenError } from './errors.ts'
import { toTokens, type YahooOAuthDeps } from './identity.ts'

/** What userinfo needs to tell the address (OpenID Connect guide, checked 2026-11). */
const IDENTITY_SCOPES: readonly string[] = ['openid', 'email', 'profile']

/**
 * Yahoo's consent page and back. A refresh token comes of every sign-in without being asked for. No `issuer`: Yahoo's
 * discovery document names no such parameter. PKCE is mentioned nowhere, but mail apps are refused without it ("invalid
 * code challenge or method": mustang issue 162, thunderbird-android issue 7159; checked 2026-11).
 *
 * @see developer.yahoo.com/oauth2/guide/flows_authcode (checked 2026-11)
 */
export function createYahooAuthorization({ endpoints, http, clock }: YahooOAuthDeps): Authorization {
  return createCodeAuthorization({
    endpoints,
    http,
    clock,
    clientAuthentication: 'basic',
    scopeOf: ({ scope }) => joinScopes(IDENTITY_SCOPES, scope),
    parametersOf: ({ loginHint }) => ({ login_hint: loginHint }),
    faultOf,
    judge: judgeYahooTokenError,
    toTokens,
  })
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
