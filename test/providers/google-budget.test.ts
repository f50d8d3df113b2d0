import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { systemClock } from '../../src/kit/clock.ts'
import { createHttpClient } from '../../src/kit/outbound/http-client.ts'
import { ProviderError } from '../../src/kit/provider-error.ts'
import { createGoogle } from '../../src/providers/google/create-google.ts'
import { createUnitBudget } from '../../src/providers/google/unit-budget.ts'
import { createSession, endpointsAt, type GoogleWorld, startGoogleWorld } from '../support/sandbox.ts'

let world: GoogleWorld
const http = createHttpClient()

before(async () => {
  world = await startGoogleWorld()
})
after(async () => {
  await http.close()
  await world.stop()
  assert.deepEqual(world.validator.violations, [])
})

/** A budget whose time moves only when somebody waits. */
function budgetOf(unitsPerMinute: number) {
  const time = { nowMs: 1_000_000 }
  const wait = async (ms: number, signal: AbortSignal) => {
    signal.throwIfAborted()
    time.nowMs += ms
  }
  const budget = createUnitBudget({ nowMs: () => time.nowMs }, unitsPerMinute, wait)
  const never = new AbortController().signal
  const take = (units: number, grant = 'g', signal = never) => budget.take(grant, units, time.nowMs, signal)
  return { budget, time, take }
}

const isThrottle = (seconds: number) => (error: unknown) => {
  assert.ok(error instanceof ProviderError)
  assert.equal(error.kind, 'rate-limited')
  assert.equal(error.details.retryAfterSeconds, seconds)
  return true
}

test('units are free again a minute later; a wait that is too long is refused at once with the time left', async () => {
  const { time, take } = budgetOf(100)
  await take(60)
  await take(40)
  assert.equal(time.nowMs, 1_000_000)
  await assert.rejects(take(1), isThrottle(61))
  time.nowMs += 30_000
  await take(50)
  assert.equal(time.nowMs, 1_061_000)
})

test('grants do not share units, and a call over the whole budget is let through alone', async () => {
  const { time, take } = budgetOf(100)
  await take(100)
  await take(5000, 'other')
  assert.equal(time.nowMs, 1_000_000)
})

test('whoever gives up while waiting leaves the units to others', async () => {
  const { time, take } = budgetOf(100)
  await take(100)
  time.nowMs += 40_000
  await assert.rejects(take(100, 'g', AbortSignal.abort()), isThrottle(21))
  await take(100)
  assert.equal(time.nowMs, 1_061_000)
})

test('a pause holds for all calls of the grant, and a pause of hours for none', async () => {
  const { budget, time, take } = budgetOf(100)
  budget.pause('g', 20)
  budget.pause('other', 7200)
  await take(1, 'other')
  assert.equal(time.nowMs, 1_000_000)
  await take(1)
  assert.equal(time.nowMs, 1_020_000)
})

test('a grant over its budget is refused before Google is asked', async () => {
  const google = createGoogle({
    endpoints: endpointsAt(world.sandbox.url),
    http,
    clock: systemClock,
    gmailUnitsPerMinute: 500,
  })
  const session = createSession(google, 'sandbox-refresh-token-ada')
  const list = () => google.mail!.messages.list(session, { limit: 20, fields: 'standard' })
  await list()
  const from = world.validator.seen.length
  await assert.rejects(list(), (error) => {
    assert.ok(error instanceof ProviderError && error.kind === 'rate-limited')
    assert.ok(error.details.retryAfterSeconds! > 40)
    return true
  })
  const calls = world.validator.seen.slice(from).map(({ url }) => new URL(url).pathname)
  assert.deepEqual(calls, ['/gmail/v1/users/me/messages'])
})

test('clients that ask at once never spend more than the quota that Google itself counts', async () => {
  const google = createGoogle({
    endpoints: endpointsAt(world.sandbox.url),
    http,
    clock: systemClock,
    gmailUnitsPerMinute: 1000,
  })
  // A mailbox that no other test of this file has spent on.
  const session = createSession(google, 'sandbox-refresh-token-ben')
  await session.accessToken()
  world.sandbox.control.configure({ unitsPerMinute: 1000 })
  const outcomes = await Promise.allSettled(
    Array.from({ length: 12 }, () => google.mail!.messages.list(session, { limit: 5, fields: 'standard' })),
  ).finally(() => world.sandbox.control.configure({ unitsPerMinute: 0 }))
  const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []))
  assert.ok(refused.length > 0 && refused.length < 12)
  for (const error of refused) {
    assert.ok(error instanceof ProviderError && error.kind === 'rate-limited')
    assert.equal(error.details.httpStatus, undefined, 'refused here, not by Google')
  }
})

test('a throttle of Google holds the next call of the grant back', async () => {
  const google = createGoogle({
    endpoints: endpointsAt(world.sandbox.url),
    http,
    clock: systemClock,
    gmailUnitsPerMinute: 100_000,
  })
  const session = createSession(google, 'sandbox-refresh-token-ada')
  await session.accessToken()
  world.sandbox.control.fail({ target: 'api', mode: '429', retryAfterSeconds: 50 })
  const list = () => google.mail!.messages.list(session, { limit: 2, fields: 'standard' })
  await assert.rejects(list(), isThrottle(50))
  const from = world.validator.seen.length
  await assert.rejects(list(), (error) => error instanceof ProviderError && error.kind === 'rate-limited')
  assert.equal(world.validator.seen.length, from)
})
