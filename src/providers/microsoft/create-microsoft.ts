import type { ProviderModule } from '../../core/ports/provider.ts'
import { createMicrosoftAuthorization } from './authorization.ts'
import { microsoftConnector } from './connector.ts'
import { createGraphFolders } from './folders.ts'
import type { MicrosoftDeps } from './graph-call.ts'
import { createMicrosoftIdentity } from './identity.ts'
import { createMailboxSlots } from './mailbox-slots.ts'
import { createGraphMessages } from './messages.ts'
import { adviseOnMicrosoftRefusal } from './token-errors.ts'

/**
 * Makes the Microsoft provider: accounts by refresh token or app permissions, mail by Microsoft Graph.
 *
 * @param deps  endpoints of the operator; an HTTP client without egress guard, since these are trusted
 */
export function createMicrosoft(deps: MicrosoftDeps): ProviderModule {
  const graph = { ...deps, slots: createMailboxSlots() }
  return {
    id: 'microsoft',
    displayName: 'Microsoft',
    // Every refresh gives a new token and the old one works on (contract/auth.md 10.3, checked 2026-11).
    facts: { rotatesStrictly: false, supersededTokenStaysValid: true },
    connector: microsoftConnector,
    identity: createMicrosoftIdentity(graph),
    authorization: createMicrosoftAuthorization(deps),
    advise: adviseOnMicrosoftRefusal,
    mail: { messages: createGraphMessages(graph), folders: createGraphFolders(graph) },
  }
}
