import type { ProviderModule } from '../../core/ports/provider.ts'
import { createGmailAttachments } from './attachments.ts'
import { createGoogleAuthorization } from './authorization.ts'
import { googleConnector } from './connector.ts'
import { createMessageCache } from './body-cache.ts'
import { createGmailDrafts } from './drafts.ts'
import { createGmailFolderChanges } from './folder-changes.ts'
import { createGmailFolders } from './folders.ts'
import { createGoogleIdentity, type GoogleDeps } from './identity.ts'
import { createGmailMessageChanges } from './message-changes.ts'
import { createGmailMessages } from './messages.ts'
import { createGmailSend } from './send.ts'
import { MAX_SOURCE_BYTES } from './send-source.ts'
import { createSenderAddresses } from './sender-addresses.ts'
import { createGmailThreads } from './threads.ts'
import { adviseOnGoogleRefusal } from './token-errors.ts'
import { createUnitBudget } from './unit-budget.ts'

/** What Google needs from outside. */
export interface GoogleOptions extends Pick<GoogleDeps, 'endpoints' | 'http' | 'clock'> {
  /** Units of Gmail's quota that are spent per grant and minute (contract/email.md 12.4); absent: no limit */
  readonly gmailUnitsPerMinute?: number
}

/**
 * Makes the Google provider: accounts by refresh token or service account, mail by the Gmail API.
 *
 * @param options  endpoints of the operator; an HTTP client without egress guard, since these are trusted
 */
export function createGoogle(options: GoogleOptions): ProviderModule {
  const { gmailUnitsPerMinute, ...outside } = options
  const deps: GoogleDeps = {
    ...outside,
    cache: createMessageCache(),
    ...(gmailUnitsPerMinute === undefined
      ? {}
      : { budget: createUnitBudget(options.clock, gmailUnitsPerMinute) }),
  }
  const senders = createSenderAddresses(options.endpoints.gmailUrl, options.clock)
  return {
    id: 'google',
    displayName: 'Google',
    // Google gives no new refresh token on refresh (contract/auth.md 10.3, checked 2026-11).
    facts: { rotatesStrictly: false, supersededTokenStaysValid: true },
    connector: googleConnector,
    identity: createGoogleIdentity(deps),
    authorization: createGoogleAuthorization(deps),
    advise: adviseOnGoogleRefusal,
    mail: {
      facts: { maxMessageBytes: MAX_SOURCE_BYTES, schedulesDrafts: true, takesLargeUploads: false },
      messages: createGmailMessages(deps),
      messageChanges: createGmailMessageChanges(deps),
      threads: createGmailThreads(deps),
      folders: createGmailFolders(deps),
      folderChanges: createGmailFolderChanges(deps),
      attachments: createGmailAttachments(deps),
      drafts: createGmailDrafts(deps, senders),
      send: createGmailSend(deps, senders),
    },
  }
}
