import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aheadDueMs, firstRefreshDueMs, keepAliveDueMs, retryAheadMs } from './refresh-schedule.ts'

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS
const NOW_MS = 1_700_000_000_000
const RANDOMS = [0, 0.25, 0.5, 0.999_999]

const leftMs = (lifeMs: number, random = 0) => NOW_MS + lifeMs - aheadDueMs(NOW_MS + lifeMs, NOW_MS, random)

test('refreshes ahead with a tenth of the life left, at least five minutes, at most half of the life', () => {
  assert.equal(leftMs(3600_000), 6 * MINUTE_MS)
  assert.equal(leftMs(20 * MINUTE_MS), 5 * MINUTE_MS)
  assert.equal(leftMs(5 * MINUTE_MS), 2.5 * MINUTE_MS)
  assert.equal(leftMs(DAY_MS), DAY_MS / 10)
  assert.equal(aheadDueMs(NOW_MS - 5, NOW_MS, 0.5), NOW_MS)
})

test('refreshes a token that lives for a month every seven days', () => {
  assert.equal(aheadDueMs(NOW_MS + 30 * DAY_MS, NOW_MS, 0), NOW_MS + 7 * DAY_MS)
})

test('comes earlier by chance, never later, and by no more than a twentieth of the way', () => {
  const latest = aheadDueMs(NOW_MS + 3600_000, NOW_MS, 0)
  for (const random of RANDOMS) {
    const due = aheadDueMs(NOW_MS + 3600_000, NOW_MS, random)
    assert.ok(due <= latest && due >= latest - 0.05 * (latest - NOW_MS), String(due - latest))
  }
  assert.notEqual(aheadDueMs(NOW_MS + 3600_000, NOW_MS, 0.5), latest)
})

test('keeps an idle grant alive every seven days, give or take a tenth', () => {
  assert.equal(keepAliveDueMs(NOW_MS, 0), NOW_MS + 6.3 * DAY_MS)
  assert.equal(keepAliveDueMs(NOW_MS, 0.5), NOW_MS + 7 * DAY_MS)
  assert.ok(keepAliveDueMs(NOW_MS, 0.999_999) <= NOW_MS + 7.7 * DAY_MS)
})

test('spreads the first refresh of imported grants evenly over seven days', () => {
  assert.equal(firstRefreshDueMs(NOW_MS, 0), NOW_MS)
  assert.equal(firstRefreshDueMs(NOW_MS, 0.5), NOW_MS + 3.5 * DAY_MS)
  assert.ok(firstRefreshDueMs(NOW_MS, 0.999_999) < NOW_MS + 7 * DAY_MS)
})

test('backs off exponentially to a quarter of an hour, and waits for the cool-down', () => {
  const waits = [1, 2, 3, 5, 8, 50].map((failures) => retryAheadMs(failures, 0, 0))
  assert.deepEqual(waits, [10_000, 20_000, 40_000, 160_000, 900_000, 900_000])
  assert.equal(retryAheadMs(1, 600_000, 0), 600_000)
  for (const random of RANDOMS) {
    const wait = retryAheadMs(4, 0, random)
    assert.ok(wait >= 80_000 && wait <= 100_000, String(wait))
  }
})
