import type { AuthorizeCall, Authorization, CodeExchangeCall } from '../../core/ports/authorization.ts'
import type { Tokens } from '../../core/ports/identity.ts'
import { buildAuthorizeUrl } from '../../protocols/oauth2/authorize-url.ts'
import { type CodeFault, exchangeAuthorizationCode } from '../../protocols/oauth2/exchange-code.ts'
import type { TokenErrorAnswer } from '../../protocols/oauth2/token-request.ts'
import { judgeZoomTokenError } from './errors.ts'
import { toTokens, type ZoomDeps } from './identity.ts'

/**
 * Zoom's consent page and back.
 * @see developers.zoom.us/docs/integrations/oauth (checked 2026-11)
 */
export function createZoomAuthorization(deps: ZoomDeps): Authorization {
  return {
    authorizeUrl: (call) => authorizeUrl(deps, call),
    exchangeCode: (call) => exchangeCode(deps, call),
  }
}

/** Scopes are set in the app and a hint is not known to Zoom, so neither is sent. */
function authorizeUrl({ endpoints }: ZoomDeps, call: AuthorizeCall): string {
  return buildAuthorizeUrl(endpoints.authorizeUrl, {
    response_type: 'code',
    client_id: call.client.clientId,
    redirect_uri: call.redirectUri,
    state: call.state,
    code_challenge: call.codeChallenge,
    code_challenge_method: 'S256',
  })
}

async function exchangeCode({ endpoints, http, clock }: ZoomDeps, call: CodeExchangeCall): Promise<Tokens> {
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
      judge: judgeZoomTokenError,
      nowMs: clock.nowMs(),
    }),
  )
}

/**
 * Zoom's words stand in `reason`: "Redirect URI mismatch." (oauth-error-messages, 4709), "Invalid authorization code …"
 * with `invalid_request` or `invalid_grant` (devforum.zoom.us topics 12302, 77062, 137623); a wrong verifier is
 * `invalid_grant`. Checked 2026-11.
 */
function faultOf({ error, description }: TokenErrorAnswer): CodeFault | undefined {
  if (/redirect/i.test(description)) return 'redirect-uri'
  if (/authorization code|code.?verifier/i.test(description)) return 'code'
  const hasOtherReason = /token|client|disabled/i.test(description)
  return error === 'invalid_grant' && !hasOtherReason ? 'code' : undefined
}
