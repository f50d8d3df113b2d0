import type { GrantSession } from '../../core/ports/grant-session.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import type { ImapConnecting } from '../../protocols/imap/login.ts'
import { openImapSession } from '../../protocols/imap/open-session.ts'
import type { ImapAccount } from './imap-account.ts'

/**
 * Names the account of a grant that signs in with a user name and a password.
 * @throws ProviderError `invalid-request` for a grant without a mailbox login
 */
export async function mailboxAccount(
  session: GrantSession,
  connecting: ImapConnecting,
): Promise<ImapAccount> {
  const secret = await session.secret()
  if (secret.kind !== 'mailbox')
    throw new ProviderError('invalid-request', 'This grant has no mailbox login.')
  const { host, port, username, password } = secret.imap
  return {
    key: JSON.stringify([session.grantId, host, port, username]),
    open: (signal) => openImapSession({ ...secret.imap, auth: { password } }, connecting, signal),
  }
}
