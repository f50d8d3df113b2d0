import type { GrantSession } from '../../core/ports/grant-session.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import type { SmtpConnecting } from '../../protocols/smtp/open-smtp.ts'
import { type SmtpMessage, type SmtpReceipt, submitMessage } from '../../protocols/smtp/submit-message.ts'

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

/**
 * Names the submission account of a grant that signs in with a user name and a password.
 * @throws ProviderError `invalid-request` for a grant without an SMTP login
 */
export async function mailboxSmtpAccount(
  session: GrantSession,
  connecting: SmtpConnecting,
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
    submit: (message, signal) =>
      submitMessage({ ...server, auth: { password } }, connecting, message, signal),
  }
}
