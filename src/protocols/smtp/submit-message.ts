import { Readable } from 'node:stream'
import { domainToASCII } from 'node:url'
import type { Envelope } from 'nodemailer/lib/smtp-connection'
import { patientDeadline, withDeadline } from '../../kit/deadline.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import { toSmtpError } from './errors.ts'
import { openSmtp, type SmtpConnecting, type SmtpLogin, type SmtpSession } from './open-smtp.ts'
import { refusedBy, type SmtpRefusal, toSubmissionError } from './submission-errors.ts'

/** A message to submit. */
export interface SmtpMessage {
  readonly from: string
  /** every recipient, blind copies included */
  readonly to: readonly string[]
  /** about how many bytes; compared with what the server takes before anything is sent */
  readonly sizeBytes: number
  /** It may hold bytes over 127. */
  readonly is8Bit: boolean
  /** Opens the source, without Bcc; called once, after the sign-in. */
  open(): Promise<Readable>
}

/** What the server said when it took the message. */
export interface SmtpReceipt {
  /** Message-ID the server put in place of ours (Microsoft 365, Amazon SES). */
  readonly serverMessageId?: string
}

/** Slow Exchange servers take 150 s (contract/email.md 4.7). */
const SILENCE_MS = 180_000
const TRANSFER_TIMEOUT_MS = 300_000
const LAST_ANSWER_TIMEOUT_MS = 150_000

/**
 * Submits a message for all of its recipients or for none: when one of them is refused, nothing is sent. Never
 * tries twice. From the last byte on the caller's signal counts no more, as the message may have been taken.
 *
 * @throws ProviderError `rejected`, `send-as-denied`, `too-large`, `rate-limited`, `quota-exhausted`;
 *         `timeout` or `unavailable` with `answered: false` when no answer came to a whole message;
 *         with `reason: smtp_unavailable` when the server takes no connections; as `openSmtp`
 * @see RFC 6409, RFC 5321, RFC 1870 (SIZE), RFC 6152 (8BITMIME), RFC 6531 (SMTPUTF8)
 */
export async function submitMessage(
  login: SmtpLogin,
  connecting: SmtpConnecting,
  message: SmtpMessage,
  callerSignal: AbortSignal,
): Promise<SmtpReceipt> {
  const signal = withDeadline(callerSignal, TRANSFER_TIMEOUT_MS)
  const session = await openSmtp(login, connecting, signal, SILENCE_MS).catch((error: unknown) => {
    throw unreachable(toSmtpError(error))
  })
  try {
    const receipt = await transmit(session, message, signal)
    session.connection.quit()
    return receipt
  } finally {
    session.connection.close()
  }
}

/** Nothing was sent yet: core answers that with an error of its own. */
function unreachable(error: ProviderError): ProviderError {
  if (error.kind !== 'unavailable') return error
  return new ProviderError(error.kind, error.message, { ...error.details, reason: 'smtp_unavailable' })
}

async function transmit(
  { connection, extensions }: SmtpSession,
  message: SmtpMessage,
  signal: AbortSignal,
): Promise<SmtpReceipt> {
  const from = envelopeAddress(message.from)
  const to = [...new Set(message.to.map(envelopeAddress))]
  const { maxBytes } = extensions
  if (maxBytes > 0 && message.sizeBytes > maxBytes) {
    throw new ProviderError('too-large', `The SMTP server takes messages of up to ${maxBytes} bytes.`)
  }
  if (!extensions.utf8Addresses && [from, ...to].some((address) => /[^\0-\x7f]/.test(address))) {
    throw new ProviderError('rejected', 'The SMTP server does not take addresses outside ASCII (SMTPUTF8).')
  }
  if (message.is8Bit && !extensions.eightBit) {
    throw new ProviderError('rejected', 'The SMTP server does not take messages outside ASCII (8BITMIME).')
  }
  const envelope: Envelope = { from, to, size: message.sizeBytes, use8BitMime: message.is8Bit }
  const source = await message.open()
  /** Every byte was handed over: the server may have the message, whatever happens now. */
  let isWhole = false
  let brokenSource: Error | undefined
  async function* body() {
    // nodemailer goes on when at least one recipient was taken. Here it has not sent a byte yet, and a server
    // must drop what it got of a message without an end (RFC 5321 section 4.1.1.10).
    const refusals = refusalsIn(envelope)
    if (refusals.length > 0) throw refusedBy(refusals)
    try {
      for await (const chunk of source) yield chunk
    } catch (error) {
      brokenSource = error instanceof Error ? error : new Error('the message could not be read')
      throw error
    }
    isWhole = true
    lastAnswer = patientDeadline(LAST_ANSWER_TIMEOUT_MS)
    lastAnswer.addEventListener('abort', giveUp, { once: true })
  }
  let lastAnswer: AbortSignal | undefined
  let giveUp = () => {}
  const onAbort = () => {
    if (!isWhole) giveUp()
  }
  try {
    return await new Promise<SmtpReceipt>((resolve, reject) => {
      giveUp = () => reject(new ProviderError('timeout', 'The SMTP server did not answer in time.'))
      if (signal.aborted) return giveUp()
      signal.addEventListener('abort', onAbort, { once: true })
      connection.on('error', reject)
      // After the reason, where there is one: nodemailer tells of the end first.
      const hungUp = () => reject(new ProviderError('unavailable', 'The SMTP server hung up.'))
      connection.on('end', () => setImmediate(hungUp))
      connection.send(envelope, Readable.from(body(), { objectMode: false }), (error, info) => {
        if (error) return reject(error)
        resolve(info?.serverMessageId === undefined ? {} : { serverMessageId: info.serverMessageId })
      })
    })
  } catch (error) {
    if (brokenSource !== undefined) throw brokenSource
    const refusals = isWhole ? [] : refusalsIn(envelope)
    if (refusals.length > 0) throw refusedBy(refusals, error)
    const failure = toSubmissionError(error)
    throw isWhole && failure.details.providerCode === undefined ? unanswered(failure) : failure
  } finally {
    signal.removeEventListener('abort', onAbort)
    lastAnswer?.removeEventListener('abort', giveUp)
    source.destroy()
  }
}

function unanswered(failure: ProviderError): ProviderError {
  return new ProviderError(
    failure.kind === 'timeout' ? 'timeout' : 'unavailable',
    'The SMTP server did not say whether it took the message: it may have been sent.',
    { ...failure.details, answered: false, cause: failure },
  )
}

/** nodemailer notes on the envelope itself which recipients were refused (10.6, `SMTPConnectionEnvelope`). */
function refusalsIn(envelope: object): readonly SmtpRefusal[] {
  const errors = 'rejectedErrors' in envelope ? envelope.rejectedErrors : undefined
  if (!Array.isArray(errors)) return []
  return errors.map((error: unknown) => {
    const fields = typeof error === 'object' && error !== null ? error : {}
    return {
      recipient: 'recipient' in fields && typeof fields.recipient === 'string' ? fields.recipient : '',
      code: 'responseCode' in fields && typeof fields.responseCode === 'number' ? fields.responseCode : 500,
      text: 'response' in fields && typeof fields.response === 'string' ? fields.response : '',
    }
  })
}

/** An ASCII local part needs no SMTPUTF8: then the domain goes in its ASCII form (RFC 5890). */
function envelopeAddress(email: string): string {
  const at = email.lastIndexOf('@')
  const local = email.slice(0, at)
  if (at < 1 || /[^\0-\x7f]/.test(local)) return email
  const domain = email.slice(at + 1)
  return `${local}@${/[^\0-\x7f]/.test(domain) ? domainToASCII(domain) || domain : domain}`
}
