import type { ImapSession } from '../../protocols/imap/open-session.ts'
import { toImapError } from '../../protocols/imap/errors.ts'

/** The folder a session has open, as it was when it was opened. */
export interface OpenedFolder {
  readonly path: string
  readonly uidValidity: number
  readonly uidNext: number
  readonly exists: number
}

/**
 * Opens a folder for reading only (EXAMINE), each time anew: that is one round trip, and gives counts and
 * UIDVALIDITY as they are now.
 * @returns undefined when there is no such folder
 * @throws ProviderError for any other failure
 */
export async function openFolder(client: ImapSession, path: string): Promise<OpenedFolder | undefined> {
  try {
    const mailbox = await client.mailboxOpen(path, { readOnly: true })
    // imapflow puts the namespace prefix before a path that lacks it: that is another folder's id.
    if (mailbox.path !== path) return undefined
    return {
      path,
      uidValidity: Number(mailbox.uidValidity),
      uidNext: mailbox.uidNext,
      exists: mailbox.exists,
    }
  } catch (error) {
    const isRefused = typeof error === 'object' && error !== null && 'responseStatus' in error
    const isMissing = typeof error === 'object' && error !== null && 'mailboxMissing' in error
    const mapped = toImapError(error)
    // A tagged NO to EXAMINE without a code means the same on older servers (RFC 3501 section 6.3.2).
    if (isMissing || mapped.kind === 'not-found') return undefined
    if (isRefused && mapped.kind === 'invalid-request') return undefined
    throw mapped
  }
}
