import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import type { Authorization } from '../../src/core/ports/authorization.ts'
import type { ProviderClient, Tokens } from '../../src/core/ports/identity.ts'
import type { ProviderModule } from '../../src/core/ports/provider.ts'
import { systemClock } from '../../src/kit/clock.ts'
import { createHttpClient } from '../../src/kit/outbound/http-client.ts'
import { ProviderError } from '../../src/kit/provider-error.ts'
import { Secret } from '../../src/kit/secret.ts'
import { createGoogle } from '../../src/providers/google/create-google.ts'
import { createMicrosoft } from '../../src/providers/microsoft/create-microsoft.ts'
import { createYahoo } from '../../src/providers/yahoo/provider.ts'
import { type EmulatedService, type Emulator, startEmulator } from '../support/emulate.ts'
import { startOAuthServer, type TestOAuthServer } from '../support/oauth-server.ts'
import { walkConsent } from '../support/walk-consent.ts'

// The addresses we make are walked to the callback, and the code is traded, against servers that we did not write.

/** Registered with all of them. */
const REDIRECT = 'http://127.0.0.1:9/cb'
const ALICE = 'alice@testworld.example'
const http = createHttpClient()
const clock = systemClock

let emulator: Emulator
let oauth: TestOAuthServer
let google: ProviderModule
let microsoft: ProviderModule
let yahoo: ReturnType<typeof createYahoo>

before(async () => {
  ;[emulator, oauth] = await Promise.all([startEmulator(), startOAuthServer()])
  const { url } = emulator.google
  google = createGoogle({
    http,
    clock,
    endpoints: {
      authorizeUrl: `${url}/o/oauth2/v2/auth`,
      tokenUrl: emulator.google.tokenUrl,
      revokeUrl: `${url}/oauth2/revoke`,
      userinfoUrl: `${url}/oauth2/v2/userinfo`,
      gmailUrl: url,
      calendarUrl: url,
      peopleUrl: url,
      adminUrl: url,
      pubsubUrl: url,
    },
  })
  microsoft = createMicrosoft({
    http,
    clock,
    endpoints: {
      authorizeUrl: `${emulator.microsoft.url}/oauth2/v2.0/authorize`,
      tokenUrl: emulator.microsoft.tokenUrl,
      adminConsentUrl: `${emulator.microsoft.url}/{tenant}/adminconsent`,
      graphUrl: emulator.microsoft.url,
    },
  })
  yahoo = createYahoo({
    http,
    clock,
    endpoints: {
      // This server gives refresh tokens only after a forced consent: a query that an operator may set.
      authorizeUrl: `${oauth.authorizeUrl}?prompt=consent`,
      tokenUrl: oauth.tokenUrl,
      userinfoUrl: oauth.userinfoUrl,
      imap: { host: '127.0.0.1', port: 993 },
      smtp: { host: '127.0.0.1', port: 465 },
    },
    allowPlaintext: false,
  })
})
after(async () => {
  await yahoo.close()
  await http.close()
  await Promise.all([emulator.stop(), oauth.stop()])
})

interface Trip {
  readonly authorization: Authorization
  readonly client: ProviderClient
  readonly code: string
  readonly verifier: string
}

async function consent(
  module: ProviderModule,
  { clientId, clientSecret }: Pick<EmulatedService, 'clientId' | 'clientSecret'>,
  scope: readonly string[],
): Promise<Trip> {
  const { authorization } = module
  assert.ok(authorization)
  const client: ProviderClient = {
    credentialType: 'connector',
    clientId,
    clientSecret: new Secret(clientSecret),
    data: {},
  }
  const verifier = randomBytes(32).toString('base64url')
  const state = randomBytes(16).toString('base64url')
  const address = authorization.authorizeUrl({
    client,
    redirectUri: REDIRECT,
    state,
    codeChallenge: createHash('sha256').update(verifier).digest('base64url'),
    scope,
    loginHint: ALICE,
    includeGrantedScopes: false,
  })
  const callback = await walkConsent(address, { redirectUri: REDIRECT, email: ALICE })
  assert.equal(callback.get('state'), state)
  const code = callback.get('code')
  assert.ok(code, callback.toString())
  return { authorization, client, code, verifier }
}

const trade = (trip: Trip, changes: { readonly verifier?: string; readonly redirectUri?: string } = {}) =>
  trip.authorization.exchangeCode({
    client: trip.client,
    code: new Secret(trip.code),
    redirectUri: changes.redirectUri ?? REDIRECT,
    codeVerifier: new Secret(changes.verifier ?? trip.verifier),
    scope: [],
    signal: new AbortController().signal,
  })

async function accountOf(module: ProviderModule, client: ProviderClient, tokens: Tokens) {
  assert.ok(tokens.refreshToken)
  const secret = { kind: 'refresh-token' as const, refreshToken: tokens.refreshToken }
  const { signal } = new AbortController()
  const account = await module.identity.identify({ client, secret, tokens, publicSettings: {}, signal })
  // The refresh token of the code is one that lives.
  const next = await module.identity.exchange?.({ client, secret, scope: [], signal })
  assert.ok(next?.accessToken)
  return account
}

const world = [
  { name: 'google', module: () => google, client: () => emulator.google, scope: ['gmail.modify'] },
  { name: 'microsoft', module: () => microsoft, client: () => emulator.microsoft, scope: ['Mail.ReadWrite'] },
  {
    name: 'yahoo',
    module: () => yahoo,
    client: () => ({ clientId: 'basic-app', clientSecret: 'basic-app-secret' }),
    scope: ['offline_access', 'mail'],
  },
] as const

for (const { name, module, client, scope } of world) {
  test(`${name}: from the consent page to an account with a refresh token; the code works once`, async () => {
    const trip = await consent(module(), client(), scope)
    const tokens = await trade(trip)
    assert.equal((await accountOf(module(), trip.client, tokens)).email, ALICE)
    await assert.rejects(trade(trip), { kind: 'grant-revoked' })
  })

  test(`${name}: the code is worth nothing with another verifier`, async () => {
    const trip = await consent(module(), client(), scope)
    await assert.rejects(trade(trip, { verifier: randomBytes(32).toString('base64url') }), {
      kind: 'grant-revoked',
    })
  })

  test(`${name}: a wrong client secret is the operator's fault, not the user's`, async () => {
    const trip = await consent(module(), client(), scope)
    const wrong = { ...trip, client: { ...trip.client, clientSecret: new Secret('not-the-secret') } }
    await assert.rejects(trade(wrong), { kind: 'client-misconfigured' })
  })
}

// The emulator's Google does not compare the address.
for (const { name, module, client, scope } of world.filter((entry) => entry.name !== 'google')) {
  test(`${name}: the code is worth nothing for another address`, async () => {
    const trip = await consent(module(), client(), scope)
    await assert.rejects(trade(trip, { redirectUri: 'http://127.0.0.1:9/other' }), (error: unknown) => {
      assert.ok(error instanceof ProviderError)
      return error.kind === 'grant-revoked' || error.kind === 'client-misconfigured'
    })
  })
}
