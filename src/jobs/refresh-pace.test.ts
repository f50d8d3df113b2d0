import assert from 'node:assert/strict'
import { test } from 'node:test'
import { paceOf } from './refresh-pace.ts'

test('lets no second see more than the rate, wherever it begins', () => {
  for (const perSecond of [2, 3, 5, 10, 11, 12, 20, 50, 99, 100, 101, 1000, 100_000]) {
    const { limit, windowMs } = paceOf(perSecond)
    const windowsTouched = Math.ceil(1000 / windowMs) + 1
    assert.ok(windowsTouched * limit <= perSecond, `${perSecond}: ${limit} each ${windowMs} ms`)
  }
})

test('a rate of four and more has room for calls that come a window late', () => {
  for (const perSecond of [4, 12, 20, 23, 24, 50, 99, 100, 120, 1000, 100_000]) {
    const { limit, windowMs } = paceOf(perSecond)
    const windowsTouched = Math.ceil(1000 / windowMs) + 2
    assert.ok(windowsTouched * limit <= perSecond, `${perSecond}: ${limit} each ${windowMs} ms`)
  }
})

test('lets most of the rate through', () => {
  assert.deepEqual(paceOf(1), { limit: 1, windowMs: 1000 })
  assert.deepEqual(paceOf(100), { limit: 8, windowMs: 100 })
  for (const perSecond of [4, 11, 12, 22, 24, 50, 100, 1000]) {
    const { limit, windowMs } = paceOf(perSecond)
    assert.ok((limit * 1000) / windowMs >= perSecond / 2, String(perSecond))
  }
})
