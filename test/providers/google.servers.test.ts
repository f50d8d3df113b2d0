import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { FullMessage } from '../../src/contract/message.ts'
import type { ProviderModule } from '../../src/core/ports/provider.ts'
import { systemClock } from '../../src/kit/clock.ts'
import { createHttpClient } from '../../src/kit/outbound/http-client.ts'
import { ProviderError } from '../../src/kit/provider-error.ts'
import { Secret } from '../../src/kit/secret.ts'
import { createGoogle } from '../../src/providers/google/create-google.ts'
import { type Emulator, startEmulator } from '../support/emulate.ts'
import { createSession, endpointsAt, SANDBOX_CLIENT } from '../support/sandbox.ts'

const http = createHttpClient()
const { signal } = new AbortController()
let emulator: Emulator
let google: ProviderModule
let refreshToken: string
let client: typeof SANDBOX_CLIENT

before(async () => {
  emulator = await startEmulator()
  const { url, tokenUrl, clientId, clientSecret } = emulator.google
  google = createGoogle({
    endpoints: endpointsAt(url, {
      tokenUrl,
      revokeUrl: `${url}/oauth2/revoke`,
      userinfoUrl: `${url}/oauth2/v2/userinfo`,
    }),
    http,
    clock: systemClock,
  })
  client = { ...SANDBOX_CLIENT, clientId, clientSecret: new Secret(clientSecret) }
  refreshToken = String((await emulator.mint('google', 'alice@testworld.example'))['refresh_token'])
})
after(async () => {
  await http.close()
  await emulator.stop()
})

const exchange = (token: string, as = client) =>
  google.identity.exchange!({
    client: as,
    secret: { kind: 'refresh-token', refreshToken: new Secret(token) },
    scope: [],
    signal,
  })

test('refreshes at a server that is not ours and names the account', async () => {
  const tokens = await exchange(refreshToken)
  assert.equal(tokens.refreshToken, undefined)
  const secret = { kind: 'refresh-token' as const, refreshToken: new Secret(refreshToken) }
  const account = await google.identity.identify({ client, secret, tokens, publicSettings: {}, signal })
  assert.equal(account.email, 'alice@testworld.example')
  assert.equal(account.name, 'Alice Example')
  assert.ok(account.identityKey)
})

test('tells a made-up token from a wrong client', async () => {
  const kindOf = (call: Promise<unknown>) =>
    call.then(
      () => 'ok',
      (error: unknown) => (error instanceof ProviderError ? error.kind : error),
    )
  assert.equal(await kindOf(exchange('made-up')), 'grant-revoked')
  assert.equal(
    await kindOf(exchange(refreshToken, { ...client, clientSecret: new Secret('wrong') })),
    'client-misconfigured',
  )
})

test('finds a message and its source', async () => {
  const session = createSession(google, refreshToken, signal, client)
  const message = (await google.mail!.messages.find(session, 'm1', { fields: 'standard' })) as FullMessage
  assert.equal(message.subject, 'Ré: déjà vu')
  assert.deepEqual(message.from, [{ name: 'Zoë', email: 'zoe@example.se' }])
  assert.match(message.body, /Hello/)
  assert.equal(message.unread, true)
  const raw = await google.mail!.messages.find(session, 'm1', { fields: 'raw_mime' })
  assert.match(Buffer.from((raw as { raw_mime: string }).raw_mime, 'base64url').toString('utf8'), /Hello/)
})

test('lists a thread and finds a label', async () => {
  const session = createSession(google, refreshToken, signal, client)
  const message = (await google.mail!.messages.find(session, 'm2', { fields: 'standard' })) as FullMessage
  const page = await google.mail!.messages.list(session, {
    limit: 5,
    fields: 'standard',
    threadId: message.thread_id,
  })
  assert.deepEqual(
    page.items.map(({ id }) => id),
    ['m2'],
  )
  assert.equal((await google.mail!.folders.find(session, 'Label_1', {})).name, 'Projects/Ä & B')
})
