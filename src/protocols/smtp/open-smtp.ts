import { isIP } from 'node:net'
import { rootCertificates, type ConnectionOptions } from 'node:tls'
import type SMTPConnection from 'nodemailer/lib/smtp-connection'
import type { CustomAuthenticationContext } from 'nodemailer/lib/smtp-connection'
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
  /** `implicit`: TLS from the first byte; `starttls`: upgraded before anything is said */
  readonly tls: 'implicit' | 'starttls'
  readonly username: string
  /** PLAIN, LOGIN or CRAM-MD5 with a password; XOAUTH2 with an access token */
  readonly auth: { readonly password: Secret } | { readonly accessToken: Secret }
}

/** How connections are made; as `ImapConnecting` of protocols/imap. */
export interface SmtpConnecting {
  readonly guard?: EgressGuard
  readonly ca?: string
  readonly allowPlaintext: boolean
  readonly onSignIn?: NoteSignIn
}

/** What the server said it can do. */
export interface SmtpExtensions {
  readonly utf8Addresses: boolean
  readonly eightBit: boolean
  /** bytes of a message; 0: it does not say */
  readonly maxBytes: number
}

/** A session that is signed in. Close its connection. */
export interface SmtpSession {
  readonly connection: SMTPConnection
  readonly extensions: SmtpExtensions
}

const SIGN_IN_TIMEOUT_MS = 25_000
/** A name of our own: under XOAUTH2 nodemailer falls back to a password where it is offered first. */
const TOKEN_METHOD = 'TOKEN'

/**
 * Connects to a submission server and signs in: EHLO, TLS, AUTH. With a guard only the address that was checked is
 * connected to, while the certificate must fit the name.
 *
 * @param silenceMs  how long the server may say nothing
 * @throws ProviderError `grant-revoked` when the credentials are refused, `invalid-request` for an address that
 *         is not allowed or a server without TLS or AUTH, `unavailable`, `timeout`, `rate-limited`
 * @see RFC 6409, RFC 4954, RFC 3207
 */
export function openSmtp(
  login: SmtpLogin,
  connecting: SmtpConnecting,
  callerSignal: AbortSignal,
  silenceMs = SIGN_IN_TIMEOUT_MS,
): Promise<SmtpSession> {
  return noteSignIn('smtp', connecting.onSignIn, callerSignal, () =>
    signIn(login, connecting, callerSignal, silenceMs),
  )
}

async function signIn(
  login: SmtpLogin,
  connecting: SmtpConnecting,
  callerSignal: AbortSignal,
  silenceMs: number,
): Promise<SmtpSession> {
  const signal = withDeadline(callerSignal, SIGN_IN_TIMEOUT_MS)
  const host = connecting.guard
    ? (await connecting.guard.resolve(login.host, login.port, 'mail', signal)).address
    : login.host
  // Loaded with the first session: most servers never make one.
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
    socketTimeout: silenceMs,
    maxResponseSize: 64 * 1024,
    customAuth: { [TOKEN_METHOD]: sayToken },
    logger: false,
  })
  try {
    return await new Promise<SmtpSession>((resolve, reject) => {
      const fail = (error: unknown) => reject(error instanceof Error ? error : new Error('no reason given'))
      signal.addEventListener(
        'abort',
        () => reject(new ProviderError('timeout', 'The SMTP server did not answer in time.')),
        { once: true },
      )
      // Stays for the life of the connection: an error nobody listens to would end the process.
      connection.on('error', fail)
      connection.on('end', () => reject(new ProviderError('unavailable', 'The SMTP server hung up.')))
      if (signal.aborted) return reject(new ProviderError('timeout', 'The request was given up.'))
      connection.connect((error) => {
        if (error) return fail(error)
        const extensions = readExtensions(connection.lastServerResponse || '')
        connection.login(credentialsOf(login), (refusal) =>
          refusal ? fail(refusal) : resolve({ connection, extensions }),
        )
      })
    })
  } catch (error) {
    connection.close()
    throw toSmtpError(error)
  }
}

function credentialsOf({ username, auth }: SmtpLogin) {
  if ('accessToken' in auth) return { method: TOKEN_METHOD, user: username, pass: auth.accessToken.open() }
  const credentials = { user: username, pass: auth.password.open() }
  return { ...credentials, credentials }
}

/**
 * AUTH XOAUTH2. A refusal comes as a challenge that wants an empty line before the server says 535.
 * @see developers.google.com/workspace/gmail/imap/xoauth2-protocol, checked 2026-11
 */
async function sayToken(context: CustomAuthenticationContext): Promise<void> {
  const { auth } = context
  const token = `user=${auth.credentials.user}\x01auth=Bearer ${auth.credentials.pass}\x01\x01`
  const answer = await context.sendCommand(`AUTH XOAUTH2 ${Buffer.from(token, 'utf8').toString('base64')}`)
  const last = answer.status === 334 ? await context.sendCommand('') : answer
  if (last.status < 200 || last.status > 299) throw new Error('the access token was refused')
}

/** Reads the answer to the last EHLO. */
function readExtensions(ehlo: string): SmtpExtensions {
  const lines = ehlo.split(/\r?\n/).map((line) =>
    line
      .replace(/^\d{3}[ -]/, '')
      .trim()
      .toUpperCase(),
  )
  const size = lines.find((line) => /^SIZE\b/.test(line))
  return {
    utf8Addresses: lines.includes('SMTPUTF8'),
    eightBit: lines.includes('8BITMIME'),
    maxBytes: Number(/^SIZE\s+(\d{1,15})$/.exec(size ?? '')?.[1] ?? 0),
  }
}

/** TLS 1.2 and up; `ca` comes on top of the usual roots. */
function tlsOptions(ca: string | undefined): ConnectionOptions {
  return { minVersion: 'TLSv1.2', ...(ca === undefined ? {} : { ca: [...rootCertificates, ca] }) }
}
