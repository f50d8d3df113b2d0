import { ProviderError, type ProviderErrorKind } from '../../kit/provider-error.ts'

/** A line of the table: what a reply to the sign-in means. The first whose conditions all hold counts. */
interface ReplyRule {
  readonly replies: readonly number[]
  /** enhanced status code or wording */
  readonly words?: RegExp
  readonly kind: ProviderErrorKind
  readonly text: string
  readonly reason?: string
  readonly advice?: string
  /** Where this is documented or was reported; checked 2026-11. */
  readonly source: string
}

const MICROSOFT =
  'learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/authenticated-client-smtp-submission'

const REPLY_RULES: readonly ReplyRule[] = [
  {
    replies: [421, 432, 450, 451, 452, 454],
    words: /thread limit|too many|\brate\b|throttl|try again later/i,
    kind: 'rate-limited',
    text: 'The SMTP server is throttling.',
    source: 'wordings of Gmail ("454 4.7.0 Too many login attempts") and Exchange ("432 4.3.2")',
  },
  {
    // 432 is a password transition in RFC 4954; nobody loses a grant over it.
    replies: [421, 432, 454],
    kind: 'unavailable',
    text: 'The SMTP server is not available at the moment.',
    source: 'RFC 5321 section 4.2.3; RFC 4954 section 6',
  },
  {
    replies: [450, 451, 452],
    kind: 'rate-limited',
    text: 'The SMTP server is throttling.',
    source: 'RFC 5321 section 4.2.3',
  },
  {
    replies: [534, 535],
    words: /application-specific password|5\.7\.9/i,
    kind: 'grant-revoked',
    text: 'The provider wants an app password instead of the account’s own.',
    reason: 'app_password_required',
    advice: 'Make an app password in the security settings of the account, and post it as the password.',
    source: 'support.google.com/mail/answer/22370; support.google.com/accounts/answer/185833',
  },
  {
    replies: [534, 535],
    words: /log in via your web browser|5\.7\.14/i,
    kind: 'access-refused',
    text: 'The provider wants the user to sign in with a browser first.',
    reason: 'browser_login_required',
    advice: 'The user signs in on the provider’s web page once; nothing need be posted again.',
    source: 'support.google.com/mail/answer/78754',
  },
  {
    replies: [535],
    words: /SmtpClientAuthentication is disabled|5\.7\.139|basic authentication is disabled/i,
    kind: 'access-refused',
    text: 'The organization has switched off SMTP with a password.',
    reason: 'smtp_login_disabled',
    advice:
      'The administrator enables "Authenticated SMTP" for the mailbox, or the account is connected through the provider microsoft (OAuth).',
    source: MICROSOFT,
  },
  {
    replies: [525],
    kind: 'access-refused',
    text: 'The mail account is disabled.',
    reason: 'contact_administrator',
    advice: 'Ask the administrator of the mail server.',
    source: 'RFC 5248, enhanced code 5.7.13',
  },
  {
    replies: [534, 535],
    kind: 'grant-revoked',
    text: 'The SMTP server refused the user name or password.',
    reason: 'login_refused',
    advice:
      'Check user name and password, and post them again. Many providers want an app password instead of the account’s own, and end it when that one is changed.',
    source: 'RFC 4954 section 6, enhanced code 5.7.8 of RFC 5248',
  },
  {
    replies: [530, 538],
    kind: 'invalid-request',
    text: 'The SMTP server requires TLS.',
    source: 'RFC 3207 section 4; RFC 4954 section 6',
  },
]

/**
 * Turns what nodemailer throws while signing in into a ProviderError. The server's text is repeated only for
 * answers to our commands, never from a greeting.
 * @see RFC 4954 section 6, RFC 5321 section 4.2; nodemailer 10.6 error codes (EAUTH, ETLS, ECONNECTION …)
 */
export function toSmtpError(error: unknown): ProviderError {
  if (error instanceof ProviderError) return error
  const fields = typeof error === 'object' && error !== null ? error : {}
  const code = 'code' in fields && typeof fields.code === 'string' ? fields.code : ''
  const reply = 'responseCode' in fields && typeof fields.responseCode === 'number' ? fields.responseCode : 0
  const command = 'command' in fields && typeof fields.command === 'string' ? fields.command : ''
  const isAnswer = /AUTH|EHLO|HELO|STARTTLS/i.test(command)
  const response = 'response' in fields && typeof fields.response === 'string' ? fields.response : ''
  const details = {
    cause: error,
    ...(reply > 0
      ? {
          providerCode: String(reply),
          providerBody: { code: reply, message: isAnswer ? response.slice(0, 300) : '' },
        }
      : {}),
  }
  const rule = REPLY_RULES.find(
    ({ replies, words }) => replies.includes(reply) && (words === undefined || words.test(response)),
  )
  if (rule && (rule.kind !== 'grant-revoked' || code === 'EAUTH')) {
    return new ProviderError(rule.kind, rule.text, {
      ...details,
      ...(rule.reason === undefined ? {} : { reason: rule.reason }),
      ...(rule.advice === undefined ? {} : { advice: rule.advice }),
    })
  }
  // A refusal that no line knows says nothing for certain about the password.
  if (code === 'EAUTH' && reply >= 500) {
    return new ProviderError('access-refused', `The SMTP server refused the sign-in (${reply}).`, details)
  }
  if (code === 'EAUTH' || code === 'ENOAUTH') {
    return new ProviderError('invalid-request', 'The SMTP server offers no way to sign in.', details)
  }
  if (code === 'ETLS') {
    return new ProviderError('invalid-request', 'The SMTP server offers no STARTTLS, or TLS failed.', details)
  }
  if (code === 'ETIMEDOUT') {
    return new ProviderError('timeout', 'The SMTP server did not answer in time.', details)
  }
  // 554 instead of a greeting: no service for anybody, or not for us (RFC 5321 section 3.1).
  if (reply >= 500 && command === 'CONN') {
    return new ProviderError('unavailable', 'The SMTP server takes no connections from here.', details)
  }
  if (reply >= 500) {
    return new ProviderError('invalid-request', 'The SMTP server refused the session.', details)
  }
  return new ProviderError(
    'unavailable',
    `The SMTP server could not be reached (${code || 'no code'}).`,
    details,
  )
}
