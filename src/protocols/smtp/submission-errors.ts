import { ProviderError, type ProviderErrorKind } from '../../kit/provider-error.ts'
import { toSmtpError } from './errors.ts'

/** A recipient, or the whole message, that the server did not take. */
export interface SmtpRefusal {
  /** undefined: it is about the sender or the message */
  readonly recipient?: string
  readonly code: number
  /** the server's words, code included */
  readonly text: string
}

/** A line of the table: what a refusal between MAIL and the end of DATA says. The first that fits counts. */
interface SubmissionRule {
  readonly codes: RegExp
  /** enhanced status code or wording */
  readonly words?: RegExp
  readonly kind: ProviderErrorKind
  readonly text: string
  /** Where this is documented or was reported; checked 2026-11. */
  readonly source: string
}

const SUBMISSION_RULES: readonly SubmissionRule[] = [
  {
    codes: /^5/,
    words:
      /5\.4\.5|5\.1\.90|5\.2\.121|(daily|sending|hourly|message|recipient)s?( user)?( sending)? (limit|quota)|limit exceeded/i,
    kind: 'quota-exhausted',
    text: 'The account has reached its sending limit at the provider.',
    source:
      'support.google.com/a/answer/3726730 (550 5.4.5); learn.microsoft.com/exchange/mail-flow-best-practices/non-delivery-reports-in-exchange-online (5.1.90)',
  },
  {
    codes: /^5/,
    words:
      /5\.7\.60|5\.2\.252|send ?as ?denied|not owned by user|permissions? to send as|not allowed to send (as|from)|from address (is )?not|sender address rejected|not authorized to (send|use)/i,
    kind: 'send-as-denied',
    text: 'The account may not send as this address.',
    source:
      'Exchange Online (550 5.7.60, 554 5.2.252 SendAsDenied); postfix.org/postconf.5.html#reject_sender_login_mismatch (553 5.7.1); iCloud ("From address is not one of your addresses")',
  },
  {
    codes: /^5(52|23|54|50)/,
    words: /5\.3\.4|5\.2\.3\b|message (size|file|is) (too (big|large)|exceeds)|size limit|too large/i,
    kind: 'too-large',
    text: 'The message is larger than the SMTP server takes.',
    source: 'RFC 1870 section 6.1; RFC 3463 section 3.4',
  },
  {
    codes: /^530/,
    kind: 'access-refused',
    text: 'The SMTP server wants a sign-in it does not offer here.',
    source: 'RFC 4954 section 6; Exchange Online (530 5.7.57)',
  },
  {
    codes: /^4/,
    kind: 'rate-limited',
    text: 'The SMTP server does not take the message at the moment.',
    source: 'RFC 5321 section 4.2.1: the client may try again later',
  },
  {
    codes: /^5/,
    kind: 'rejected',
    text: 'The SMTP server refused the message.',
    source: 'RFC 5321 section 4.2.1',
  },
]

/** Makes the error of a message of which nothing was sent because of these refusals. */
export function refusedBy(refusals: readonly SmtpRefusal[], cause?: unknown): ProviderError {
  // One that is final decides: trying again would be refused again.
  const [decisive] = refusals.toSorted((a, b) => Number(b.code >= 500) - Number(a.code >= 500))
  if (!decisive) return new ProviderError('unavailable', 'The SMTP server gave no reason.', { cause })
  const rule = SUBMISSION_RULES.find(
    ({ codes, words }) =>
      codes.test(String(decisive.code)) && (words === undefined || words.test(decisive.text)),
  )
  const recipients = refusals.flatMap(({ recipient, code, text }) =>
    recipient === undefined ? [] : [{ email: recipient, code, message: text.slice(0, 300) }],
  )
  const isAboutRecipients = recipients.length > 0 && rule !== undefined && RECIPIENT_KINDS.has(rule.kind)
  const names = recipients
    .map(({ email }) => email)
    .join(', ')
    .slice(0, 500)
  const retryAfterSeconds = rule?.kind === 'rate-limited' ? waitOf(decisive.text) : undefined
  return new ProviderError(
    rule?.kind ?? 'unavailable',
    isAboutRecipients
      ? `The SMTP server did not take ${names}; nothing was sent.`
      : (rule?.text ?? 'The SMTP server answered something unexpected.'),
    {
      providerCode: String(decisive.code),
      providerBody: {
        code: decisive.code,
        message: decisive.text.slice(0, 300),
        ...(recipients.length === 0 ? {} : { recipients: recipients.slice(0, 100) }),
      },
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
      cause,
    },
  )
}

const RECIPIENT_KINDS: ReadonlySet<ProviderErrorKind> = new Set(['rejected', 'rate-limited'])

/** Turns what nodemailer throws between MAIL and the end of DATA into a ProviderError. */
export function toSubmissionError(error: unknown): ProviderError {
  if (error instanceof ProviderError) return error
  const fields = typeof error === 'object' && error !== null ? error : {}
  const code = 'responseCode' in fields && typeof fields.responseCode === 'number' ? fields.responseCode : 0
  const text = 'response' in fields && typeof fields.response === 'string' ? fields.response : ''
  if (code >= 400) return refusedBy([{ code, text }], error)
  return toSmtpError(error)
}

/** Greylisting servers often say how long to wait: "try again in 300 seconds". */
function waitOf(text: string): number | undefined {
  const [, amount, unit] = /\b(\d{1,5})\s*(seconds?|secs?|s|minutes?|mins?)\b/i.exec(text) ?? []
  if (amount === undefined || unit === undefined) return undefined
  return Math.min(Number(amount) * (/^m/i.test(unit) ? 60 : 1), 24 * 3600)
}
