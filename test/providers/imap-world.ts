import { grantId } from '../../src/contract/ids.ts'
import type { FullMessage, RawMessage } from '../../src/contract/message.ts'
import type { GrantSession } from '../../src/core/ports/grant-session.ts'
import type { Account, GrantSecret } from '../../src/core/ports/identity.ts'
import type { Mail, MessageQuery } from '../../src/core/ports/mail.ts'
import type { ProviderModule } from '../../src/core/ports/provider.ts'
import type { JsonObject } from '../../src/kit/json.ts'
import { Secret } from '../../src/kit/secret.ts'
import { type ImapSession, openImapSession } from '../../src/protocols/imap/open-session.ts'
import { silentLogger } from '../../src/kit/logger.ts'
import { createEgressGuard } from '../../src/kit/outbound/egress-guard.ts'
import { createImap, type ImapDeps } from '../../src/providers/imap/provider.ts'
import type { TestDovecot } from '../support/dovecot.ts'

export const PASSWORDS: { readonly [user: string]: string } = { erin: 'pässwörd€ü' }

export const addressOf = (user: string) => `${user}@testworld.example`

/** The imap provider as a server on loopback needs it: private addresses allowed, the test CA trusted. */
export function imapProvider(world: TestDovecot, deps: Partial<ImapDeps> = {}) {
  return createImap({
    guard: createEgressGuard({ allowedNetworks: ['127.0.0.0/8'] }),
    autoconfig: () => Promise.resolve(null),
    allowPlaintext: false,
    ca: world.ca,
    ...deps,
  })
}

/** `settings` of connect/custom for a user of the test world. */
export function settingsOf(world: TestDovecot, user: string, more: JsonObject = {}): JsonObject {
  return {
    imap_username: addressOf(user),
    imap_password: PASSWORDS[user] ?? `${user}-pass`,
    imap_host: world.host,
    imap_port: world.imapsPort,
    imap_tls: 'implicit',
    ...more,
  }
}

/** What connect/custom does with a provider that has no token endpoint. */
export function connect(
  provider: ProviderModule,
  settings: JsonObject,
  signal: AbortSignal = AbortSignal.timeout(30_000),
): Promise<Account> {
  const { secret, publicSettings } = provider.identity.readSettings(settings)
  return provider.identity.identify({ client: null, secret, tokens: null, publicSettings, signal })
}

/** A session of a grant whose secret is given. */
export function sessionOf(
  email: string,
  secret: GrantSecret,
  signal: AbortSignal = AbortSignal.timeout(60_000),
): GrantSession {
  const noToken = () => Promise.reject(new Error('this grant has no access token'))
  return {
    grantId: grantId(`grant-of-${email}`),
    email,
    scope: [],
    settings: {},
    signal,
    log: silentLogger,
    spend: () => undefined,
    accessToken: noToken,
    replaceRejected: noToken,
    secret: () => Promise.resolve(secret),
  }
}

/** Connects a user and gives a session of the grant. */
export async function signedIn(provider: ProviderModule, settings: JsonObject): Promise<GrantSession> {
  const account = await connect(provider, settings)
  if (!account.secret) throw new Error('the login found out nothing')
  return sessionOf(account.email, account.secret)
}

/** All messages of a query, page after page. */
export async function walk(
  mail: Mail,
  session: GrantSession,
  query: Partial<MessageQuery>,
  betweenPages: () => Promise<void> = () => Promise.resolve(),
): Promise<FullMessage[]> {
  const all: FullMessage[] = []
  let cursor: string | undefined
  for (let pages = 0; pages < 300; pages += 1) {
    const limit = query.limit ?? 200
    const page = await mail.messages.list(session, {
      fields: 'standard',
      ...query,
      limit,
      ...(cursor === undefined ? {} : { cursor }),
    })
    if (page.items.length > limit) throw new Error('a page over its limit')
    all.push(...page.items.map(whole))
    cursor = page.nextCursor
    if (cursor === undefined) return all
    await betweenPages()
  }
  throw new Error('a list without an end')
}

export function whole(message: FullMessage | RawMessage): FullMessage {
  if ('subject' in message) return message
  throw new Error('not a whole message')
}

/** A session of our own, to look behind the adapter's back. */
export async function behind<T>(
  world: TestDovecot,
  user: string,
  work: (client: ImapSession) => Promise<T>,
): Promise<T> {
  const password = new Secret(PASSWORDS[user] ?? `${user}-pass`)
  const client = await openImapSession(
    {
      host: world.host,
      port: world.imapsPort,
      tls: 'implicit',
      username: addressOf(user),
      auth: { password },
    },
    { ca: world.ca, allowPlaintext: false },
    AbortSignal.timeout(30_000),
  )
  try {
    return await work(client)
  } finally {
    client.close()
  }
}
