import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { GrantId } from '../../src/contract/ids.ts'
import type { GrantSecretRecord } from '../../src/core/ports/records.ts'
import { type FakeZoom, startFakeZoom, ZOOM_CLIENT } from '../support/fake-zoom.ts'
import { type GrantwayApp, movableClock, startGrantway } from '../support/grantway-app.ts'
import { startTokenProvider, type TokenProvider, until } from './token-provider.ts'

const MINUTE_MS = 60_000
const GRANTS = 120
const RATE = 220
/** Of the shared windows of 100 ms, see src/jobs/refresh-pace.ts. */
const PER_WINDOW = 20

const clock = movableClock()
let google: TokenProvider
let zoom: FakeZoom
let app: GrantwayApp

before(async () => {
  google = await startTokenProvider(() => clock.nowMs())
  zoom = await startFakeZoom()
  const environment = {
    ...google.environment,
    GRANTWAY_ZOOM_TOKEN_URL: zoom.endpoints.tokenUrl,
    GRANTWAY_ZOOM_API_URL: zoom.endpoints.apiUrl,
    GRANTWAY_REFRESH_RATE: String(RATE),
  }
  app = await startGrantway(environment, { clock })
  for (const [provider, settings] of [
    ['google', { client_id: 'client', client_secret: 'secret' }],
    ['zoom', { client_id: ZOOM_CLIENT.clientId, client_secret: ZOOM_CLIENT.clientSecret }],
  ] as const) {
    const made = await app.call('POST', '/v3/connectors', { provider, settings })
    assert.equal(made.status, 201, made.text)
  }
})
after(async () => {
  await app.stop()
  await zoom.stop()
  await google.stop()
})

const secretOf = async (id: GrantId) => {
  const found = await app.application.database.stores.secrets.find(id)
  assert.ok(found)
  return found
}
const isAtRest = (secret: GrantSecretRecord) => secret.leaseUntilMs === null
/** Waits until each of them has been refreshed once. */
async function untilRefreshed(ids: readonly GrantId[]): Promise<void> {
  const left = [...ids]
  await until('each is refreshed', async () => {
    while (left[0] && (await secretOf(left[0])).version === 2) left.shift()
    return left.length === 0
  })
}
/** So that they are not due in the next test. */
async function forget(ids: readonly GrantId[]): Promise<void> {
  await Promise.all(ids.map((id) => app.call('DELETE', `/v3/grants/${id}`)))
}

async function connect(provider: 'google' | 'zoom', refreshTokens: readonly string[]): Promise<GrantId[]> {
  const ids: GrantId[] = []
  for (let at = 0; at < refreshTokens.length; at += 20) {
    const answers = await Promise.all(
      refreshTokens
        .slice(at, at + 20)
        .map((token) =>
          app.call('POST', '/v3/connect/custom', { provider, settings: { refresh_token: token } }),
        ),
    )
    for (const { status, text, body } of answers) {
      assert.equal(status, 201, text)
      ids.push(body.data.id)
    }
  }
  return ids
}
let accounts = 0
const googleTokens = (count: number) => Array.from({ length: count }, () => `refresh-${accounts++}`)

/** Window by window, until the provider has been asked so often. */
async function letWindowsPass(untilCalls: number): Promise<void> {
  while (google.calls.length < untilCalls) {
    const expected = Math.min(untilCalls, google.calls.length + PER_WINDOW)
    clock.advance(100)
    app.application.jobs?.wake()
    await until('the window is used', () => google.calls.length >= expected)
  }
}

function mostInASecond(calls: TokenProvider['calls']): number {
  let most = 0
  let first = 0
  for (const [at, { atMs }] of calls.entries()) {
    while ((calls[first]?.atMs ?? atMs) <= atMs - 1000) first += 1
    most = Math.max(most, at - first + 1)
  }
  return most
}

test('a provider that does not answer holds up no other', async () => {
  const slow = await connect('google', googleTokens(40))
  const users = ['a', 'b', 'c'].map((name) => `${name}@zoom.example`)
  const quick = await connect(
    'zoom',
    users.map((email) => zoom.mint(email)),
  )
  google.setMode('silent')
  clock.advance(55 * MINUTE_MS)
  const before = google.calls.length
  await letWindowsPass(before + 32)
  clock.advance(1000)
  app.application.jobs?.wake()
  await untilRefreshed(quick)
  assert.equal(google.calls.length, before + 32, 'no more than its share is under way')
  assert.equal(zoom.replays(), 0)
  google.setMode('up')
  await letWindowsPass(before + 40)
  await untilRefreshed(slow)
  await forget([...slow, ...quick])
})

describe('a provider that is down', () => {
  test('costs few calls for hours', async () => {
    const ids = await connect('google', googleTokens(5))
    const before = google.calls.length
    google.setMode('down')
    clock.advance(55 * MINUTE_MS)
    for (let minute = 0; minute < 360; minute += 2) {
      app.application.jobs?.wake()
      await until('nothing is due', async () =>
        (await Promise.all(ids.map(secretOf))).every(
          (secret) => isAtRest(secret) && (secret.nextRefreshAtMs ?? 0) > clock.nowMs(),
        ),
      )
      clock.advance(2 * MINUTE_MS)
    }
    const callsEach = (google.calls.length - before) / ids.length
    assert.ok(callsEach > 15 && callsEach <= 32, String(callsEach))
    google.setMode('up')
    clock.advance(20 * MINUTE_MS)
    app.application.jobs?.wake()
    await untilRefreshed(ids)
    await forget(ids)
  })

  test('is not stormed when it comes back: every grant is refreshed, within the rate', async () => {
    const ids = await connect('google', googleTokens(GRANTS))
    google.setMode('down')
    clock.advance(55 * MINUTE_MS)
    const before = google.calls.length
    await letWindowsPass(before + GRANTS)
    for (const id of ids) await until('its failure is noted', async () => isAtRest(await secretOf(id)))
    google.setMode('up')
    // Hours later all of them are due.
    clock.advance(180 * MINUTE_MS)
    const back = google.calls.length
    await letWindowsPass(back + GRANTS)
    await untilRefreshed(ids)
    const calls = google.calls.slice(before)
    // A call may come a window later than it was taken, on a busy machine.
    assert.ok(mostInASecond(calls) <= RATE + PER_WINDOW, `${mostInASecond(calls)} in a second`)
    assert.equal(new Set(google.calls.slice(back).map(({ account }) => account)).size, GRANTS)
    assert.equal(google.calls.length, back + GRANTS)
  })
})
