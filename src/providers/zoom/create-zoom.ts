import { Type } from 'typebox'
import type { ProviderModule } from '../../core/ports/provider.ts'
import { createZoomAuthorization } from './authorization.ts'
import { adviseOnZoomRefusal } from './errors.ts'
import { createZoomIdentity, type ZoomDeps } from './identity.ts'

const text = Type.String({ minLength: 1, maxLength: 8192 })
const client = { client_id: text, client_secret: text }

/**
 * Makes the Zoom provider: an account for conferencing, no mail.
 *
 * @param deps  endpoints of the operator; an HTTP client without egress guard, since these are trusted
 */
export function createZoom(deps: ZoomDeps): ProviderModule {
  return {
    id: 'zoom',
    displayName: 'Zoom',
    // A refresh token is dead once it was used (contract/auth.md 10.3, checked 2026-11).
    facts: { rotatesStrictly: true, supersededTokenStaysValid: false },
    connector: {
      settings: Type.Object(client),
      publicSettings: [],
      isOAuthClient: true,
      takesScope: false,
      credentials: { connector: { data: Type.Object(client), publicData: ['client_id'] } },
    },
    identity: createZoomIdentity(deps),
    authorization: createZoomAuthorization(deps),
    advise: adviseOnZoomRefusal,
  }
}
