import type { ProviderModule } from '../../core/ports/provider.ts'
import { createGoogleAuthorization } from './authorization.ts'
import { googleConnector } from './connector.ts'
import { createGmailFolders } from './folders.ts'
import { createGoogleIdentity, type GoogleDeps } from './identity.ts'
import { createGmailMessages } from './messages.ts'
import { adviseOnGoogleRefusal } from './token-errors.ts'

/**
 * Makes the Google provider: accounts by refresh token or service account, mail by the Gmail API.
 *
 * @param deps  endpoints of the operator; an HTTP client without egress guard, since these are trusted
 */
export function createGoogle(deps: GoogleDeps): ProviderModule {
  return {
    id: 'google',
    displayName: 'Google',
    // Google gives no new refresh token on refresh (contract/auth.md 10.3, checked 2026-11).
    facts: { rotatesStrictly: false, supersededTokenStaysValid: true },
    connector: googleConnector,
    identity: createGoogleIdentity(deps),
    authorization: createGoogleAuthorization(deps),
    advise: adviseOnGoogleRefusal,
    mail: { messages: createGmailMessages(deps), folders: createGmailFolders(deps) },
  }
}
