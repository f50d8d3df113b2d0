import type { GrantSession } from '../../core/ports/grant-session.ts'
import type { Mail } from '../../core/ports/mail.ts'
import { AccountIndexes } from './account-index.ts'
import { ConnectionPool, DEFAULT_POOL_LIMITS, type PoolLimits } from './connection-pool.ts'
import { findMessage } from './find-message.ts'
import { DEFAULT_WINDOW } from './folder-stream.ts'
import { createFolders } from './folders.ts'
import type { AccountOf } from './imap-account.ts'
import { listMessages, type MailboxView } from './list-messages.ts'
import { MessageContent } from './message-content.ts'

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
  readonly limits?: Partial<PoolLimits>
  /** UIDs put in order of date at once; default 2,000 */
  readonly window?: number
}): ImapMail {
  const { accountOf } = options
  const pool = new ConnectionPool({ ...DEFAULT_POOL_LIMITS, ...options.limits })
  const window = options.window ?? DEFAULT_WINDOW
  const indexes = new AccountIndexes()
  const content = new MessageContent()

  async function inMailbox<T>(session: GrantSession, work: (view: MailboxView) => Promise<T>): Promise<T> {
    const account = await accountOf(session)
    const index = indexes.get(account.key)
    try {
      return await pool.use(account, session.signal, (client) =>
        work({ client, accountKey: account.key, grantId: session.grantId, index, content, window }),
      )
    } finally {
      indexes.weigh(account.key, index)
    }
  }

  return {
    messages: {
      list: (session, query) => inMailbox(session, (view) => listMessages(view, query)),
      find: (session, id, find) => inMailbox(session, (view) => findMessage(view, id, find)),
    },
    folders: createFolders(pool, accountOf),
    close: () => pool.close(),
  }
}
