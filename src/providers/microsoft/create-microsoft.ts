import type { ProviderModule } from '../../core/ports/provider.ts'
import { createMicrosoftAuthorization } from './authorization.ts'
import { createGraphAttachments } from './attachments.ts'
import { microsoftConnector } from './connector.ts'
import { MAX_ATTACHMENT_BYTES } from './create-draft.ts'
import { createGraphDrafts } from './drafts.ts'
import { createGraphFolderChanges } from './folder-changes.ts'
import { createGraphFolders } from './folders.ts'
import type { MicrosoftDeps } from './graph-call.ts'
import { createMicrosoftIdentity } from './identity.ts'
import { createMailboxSlots } from './mailbox-slots.ts'
import { createGraphMessageChanges } from './message-changes.ts'
import { createGraphMessages } from './messages.ts'
import { createGraphSend } from './send.ts'
import { createGraphThreads } from './threads.ts'
import { adviseOnMicrosoftRefusal } from './token-errors.ts'
import { createWellKnownFolders } from './well-known-folders.ts'

/**
 * Makes the Microsoft provider: accounts by refresh token or app permissions, mail by Microsoft Graph.
 *
 * @param deps  endpoints of the operator; an HTTP client without egress guard, since these are trusted
 */
export function createMicrosoft(deps: MicrosoftDeps): ProviderModule {
  const graph = { ...deps, slots: createMailboxSlots(), wellKnown: createWellKnownFolders() }
  return {
    id: 'microsoft',
    displayName: 'Microsoft',
    // Every refresh gives a new token and the old one works on (contract/auth.md 10.3, checked 2026-11).
    facts: { rotatesStrictly: false, supersededTokenStaysValid: true },
    connector: microsoftConnector,
    identity: createMicrosoftIdentity(graph),
    authorization: createMicrosoftAuthorization(deps),
    advise: adviseOnMicrosoftRefusal,
    mail: {
      facts: {
        maxMessageBytes: MAX_ATTACHMENT_BYTES,
        schedulesDrafts: true,
        takesLargeUploads: true,
      },
      messages: createGraphMessages(graph),
      messageChanges: createGraphMessageChanges(graph),
      threads: createGraphThreads(graph),
      folders: createGraphFolders(graph),
      folderChanges: createGraphFolderChanges(graph),
      attachments: createGraphAttachments(graph),
      drafts: createGraphDrafts(graph),
      send: createGraphSend(graph),
    },
  }
}
