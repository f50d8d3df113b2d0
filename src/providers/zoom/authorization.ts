import type { Authorization } from '../../core/ports/authorization.ts'
import type { CodeFault } from '../../protocols/oauth2/exchange-code.ts'
import type { TokenErrorAnswer } from '../../protocols/oauth2/token-request.ts'
import { createCodeAuthorization } from '../../standards/authorization-code/code-authorization.ts'
import { judgeZoomTokenError } from './errors.ts'
import { toTokens, type ZoomDeps } from './identity.ts'

/**
 * Zoom's consent page and back. Scopes are set in the app and a hint is not known to Zoom, so neither is sent.
 * @see developers.zoom.us/docs/integrations/oauth (checked 2026-11)
 */
export function createZoomAuthorization({ endpoints, http, clock }: ZoomDeps): Authorization {
  return createCodeAuthorization({
    endpoints,
    http,
    clock,
    clientAuthentication: 'basic',
    faultOf,
    judge: judgeZoomTokenError,
    toTokens,
  })
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
