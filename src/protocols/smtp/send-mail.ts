import { isIP } from 'node:net'
import type { SentMessageInfo } from 'nodemailer'
import { withDeadline } from '../../kit/deadline.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import type { Secret } from '../../kit/secret.ts'
import { toSmtpError } from './errors.ts'

/** A mail server that takes messages for everywhere, set by the operator. */
export interface Submission {
  readonly host: string
  readonly port: number
  readonly tls: 'implicit' | 'starttls'
  /** null: the server wants none */
  readonly login: { readonly username: string; readonly password: Secret } | null
  /** the sender, as it stands in `From` */
  readonly from: string
  readonly allowPlaintext: boolean
}

export interface PlainMessage {
  readonly to: readonly string[]
  readonly subject: string
  readonly text: string
}

const SEND_TIMEOUT_MS = 30_000

/**
 * Sends a plain text message over a connection of its own.
 *
 * @throws ProviderError `grant-revoked` when the credentials are refused, `invalid-request` when the message is or
 *         the server has no TLS, `unavailable`, `timeout`, `rate-limited`
 * @see RFC 6409, RFC 5321
 */
export async function sendPlainMessage(
  submission: Submission,
  message: PlainMessage,
  callerSignal: AbortSignal,
): Promise<void> {
  const signal = withDeadline(callerSignal, SEND_TIMEOUT_MS)
  // Loaded with the first message: most servers never send one.
  const { createTransport } = await import('nodemailer')
  const { host, port, login } = submission
  const transport = createTransport({
    host,
    port,
    secure: submission.tls === 'implicit',
    requireTLS: submission.tls === 'starttls' && !submission.allowPlaintext,
    tls: { minVersion: 'TLSv1.2', ...(isIP(host) ? {} : { servername: host }) },
    ...(login === null ? {} : { auth: { user: login.username, pass: login.password.open() } }),
    connectionTimeout: 10_000,
    greetingTimeout: 10_000,
    socketTimeout: SEND_TIMEOUT_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
    logger: false,
  })
  try {
    await new Promise<SentMessageInfo>((resolve, reject) => {
      signal.addEventListener(
        'abort',
        () => reject(new ProviderError('timeout', 'The SMTP server did not answer in time.')),
        { once: true },
      )
      if (signal.aborted) return reject(new ProviderError('timeout', 'The message was given up.'))
      transport
        .sendMail({
          from: submission.from,
          to: [...message.to],
          subject: message.subject,
          text: message.text,
        })
        .then(resolve, reject)
    })
  } catch (error) {
    throw toSmtpError(error)
  } finally {
    transport.close()
  }
}
