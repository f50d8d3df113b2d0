import type { GrantSession } from '../../core/ports/grant-session.ts'
import type { ImapIndexStore } from '../../core/ports/mail-stores-imap-index.ts'
import type { Mail, MailFacts } from '../../core/ports/mail.ts'
import { type Clock, systemClock } from '../../kit/clock.ts'
import { AccountIndexes } from './account-indexes.ts'
import { createAttachments } from './attachments.ts'
import { ConnectionPool, DEFAULT_POOL_LIMITS, type PoolLimits } from './connection-pool.ts'
import { findMessage } from './find-message.ts'
import { createDrafts } from './drafts.ts'
import { createFolderChanges } from './folder-changes.ts'
import { DEFAULT_WINDOW } from './folder-stream.ts'
import { createFolders } from './folders.ts'
import type { AccountOf } from './imap-account.ts'
import { countingCommands, type InMailbox, type MailboxRunner } from './in-mailbox.ts'
import { listMessages } from './list-messages.ts'
import { createMessageChanges } from './message-changes.ts'
import { MessageContent } from './message-content.ts'
import { MovedPlaces } from './moved-places.ts'
import { createSend, type SendDeps } from './send.ts'
import type { SmtpAccountOf } from './smtp-account.ts'
import { SpecialFolders } from './special-folder.ts'
import { createThreads } from './threads.ts'

/** The mail port, and the end of its connections. */
export interface ImapMail extends Mail {
  /** Closes every connection; requests in progress fail. */
  close(): Promise<void>
}

/**
 * Makes the mail port for a provider that is an IMAP server.
 *
 * @param accountOf  finds the account of a grant and signs in to it
 */
export function createImapMail(options: {
  readonly accountOf: AccountOf
  /** finds where mail of a grant is submitted; absent: the provider's mail can't send */
  readonly smtpAccountOf?: SmtpAccountOf
  readonly facts?: MailFacts
  readonly clock?: Clock
  readonly limits?: Partial<PoolLimits>
  /** UIDs put in order of date at once; default 2,000 */
  readonly window?: number
  /** Keeps the index of accounts over restarts; without it each process reads it anew. */
  readonly indexStore?: ImapIndexStore
}): ImapMail {
  const { accountOf, smtpAccountOf, clock = systemClock } = options
  const pool = new ConnectionPool({ ...DEFAULT_POOL_LIMITS, ...options.limits })
  const window = options.window ?? DEFAULT_WINDOW
  const indexes = new AccountIndexes(options.indexStore)
  const content = new MessageContent()
  const moved = new MovedPlaces()
  const special = new SpecialFolders()

  /** Gives a runner of work on the account's connections: reading, which may be repeated, or changing, which never is. */
  async function openMailbox(session: GrantSession, mode: 'use' | 'change'): Promise<MailboxRunner> {
    const account = await accountOf(session)
    return async (signal, work) => {
      const index = await indexes.get(account.key, session)
      try {
        return await pool[mode](account, signal, (client) =>
          countingCommands(session, client, () =>
            work({
              client,
              accountKey: account.key,
              grantId: session.grantId,
              index,
              content,
              moved,
              special,
              window,
            }),
          ),
        )
      } finally {
        indexes.settle(account.key, index, session)
      }
    }
  }
  const inMailbox: InMailbox = async (session, work) =>
    (await openMailbox(session, 'use'))(session.signal, work)
  const changing: InMailbox = async (session, work) =>
    (await openMailbox(session, 'change'))(session.signal, work)

  return {
    ...(options.facts === undefined ? {} : { facts: options.facts }),
    messages: {
      list: (session, query) => inMailbox(session, (view) => listMessages(view, query)),
      find: (session, id, find) => inMailbox(session, (view) => findMessage(view, id, find)),
    },
    messageChanges: createMessageChanges(changing),
    threads: createThreads(inMailbox, changing),
    folders: createFolders(inMailbox),
    folderChanges: createFolderChanges(changing),
    attachments: createAttachments((session) => openMailbox(session, 'use')),
    ...(smtpAccountOf === undefined ? {} : outgoing({ openMailbox, smtpAccountOf, clock })),
    async close() {
      await pool.close()
      await indexes.close()
    },
  }
}

function outgoing(deps: SendDeps): Pick<Mail, 'send' | 'drafts'> {
  return { send: createSend(deps), drafts: createDrafts(deps) }
}
