import { isIP } from 'node:net'
import { rootCertificates, type ConnectionOptions } from 'node:tls'
import type { ImapFlow } from 'imapflow'
import { withDeadline } from '../../kit/deadline.ts'
import { noteSignIn } from '../../kit/outbound/sign-in.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import { toImapError } from './errors.ts'
import type { ImapConnecting, ImapLogin } from './login.ts'

/** A signed-in session. `close()` it, or `logout()`. */
export type ImapSession = ImapFlow & {
  /** Why the last command that imapflow answered with `false` failed; forgotten by asking. See `carriedOut`. */
  takeRefusal(): unknown
}

const CONNECT_TIMEOUT_MS = 10_000
const GREETING_TIMEOUT_MS = 10_000
const SIGN_IN_TIMEOUT_MS = 25_000
/** Silence in the middle of a command; the request's own deadline is usually shorter. */
const SILENCE_TIMEOUT_MS = 60_000
const MIB = 1024 * 1024

/**
 * Connects and signs in. With a guard only the address that was checked is connected to, while the certificate
 * must fit the name. STARTTLS is required for `starttls` logins, unless clear text is allowed and the server
 * offers none.
 *
 * @throws ProviderError `grant-revoked` when the credentials are refused, `access-refused`, `invalid-request`
 *         for an address that is not allowed or a server without TLS, `unavailable`, `timeout`
 * @see RFC 9051 sections 6.2 and 11.1, RFC 8314 section 3
 */
export function openImapSession(
  login: ImapLogin,
  connecting: ImapConnecting,
  callerSignal: AbortSignal,
): Promise<ImapSession> {
  return noteSignIn('imap', connecting.onSignIn, callerSignal, () => signIn(login, connecting, callerSignal))
}

async function signIn(
  login: ImapLogin,
  connecting: ImapConnecting,
  callerSignal: AbortSignal,
): Promise<ImapSession> {
  const signal = withDeadline(callerSignal, SIGN_IN_TIMEOUT_MS)
  const host = connecting.guard
    ? (await connecting.guard.resolve(login.host, login.port, 'mail', signal)).address
    : login.host
  // Loaded with the first session: a server without IMAP grants never needs it.
  const { ImapFlow: Client } = await import('imapflow')
  let refusal: unknown
  // Some commands answer `false` for whatever went wrong, and only the log says why (imapflow 2.10).
  const logger = {
    ...MUTE,
    warn: (entry: unknown) => {
      if (isFailure(entry)) refusal = entry.err
    },
    isLevelEnabled: (level: string) => level === 'warn',
  }
  const client = new Client({
    host,
    port: login.port,
    secure: login.tls === 'implicit',
    ...(isIP(login.host) ? {} : { servername: login.host }),
    ...(login.tls === 'starttls' && !connecting.allowPlaintext ? { doSTARTTLS: true } : {}),
    tls: tlsOptions(connecting.ca),
    auth: {
      user: login.username,
      ...('password' in login.auth
        ? { pass: login.auth.password.open() }
        : { accessToken: login.auth.accessToken.open() }),
    },
    clientInfo: { name: 'Grantway' },
    logger,
    disableAutoIdle: true,
    disableCompression: true,
    connectionTimeout: CONNECT_TIMEOUT_MS,
    greetingTimeout: GREETING_TIMEOUT_MS,
    socketTimeout: SILENCE_TIMEOUT_MS,
    maxLineLength: 32 * MIB,
    maxLiteralSize: 64 * MIB,
    maxResponseSize: 80 * MIB,
  })
  // Without a listener a broken idle connection would end the process; the pool sees `close`.
  client.on('error', () => {})
  const abort = () => client.close()
  signal.addEventListener('abort', abort, { once: true })
  try {
    signal.throwIfAborted()
    await client.connect()
    signal.throwIfAborted()
    ignoreVanished(client)
    return Object.assign(client, {
      takeRefusal: () => {
        const taken = refusal
        refusal = undefined
        return taken
      },
    })
  } catch (error) {
    client.close()
    throw signal.aborted ? timedOut(error) : toImapError(error, true)
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

/**
 * VANISHED is for clients that enabled QRESYNC (RFC 7162 section 3.2.10), which we never do. imapflow (2.10) heeds it
 * from anybody, and walks its UIDs one by one: two lines of a hostile server would hold the process for seconds.
 */
function ignoreVanished(client: ImapFlow): void {
  const handlers: unknown = Reflect.get(client, 'untaggedHandlers')
  if (typeof handlers === 'object' && handlers !== null) Reflect.deleteProperty(handlers, 'VANISHED')
}

function ignore(): void {}
const MUTE = { trace: ignore, debug: ignore, info: ignore, error: ignore, fatal: ignore }

function isFailure(entry: unknown): entry is { readonly err: object } {
  return typeof entry === 'object' && entry !== null && 'err' in entry && entry.err instanceof Error
}

function timedOut(cause: unknown): ProviderError {
  return new ProviderError('timeout', 'The mail server did not sign the user in in time.', { cause })
}

/** TLS 1.2 and up; `ca` comes on top of the usual roots. */
function tlsOptions(ca: string | undefined): ConnectionOptions {
  return { minVersion: 'TLSv1.2', ...(ca === undefined ? {} : { ca: [...rootCertificates, ca] }) }
}
