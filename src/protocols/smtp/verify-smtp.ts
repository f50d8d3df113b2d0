import { isIP } from 'node:net'
import { rootCertificates, type ConnectionOptions } from 'node:tls'
import type SMTPConnection from 'nodemailer/lib/smtp-connection'
import { withDeadline } from '../../kit/deadline.ts'
import type { EgressGuard } from '../../kit/outbound/egress-guard.ts'
import { type NoteSignIn, noteSignIn } from '../../kit/outbound/sign-in.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import type { Secret } from '../../kit/secret.ts'
import { toSmtpError } from './errors.ts'

/** Where to sign in and with what. */
export interface SmtpLogin {
  readonly host: string
  readonly port: number
  readonly tls: 'implicit' | 'starttls'
  readonly username: string
  readonly password: Secret
}

/** How connections are made; as `ImapConnecting` of protocols/imap. */
export interface SmtpConnecting {
  readonly guard?: EgressGuard
  readonly ca?: string
  readonly allowPlaintext: boolean
  readonly onSignIn?: NoteSignIn
}

const SIGN_IN_TIMEOUT_MS = 25_000

/**
 * Signs in to a submission server and leaves: EHLO, TLS, AUTH, QUIT. Nothing is sent.
 *
 * @throws ProviderError `grant-revoked` when the credentials are refused, `invalid-request` for an address that
 *         is not allowed or a server without TLS or AUTH, `unavailable`, `timeout`, `rate-limited`
 * @see RFC 6409, RFC 4954, RFC 3207
 */
export function verifySmtp(
  login: SmtpLogin,
  connecting: SmtpConnecting,
  callerSignal: AbortSignal,
): Promise<void> {
  return noteSignIn('smtp', connecting.onSignIn, callerSignal, () => signIn(login, connecting, callerSignal))
}

async function signIn(
  login: SmtpLogin,
  connecting: SmtpConnecting,
  callerSignal: AbortSignal,
): Promise<void> {
  const signal = withDeadline(callerSignal, SIGN_IN_TIMEOUT_MS)
  const host = connecting.guard
    ? (await connecting.guard.resolve(login.host, login.port, 'mail', signal)).address
    : login.host
  // Loaded with the first check: most servers never make one.
  const { default: Connection } = await import('nodemailer/lib/smtp-connection')
  const connection: SMTPConnection = new Connection({
    host,
    port: login.port,
    secure: login.tls === 'implicit',
    ...(isIP(login.host) ? {} : { servername: login.host }),
    requireTLS: login.tls === 'starttls' && !connecting.allowPlaintext,
    tls: tlsOptions(connecting.ca),
    connectionTimeout: 10_000,
    greetingTimeout: 10_000,
    socketTimeout: SIGN_IN_TIMEOUT_MS,
    logger: false,
  })
  try {
    await new Promise<void>((resolve, reject) => {
      const fail = (error: unknown) => reject(error instanceof Error ? error : new Error('no reason given'))
      signal.addEventListener(
        'abort',
        () => reject(new ProviderError('timeout', 'The SMTP server did not answer in time.')),
        { once: true },
      )
      connection.on('error', fail)
      connection.on('end', () => reject(new ProviderError('unavailable', 'The SMTP server hung up.')))
      if (signal.aborted) return reject(new ProviderError('timeout', 'The request was given up.'))
      connection.connect((error) => {
        if (error) return fail(error)
        const credentials = { user: login.username, pass: login.password.open() }
        connection.login({ ...credentials, credentials }, (refusal) => (refusal ? fail(refusal) : resolve()))
      })
    })
    connection.quit()
  } catch (error) {
    throw toSmtpError(error)
  } finally {
    connection.close()
  }
}

/** TLS 1.2 and up; `ca` comes on top of the usual roots. */
function tlsOptions(ca: string | undefined): ConnectionOptions {
  return { minVersion: 'TLSv1.2', ...(ca === undefined ? {} : { ca: [...rootCertificates, ca] }) }
}
