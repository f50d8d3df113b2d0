import type { GrantSession } from '../../core/ports/grant-session.ts'
import type { ImapSession } from '../../protocols/imap/open-session.ts'
import type { MailboxView } from './list-messages.ts'

/** Runs work in the mailbox of a grant, on a connection of its own. @throws ProviderError */
export type InMailbox = <T>(session: GrantSession, work: (view: MailboxView) => Promise<T>) => Promise<T>

/**
 * Runs work in one mailbox, each time on a connection of its own, until the signal fires. It outlives the request:
 * for what is read in pieces.
 */
export type MailboxRunner = <T>(signal: AbortSignal, work: (view: MailboxView) => Promise<T>) => Promise<T>

/** Counts every command of some work as a request to the provider, refused ones too. */
export async function countingCommands<T>(
  session: GrantSession,
  client: ImapSession,
  work: () => Promise<T>,
): Promise<T> {
  const count = () => session.spend({ requests: 1 })
  client.on('response', count)
  try {
    return await work()
  } finally {
    client.off('response', count)
  }
}
