import type { GrantSession } from '../../core/ports/grant-session.ts'
import { withDeadline } from '../../kit/deadline.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import type { ImapConnecting } from '../../protocols/imap/login.ts'
import { type SmtpMessage, type SmtpReceipt, submitMessage } from '../../protocols/smtp/submit-message.ts'
import type { ImapAccount } from './imap-account.ts'
import { mailboxAccount } from './mailbox-account.ts'

/** Where a grant's mail is submitted. */
export interface SmtpAccount {
  /** The provider files what it is given under Sent by itself: a copy of ours would be a second one. */
  readonly storesSent: boolean
  /** Sends once. @throws ProviderError as `submitMessage` */
  submit(message: SmtpMessage, signal: AbortSignal): Promise<SmtpReceipt>
}

/** Finds where a grant's mail is submitted; each provider brings its own. */
export type SmtpAccountOf = (session: GrantSession) => Promise<SmtpAccount>

/**
 * Submission servers that file a copy under Sent themselves, by host. Gmail: support.google.com/mail/answer/78892
 * ("Don't save sent messages on the server"); Outlook and Exchange Online: every client's reports of doubles. Checked
 * 2026-11. Others (Zoho, by a switch of the user's) are found out by a look into the folder.
 */
const FILES_SENT: readonly string[] = [
  'smtp.gmail.com',
  'smtp.googlemail.com',
  'smtp-mail.outlook.com',
  'smtp.office365.com',
  'outlook.office365.com',
]

/** Tells whether a submission server files what it is given under Sent. */
export function filesSent(host: string): boolean {
  return FILES_SENT.includes(host.toLowerCase())
}

const CHECK_TIMEOUT_MS = 20_000

/**
 * Names the submission account of a grant that signs in with a user name and a password. A login that SMTP refuses is
 * dead only where IMAP refuses its own, too (contract/auth.md 10): reading goes on.
 *
 * @throws ProviderError `invalid-request` for a grant without an SMTP login
 */
export async function mailboxSmtpAccount(
  session: GrantSession,
  connecting: ImapConnecting,
): Promise<SmtpAccount> {
  const secret = await session.secret()
  if (secret.kind !== 'mailbox' || secret.smtp === null) {
    throw new ProviderError(
      'invalid-request',
      'This grant has no SMTP server: connect the account again with settings.smtp_host.',
    )
  }
  const { password, ...server } = secret.smtp
  return {
    storesSent: filesSent(server.host),
    async submit(message, signal) {
      try {
        return await submitMessage({ ...server, auth: { password } }, connecting, message, signal)
      } catch (error) {
        if (!(error instanceof ProviderError) || error.kind !== 'grant-revoked') throw error
        const mailbox = await mailboxAccount(session, connecting)
        if (await isRefused(mailbox, withDeadline(signal, CHECK_TIMEOUT_MS))) throw error
        throw new ProviderError('access-refused', error.message, {
          ...error.details,
          reason: 'smtp_login_refused',
          advice:
            'Reading still works. Check settings.smtp_username and settings.smtp_password, or whether the provider allows this account SMTP, and post them again.',
        })
      }
    },
  }
}

/** Whether the mailbox refuses its login for good; one that can't be asked has not refused it. */
async function isRefused(mailbox: ImapAccount, signal: AbortSignal): Promise<boolean> {
  try {
    const opened = await mailbox.open(signal)
    opened.close()
    return false
  } catch (error) {
    return error instanceof ProviderError && error.kind === 'grant-revoked'
  }
}
