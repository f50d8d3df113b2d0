import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { ProviderClient } from '../../src/core/ports/identity.ts'
import type { ProviderModule } from '../../src/core/ports/provider.ts'
import { AppError } from '../../src/kit/app-error.ts'
import { systemClock } from '../../src/kit/clock.ts'
import { createHttpClient, type HttpClient } from '../../src/kit/outbound/http-client.ts'
import { ProviderError, type ProviderErrorKind } from '../../src/kit/provider-error.ts'
import { Secret } from '../../src/kit/secret.ts'
import { createVirtualCalendar } from '../../src/providers/virtual-calendar/create-virtual-calendar.ts'
import { createZoom } from '../../src/providers/zoom/create-zoom.ts'
import { type FakeZoom, startFakeZoom, ZOOM_CLIENT } from '../support/fake-zoom.ts'

let fake: FakeZoom
let http: HttpClient
let zoom: ProviderModule
const { signal } = new AbortController()
const client: ProviderClient = {
  credentialType: 'connector',
  clientId: ZOOM_CLIENT.clientId,
  clientSecret: new Secret(ZOOM_CLIENT.clientSecret),
  data: {},
}

before(async () => {
  fake = await startFakeZoom()
  http = createHttpClient()
  zoom = createZoom({ endpoints: fake.endpoints, http, clock: systemClock })
})
after(async () => {
  await http.close()
  await fake.stop()
})

const exchange = (refreshToken: Secret, as: ProviderClient = client) =>
  zoom.identity.exchange!({
    client: as,
    secret: { kind: 'refresh-token', refreshToken },
    scope: ['x'],
    signal,
  })
const mint = () => new Secret(fake.mint('ada@zoom.example'))

const fails =
  (kind: ProviderErrorKind, more: (error: ProviderError) => void = () => {}) =>
  (error: unknown) => {
    assert.ok(error instanceof ProviderError, String(error))
    assert.equal(error.kind, kind, error.message)
    more(error)
    return true
  }

test('core is told that the old token dies with each refresh', () => {
  assert.deepEqual(zoom.facts, { rotatesStrictly: true, supersededTokenStaysValid: false })
  assert.equal(zoom.mail, undefined)
})

test('one refresh is one call, and gives the next token', async () => {
  const before = fake.tokenCalls()
  const first = await exchange(mint())
  const second = await exchange(first.refreshToken!)
  assert.equal(fake.tokenCalls(), before + 2)
  assert.notEqual(first.refreshToken!.open(), second.refreshToken!.open())
})

test('a token that is used again is refused, and everything of that user with it', async () => {
  const token = mint()
  const tokens = await exchange(token)
  const replay = fails('grant-revoked', ({ details }) => {
    assert.deepEqual(details.providerBody, { error: 'invalid_request', reason: 'Invalid Token!' })
    assert.match(details.advice ?? '', /works once/)
  })
  await assert.rejects(exchange(token), replay)
  await assert.rejects(exchange(tokens.refreshToken!), replay)
})

test('no failure makes it send a refresh token twice', async () => {
  for (const status of [500, 502, 503, 429]) {
    const before = fake.tokenCalls()
    fake.failNext(status, { reason: 'Invalid Token!', error: 'invalid_grant' })
    await assert.rejects(exchange(mint()), fails(status === 429 ? 'rate-limited' : 'unavailable'))
    assert.equal(fake.tokenCalls(), before, 'the failure was the only answer')
  }
})

test('a wrong client secret says nothing about the user', async () => {
  const wrong = { ...client, clientSecret: new Secret('nonsense') }
  await assert.rejects(exchange(mint(), wrong), fails('client-misconfigured'))
})

test('the words of Zoom decide, whichever OAuth error stands beside them', async () => {
  const cases: readonly [number, unknown, ProviderErrorKind][] = [
    [400, { reason: 'Invalid Token!', error: 'invalid_grant' }, 'grant-revoked'],
    [401, { reason: 'Invalid Token!', error: 'invalid_request' }, 'grant-revoked'],
    [401, { reason: 'Invalid Token!' }, 'grant-revoked'],
    [400, { reason: 'The grant is over', error: 'invalid_grant' }, 'grant-revoked'],
    [401, { reason: 'Invalid client_id or client_secret', error: 'invalid_client' }, 'client-misconfigured'],
    [400, { reason: 'The token has been revoked.', error: 'invalid_request' }, 'grant-revoked'],
    [400, { reason: 'The app has been disabled.', error: 'invalid_request' }, 'client-misconfigured'],
    [400, { reason: 'Invalid client secret.', error: 'invalid_request' }, 'client-misconfigured'],
    [400, { reason: 'Not allowed', error: 'unauthorized_client' }, 'client-misconfigured'],
    [400, { reason: 'Bad Request', error: 'invalid_request' }, 'invalid-request'],
  ]
  for (const [status, body, kind] of cases) {
    fake.failNext(status, body)
    await assert.rejects(exchange(mint()), fails(kind), JSON.stringify(body))
  }
})

const identify = async () => {
  const tokens = await exchange(mint())
  const secret = { kind: 'refresh-token' as const, refreshToken: tokens.refreshToken! }
  return () => zoom.identity.identify({ client, secret, tokens, publicSettings: {}, signal })
}

test('names the account', async () => {
  const ask = await identify()
  assert.deepEqual(await ask(), {
    email: 'ada@zoom.example',
    identityKey: 'zoom-ada@zoom.example',
    providerUserId: 'zoom-ada@zoom.example',
    name: 'Ada Moreau',
    scope: ['user:read:user', 'meeting:write:meeting'],
    publicSettings: {},
  })
})

test('says which scope is missing, and tells a refusal from a failure', async () => {
  const ask = await identify()
  const cases: readonly [number, unknown, ProviderErrorKind][] = [
    [
      400,
      { code: 4711, message: 'Invalid access token, does not contain scopes:[user:read:user].' },
      'scope-missing',
    ],
    [401, { code: 124, message: 'Invalid access token.' }, 'access-refused'],
    [429, { code: 429, message: 'You have reached the limit.' }, 'rate-limited'],
    [500, '<html>', 'unavailable'],
    [404, { code: 1001, message: 'User does not exist' }, 'not-found'],
    [200, [], 'malformed-response'],
    [200, { id: 'x' }, 'access-refused'],
  ]
  for (const [status, body, kind] of cases) {
    fake.failNext(status, body)
    await assert.rejects(ask(), fails(kind), JSON.stringify(body))
  }
})

test('names the setting that is missing', () => {
  for (const settings of [{}, { refresh_token: '' }, { refresh_token: 5 }]) {
    assert.throws(
      () => zoom.identity.readSettings(settings),
      (error) => error instanceof AppError && /settings\.refresh_token is required/.test(error.message),
    )
  }
})

test('a virtual calendar is any name, the same one in any capitals, and asks nobody', async () => {
  const { identity, facts, mail } = createVirtualCalendar()
  assert.equal(identity.exchange, undefined)
  assert.equal(mail, undefined)
  assert.equal(facts.rotatesStrictly, false)
  const material = identity.readSettings({ email: ' Room-4 desk 2 ' })
  assert.deepEqual(material, { secret: { kind: 'none' }, publicSettings: { email: 'Room-4 desk 2' } })
  const call = { client: null, tokens: null, signal, ...material }
  assert.deepEqual(await identity.identify(call), {
    email: 'Room-4 desk 2',
    identityKey: 'room-4 desk 2',
    publicSettings: { email: 'Room-4 desk 2' },
  })
  for (const settings of [{}, { email: ' ' }, { email: 7 }, { email: 'x'.repeat(400) }]) {
    assert.throws(
      () => identity.readSettings(settings),
      (error) => error instanceof AppError && /settings\.email/.test(error.message),
    )
  }
})
