import type { AuthorizeCall, Authorization, CodeExchangeCall } from '../../core/ports/authorization.ts'
import type { Tokens } from '../../core/ports/identity.ts'
import { buildAuthorizeUrl } from '../../protocols/oauth2/authorize-url.ts'
import { type CodeFault, exchangeAuthorizationCode } from '../../protocols/oauth2/exchange-code.ts'
import type { TokenErrorAnswer } from '../../protocols/oauth2/token-request.ts'
import { type GoogleDeps, toTokens } from './identity.ts'
import { IDENTITY_SCOPES, normalizeScopes } from './scopes.ts'
import { judgeGoogleTokenError } from './token-errors.ts'

/**
 * Google's consent page and back.
 *
 * No `issuer`: callbacks carry `iss=https://accounts.google.com` since early 2026, yet neither the discovery document
 * nor the guide says so, and it came in steps (openiddict-core issue 2428, checked 2026-11).
 *
 * @see developers.google.com/identity/protocols/oauth2/web-server (checked 2026-11)
 */
export function createGoogleAuthorization(deps: GoogleDeps): Authorization {
  return {
    authorizeUrl: (call) => authorizeUrl(deps, call),
    exchangeCode: (call) => exchangeCode(deps, call),
  }
}

function authorizeUrl({ endpoints }: GoogleDeps, call: AuthorizeCall): string {
  return buildAuthorizeUrl(endpoints.authorizeUrl, {
    response_type: 'code',
    client_id: call.client.clientId,
    redirect_uri: call.redirectUri,
    scope: normalizeScopes([...IDENTITY_SCOPES, ...call.scope]).join(' '),
    state: call.state,
    code_challenge: call.codeChallenge,
    code_challenge_method: 'S256',
    // Both, else only the first consent of a user gives a refresh token.
    access_type: 'offline',
    prompt: 'consent',
    include_granted_scopes: call.includeGrantedScopes ? 'true' : undefined,
    login_hint: call.loginHint,
  })
}

async function exchangeCode({ endpoints, http, clock }: GoogleDeps, call: CodeExchangeCall): Promise<Tokens> {
  const { client, code, redirectUri, codeVerifier, signal } = call
  return toTokens(
    await exchangeAuthorizationCode(http, {
      url: endpoints.tokenUrl,
      client,
      clientAuthentication: 'body',
      code,
      redirectUri,
      codeVerifier,
      signal,
      faultOf,
      judge: judgeGoogleTokenError,
      nowMs: clock.nowMs(),
    }),
  )
}

/** `invalid_grant` with a subtype, or about the account, is the table's: then it is not the code. */
function faultOf({ error, description, body }: TokenErrorAnswer): CodeFault | undefined {
  if (error === 'redirect_uri_mismatch') return 'redirect-uri'
  if (error === 'invalid_request' && /redirect_uri/i.test(description)) return 'redirect-uri'
  if (error === 'unauthorized_client') return 'code'
  const isAboutAccount = body?.['error_subtype'] !== undefined || /\baccount\b/i.test(description)
  return error === 'invalid_grant' && !isAboutAccount ? 'code' : undefined
}
