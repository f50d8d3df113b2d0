import { Type } from 'typebox'
import type { GrantSession } from '../../core/ports/grant-session.ts'
import type { ProviderModule } from '../../core/ports/provider.ts'
import { type Clock, systemClock } from '../../kit/clock.ts'
import type { HttpClient } from '../../kit/outbound/http-client.ts'
import type { NoteSignIn } from '../../kit/outbound/sign-in.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import type { ImapConnecting } from '../../protocols/imap/login.ts'
import { type ImapSession, openImapSession } from '../../protocols/imap/open-session.ts'
import { createImapMail } from '../../standards/imap-mail/create-imap-mail.ts'
import type { ImapAccount } from '../../standards/imap-mail/imap-account.ts'
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
  readonly clock?: Clock
}

/** Yahoo allows about five connections per account, the user's own clients included (reports, 2026-11). */
const CONNECTIONS_PER_ACCOUNT = 1

/** Makes the provider for Yahoo Mail by OAuth. `close()` ends its connections. */
export function createYahoo(deps: YahooDeps): ProviderModule & { close(): Promise<void> } {
  const connecting: ImapConnecting = {
    allowPlaintext: deps.allowPlaintext,
    ...(deps.ca === undefined ? {} : { ca: deps.ca }),
    ...(deps.onSignIn === undefined ? {} : { onSignIn: deps.onSignIn }),
  }
  const mail = createImapMail({
    accountOf: (session) => Promise.resolve(yahooAccount(session, deps.endpoints, connecting)),
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

/** A refused token is replaced once; a second refusal says nothing against the refresh token. */
async function openWithToken(
  session: GrantSession,
  imap: YahooEndpoints['imap'],
  connecting: ImapConnecting,
  signal: AbortSignal,
): Promise<ImapSession> {
  const tls = imap.port === 993 ? 'implicit' : 'starttls'
  const login = { ...imap, tls, username: session.email } as const
  const first = await session.accessToken()
  try {
    return await openImapSession({ ...login, auth: { accessToken: first } }, connecting, signal)
  } catch (error) {
    if (!(error instanceof ProviderError) || error.kind !== 'grant-revoked') throw error
  }
  const second = await session.replaceRejected(first)
  try {
    return await openImapSession({ ...login, auth: { accessToken: second } }, connecting, signal)
  } catch (error) {
    if (!(error instanceof ProviderError) || error.kind !== 'grant-revoked') throw error
    throw new ProviderError(
      'access-refused',
      'Yahoo Mail refused a fresh access token: the app may lack the scope mail-r or mail-w.',
      { ...error.details, cause: error },
    )
  }
}
