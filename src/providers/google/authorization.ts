import type { Authorization } from '../../core/ports/authorization.ts'
import type { CodeFault } from '../../protocols/oauth2/exchange-code.ts'
import type { TokenErrorAnswer } from '../../protocols/oauth2/token-request.ts'
import { createCodeAuthorization } from '../../standards/authorization-code/code-authorization.ts'
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
export function createGoogleAuthorization({ endpoints, http, clock }: GoogleDeps): Authorization {
  return createCodeAuthorization({
    endpoints,
    http,
    clock,
    clientAuthentication: 'body',
    scopeOf: ({ scope }) => normalizeScopes([...IDENTITY_SCOPES, ...scope]).join(' '),
    parametersOf: ({ includeGrantedScopes, loginHint }) => ({
      // Both, else only the first consent of a user gives a refresh token.
      access_type: 'offline',
      prompt: 'consent',
      include_granted_scopes: includeGrantedScopes ? 'true' : undefined,
      login_hint: loginHint,
    }),
    faultOf,
    judge: judgeGoogleTokenError,
    toTokens,
  })
}

/** `invalid_grant` with a subtype, or about the account, is the table's: then it is not the code. */
function faultOf({ error, description, body }: TokenErrorAnswer): CodeFault | undefined {
  if (error === 'redirect_uri_mismatch') return 'redirect-uri'
  if (error === 'invalid_request' && /redirect_uri/i.test(description)) return 'redirect-uri'
  if (error === 'unauthorized_client') return 'code'
  const isAboutAccount = body?.['error_subtype'] !== undefined || /\baccount\b/i.test(description)
  return error === 'invalid_grant' && !isAboutAccount ? 'code' : undefined
}
