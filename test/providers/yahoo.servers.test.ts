import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { GrantSession } from '../../src/core/ports/grant-session.ts'
import type { ProviderClient, Tokens } from '../../src/core/ports/identity.ts'
import { createHttpClient } from '../../src/kit/outbound/http-client.ts'
import { Secret } from '../../src/kit/secret.ts'
import { createYahoo } from '../../src/providers/yahoo/provider.ts'
import { startDovecot, type TestDovecot } from '../support/dovecot.ts'
import { startOAuthServer, type TestOAuthServer } from '../support/oauth-server.ts'
import { addressOf, sessionOf, walk } from './imap-world.ts'

const OLLIE = addressOf('ollie')
const client: ProviderClient = {
  credentialType: 'connector',
  clientId: 'basic-app',
  clientSecret: new Secret('basic-app-secret'),
  data: {},
}

let world: TestDovecot
let oauth: TestOAuthServer
let provider: ReturnType<typeof createYahoo>
const http = createHttpClient()

before(async () => {
  world = await startDovecot()
  oauth = await startOAuthServer()
  provider = createYahoo({
    http,
    endpoints: {
      authorizeUrl: '',
      tokenUrl: oauth.tokenUrl,
      userinfoUrl: oauth.userinfoUrl,
      imap: { host: world.host, port: world.imapPort },
      smtp: { host: world.host, port: world.smtpStarttlsPort },
    },
    allowPlaintext: false,
    ca: world.ca,
  })
})
after(async () => {
  await provider.close()
  await http.close()
  await oauth.stop()
  await world.stop()
})

async function exchange(refreshToken: string): Promise<Tokens> {
  const { secret } = provider.identity.readSettings({ refresh_token: refreshToken })
  assert.ok(provider.identity.exchange)
  return provider.identity.exchange({ client, secret, scope: [], signal: AbortSignal.timeout(15_000) })
}

/** A session whose tokens are given one after the other, as the provider's API refuses them. */
function tokenSession(tokens: readonly Secret[]): GrantSession & { readonly replaced: () => number } {
  let at = 0
  const next = () => Promise.resolve(tokens[Math.min(at, tokens.length - 1)] ?? new Secret(''))
  return {
    ...sessionOf(OLLIE, { kind: 'none' }),
    accessToken: next,
    replaceRejected: (rejected) => {
      assert.equal(rejected.open(), tokens[at]?.open())
      at += 1
      return next()
    },
    replaced: () => at,
  }
}

test('trades a refresh token, keeps the rotated one and learns who it is', async () => {
  const minted = await oauth.mint(OLLIE, 'basic-app')
  const tokens = await exchange(minted.refresh_token)
  assert.ok(tokens.refreshToken)
  assert.notEqual(tokens.refreshToken.open(), minted.refresh_token)
  const account = await provider.identity.identify({
    client,
    secret: { kind: 'refresh-token', refreshToken: tokens.refreshToken },
    tokens,
    publicSettings: {},
    signal: AbortSignal.timeout(15_000),
  })
  assert.equal(account.email, OLLIE)
  assert.equal(account.identityKey, OLLIE)
})

test('a revoked refresh token is dead, a wrong client secret is the operator’s fault', async () => {
  const minted = await oauth.mint(OLLIE, 'basic-app')
  await oauth.revoke(minted.refresh_token)
  await assert.rejects(exchange(minted.refresh_token), { kind: 'grant-revoked' })

  const { secret } = provider.identity.readSettings({ refresh_token: 'anything' })
  const wrong = { ...client, clientSecret: new Secret('planted-wrong') }
  const call = provider.identity.exchange?.({
    client: wrong,
    secret,
    scope: [],
    signal: AbortSignal.timeout(15_000),
  })
  assert.ok(call)
  await assert.rejects(call, { kind: 'client-misconfigured' })
})

test('reads mail with an access token by XOAUTH2', async () => {
  const tokens = await exchange((await oauth.mint(OLLIE, 'basic-app')).refresh_token)
  const session = tokenSession([tokens.accessToken])
  assert.ok(provider.mail)
  assert.deepEqual(await walk(provider.mail, session, { in: 'INBOX' }), [])
  assert.equal(session.replaced(), 0)
})

test('a refused access token is replaced once', async () => {
  const tokens = await exchange((await oauth.mint(OLLIE, 'basic-app')).refresh_token)
  const fresh = createYahoo({
    http,
    endpoints: {
      authorizeUrl: '',
      tokenUrl: '',
      userinfoUrl: '',
      imap: { host: world.host, port: world.imapPort },
      smtp: { host: world.host, port: world.smtpStarttlsPort },
    },
    allowPlaintext: false,
    ca: world.ca,
  })
  try {
    assert.ok(fresh.mail)
    const session = tokenSession([new Secret('expired-token'), tokens.accessToken])
    assert.deepEqual(await walk(fresh.mail, session, { in: 'INBOX' }), [])
    assert.equal(session.replaced(), 1)
  } finally {
    await fresh.close()
  }
})

test('a mailbox that refuses fresh tokens does not kill the grant', async () => {
  const fresh = createYahoo({
    http,
    endpoints: {
      authorizeUrl: '',
      tokenUrl: '',
      userinfoUrl: '',
      imap: { host: world.host, port: world.imapPort },
      smtp: { host: world.host, port: world.smtpStarttlsPort },
    },
    allowPlaintext: false,
    ca: world.ca,
  })
  try {
    assert.ok(fresh.mail)
    const session = tokenSession([new Secret('one'), new Secret('two')])
    await assert.rejects(walk(fresh.mail, session, { in: 'INBOX' }), { kind: 'access-refused' })
    assert.equal(session.replaced(), 1)
  } finally {
    await fresh.close()
  }
})

test('names the setting that is missing', () => {
  assert.throws(() => provider.identity.readSettings({}), /settings\.refresh_token is required/)
})
