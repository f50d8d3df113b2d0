import type { ImapSession } from '../../protocols/imap/open-session.ts'
import { ProviderError } from '../../kit/provider-error.ts'
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
export function openFolder(client: ImapSession, path: string): Promise<OpenedFolder | undefined> {
  return open(client, path, true)
}

/**
 * Opens a folder to change its messages (SELECT). Nothing is expunged by leaving it: that is done by CLOSE alone.
 * @returns undefined when there is no such folder
 * @throws ProviderError `invalid-request` where the user may only read it
 */
export async function openForChange(client: ImapSession, path: string): Promise<OpenedFolder | undefined> {
  const folder = await open(client, path, false)
  if (folder && client.mailbox && client.mailbox.readOnly) {
    throw new ProviderError('invalid-request', 'The account may only read this folder.')
  }
  return folder
}

async function open(client: ImapSession, path: string, readOnly: boolean): Promise<OpenedFolder | undefined> {
  try {
    const mailbox = await client.mailboxOpen(path, { readOnly })
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
