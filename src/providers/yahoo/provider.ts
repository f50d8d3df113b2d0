import { Type } from 'typebox'
import type { GrantSession } from '../../core/ports/grant-session.ts'
import type { ImapIndexStore } from '../../core/ports/mail-stores-imap-index.ts'
import type { ProviderModule } from '../../core/ports/provider.ts'
import { type Clock, systemClock } from '../../kit/clock.ts'
import type { HttpClient } from '../../kit/outbound/http-client.ts'
import type { NoteSignIn } from '../../kit/outbound/sign-in.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import type { Secret } from '../../kit/secret.ts'
import type { ImapConnecting } from '../../protocols/imap/login.ts'
import { type ImapSession, openImapSession } from '../../protocols/imap/open-session.ts'
import { submitMessage } from '../../protocols/smtp/submit-message.ts'
import { createImapMail } from '../../standards/imap-mail/create-imap-mail.ts'
import type { ImapAccount } from '../../standards/imap-mail/imap-account.ts'
import type { SmtpAccount } from '../../standards/imap-mail/smtp-account.ts'
import { createYahooAuthorization } from './authorization.ts'
import { adviseOnYahooRefusal } from './errors.ts'
import { createYahooIdentity, type YahooEndpoints } from './identity.ts'

/** What the yahoo provider needs from outside. */
export interface YahooDeps {
  readonly http: HttpClient
  readonly endpoints: YahooEndpoints
  readonly allowPlaintext: boolean
  /** PEM of a further CA; absent in production. */
  readonly ca?: string
  /** Told of every login at the mail servers. */
  readonly onSignIn?: NoteSignIn
  /** Keeps what is known of mailboxes; without it each process learns it anew. */
  readonly indexStore?: ImapIndexStore
  readonly clock?: Clock
}

/** Yahoo allows about five connections per account, the user's own clients included (reports, 2026-11). */
const CONNECTIONS_PER_ACCOUNT = 1

/**
 * 25 MB (reports of Yahoo's own help, checked 2026-11). Whether base64 counts is not told, so it does not; the SIZE that
 * the SMTP server announces is checked besides.
 */
const MAX_MESSAGE_BYTES = Math.ceil((25 * 1024 * 1024 * 78) / 57)

/** Makes the provider for Yahoo Mail by OAuth. `close()` ends its connections. */
export function createYahoo(deps: YahooDeps): ProviderModule & { close(): Promise<void> } {
  const connecting: ImapConnecting = {
    allowPlaintext: deps.allowPlaintext,
    ...(deps.ca === undefined ? {} : { ca: deps.ca }),
    ...(deps.onSignIn === undefined ? {} : { onSignIn: deps.onSignIn }),
  }
  const mail = createImapMail({
    accountOf: (session) => Promise.resolve(yahooAccount(session, deps.endpoints, connecting)),
    smtpAccountOf: (session) => Promise.resolve(yahooSmtpAccount(session, deps.endpoints, connecting)),
    facts: { maxMessageBytes: MAX_MESSAGE_BYTES, schedulesDrafts: false, takesLargeUploads: false },
    ...(deps.indexStore === undefined ? {} : { indexStore: deps.indexStore }),
    limits: { perAccount: CONNECTIONS_PER_ACCOUNT },
  })
  const oauth = { http: deps.http, endpoints: deps.endpoints, clock: deps.clock ?? systemClock }
  const text = Type.String({ minLength: 1 })
  const client = Type.Object({ client_id: text, client_secret: text })
  return {
    id: 'yahoo',
    displayName: 'Yahoo',
    // Yahoo usually returns the same refresh token (contract/auth.md 10.3); that an old one still works after it
    // gave a new one is not documented, so it counts as dead.
    facts: { rotatesStrictly: true, supersededTokenStaysValid: false },
    connector: {
      settings: client,
      publicSettings: [],
      isOAuthClient: true,
      takesScope: true,
      credentials: { connector: { data: client, publicData: ['client_id'] } },
    },
    advise: adviseOnYahooRefusal,
    identity: createYahooIdentity(oauth),
    authorization: createYahooAuthorization(oauth),
    mail,
    close: () => mail.close(),
  }
}

function yahooAccount(
  session: GrantSession,
  { imap }: YahooEndpoints,
  connecting: ImapConnecting,
): ImapAccount {
  return {
    key: JSON.stringify([session.grantId, session.email]),
    open: (signal) => openWithToken(session, imap, connecting, signal),
  }
}

function yahooSmtpAccount(
  session: GrantSession,
  { smtp }: YahooEndpoints,
  connecting: ImapConnecting,
): SmtpAccount {
  const tls = smtp.port === 465 ? 'implicit' : 'starttls'
  return {
    storesSent: false,
    // Only the sign-in says `grant-revoked`: until then nothing of the message has been sent.
    submit: (message, signal) =>
      withToken(session, (accessToken) =>
        submitMessage(
          { ...smtp, tls, username: session.email, auth: { accessToken } },
          connecting,
          message,
          signal,
        ),
      ),
  }
}

function openWithToken(
  session: GrantSession,
  imap: YahooEndpoints['imap'],
  connecting: ImapConnecting,
  signal: AbortSignal,
): Promise<ImapSession> {
  const tls = imap.port === 993 ? 'implicit' : 'starttls'
  return withToken(session, (accessToken) =>
    openImapSession({ ...imap, tls, username: session.email, auth: { accessToken } }, connecting, signal),
  )
}

/** A refused token is replaced once; a second refusal says nothing against the refresh token. */
async function withToken<T>(session: GrantSession, signIn: (accessToken: Secret) => Promise<T>): Promise<T> {
  const first = await session.accessToken()
  try {
    return await signIn(first)
  } catch (error) {
    if (!(error instanceof ProviderError) || error.kind !== 'grant-revoked') throw error
  }
  const second = await session.replaceRejected(first)
  try {
    return await signIn(second)
  } catch (error) {
    if (!(error instanceof ProviderError) || error.kind !== 'grant-revoked') throw error
    throw new ProviderError(
      'access-refused',
      'Yahoo Mail refused a fresh access token: the app may lack the scope mail-r or mail-w.',
      { ...error.details, cause: error },
    )
  }
}
