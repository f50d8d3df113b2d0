import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type DeliveryFailure, GIVE_UP_AFTER_MS, nextTryAfterMs } from './retry-schedule.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

/** The waits of a receiver that always fails like this, without jitter. */
function waitsOf(failure: DeliveryFailure): readonly number[] {
  const waits: number[] = []
  let sinceFirstMs = 0
  for (let attempt = 1; ; attempt += 1) {
    const wait = nextTryAfterMs({ attempt, sinceFirstMs, failure, random: 0.5 })
    if (wait === null) return waits
    waits.push(wait)
    sinceFirstMs += wait
  }
}

describe('retry schedule', () => {
  test('tries again after 1 and 15 minutes, then ever more seldom, when the receiver was only out for a moment', () => {
    for (const failure of ['timeout', 'unreachable', 408, 429, 502, 503, 504, 507] as const) {
      assert.deepEqual(
        waitsOf(failure).slice(0, 7),
        [MINUTE_MS, 15 * MINUTE_MS, HOUR_MS, 2 * HOUR_MS, 4 * HOUR_MS, 8 * HOUR_MS, 8 * HOUR_MS],
        String(failure),
      )
    }
  })

  test('skips the fast tries for every other failure', () => {
    for (const failure of [301, 400, 401, 404, 410, 500, 501]) {
      assert.deepEqual(
        waitsOf(failure).slice(0, 5),
        [HOUR_MS, 2 * HOUR_MS, 4 * HOUR_MS, 8 * HOUR_MS, 8 * HOUR_MS],
        String(failure),
      )
    }
  })

  test('makes the last try not before 72 hours, and ends then', () => {
    for (const failure of [503, 500] as const) {
      const waits = waitsOf(failure)
      const lastTryMs = waits.reduce((sum, wait) => sum + wait, 0)
      assert.ok(lastTryMs >= GIVE_UP_AFTER_MS)
      assert.ok(lastTryMs <= GIVE_UP_AFTER_MS + 8 * HOUR_MS)
    }
    const late = { attempt: 1, sinceFirstMs: GIVE_UP_AFTER_MS, failure: 503, random: 0 }
    assert.equal(nextTryAfterMs(late), null)
    assert.notEqual(nextTryAfterMs({ ...late, sinceFirstMs: GIVE_UP_AFTER_MS - 1 }), null)
  })

  test('spreads the tries by a tenth to either side', () => {
    const failed = { attempt: 1, sinceFirstMs: 0, failure: 503 }
    assert.equal(nextTryAfterMs({ ...failed, random: 0 }), 54_000)
    assert.equal(nextTryAfterMs({ ...failed, random: 1 }), 66_000)
  })

  test('waits as long as the receiver asks, at most 8 hours, and never shorter than the schedule', () => {
    const failed = { attempt: 1, sinceFirstMs: 0, failure: 429, random: 0.5 }
    assert.equal(nextTryAfterMs({ ...failed, retryAfterSeconds: 600 }), 600_000)
    assert.equal(nextTryAfterMs({ ...failed, retryAfterSeconds: 1 }), MINUTE_MS)
    assert.equal(nextTryAfterMs({ ...failed, retryAfterSeconds: 10_000_000 }), 8 * HOUR_MS)
  })
})
