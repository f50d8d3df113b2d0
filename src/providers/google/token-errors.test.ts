import assert from 'node:assert/strict'
import { test } from 'node:test'
import { adviseOnGoogleRefusal } from './token-errors.ts'

const DAY_S = 86_400

test('an app in Testing is suspected only of tokens that lived about seven days', () => {
  const days: readonly (readonly [number | null, boolean])[] = [
    [null, false],
    [0, false],
    [5.9, false],
    [6, true],
    [7, true],
    [8, true],
    [8.1, false],
    [180, false],
  ]
  for (const [age, isSuspected] of days) {
    const advice = adviseOnGoogleRefusal('access_revoked', age === null ? null : age * DAY_S) ?? ''
    assert.equal(/^Most likely: .*"Testing"/.test(advice), isSuspected, String(age))
    assert.match(advice, /Testing/)
  }
})

test('other reasons keep their advice at that age; an unknown one has none', () => {
  assert.match(adviseOnGoogleRefusal('reauth_policy', 7 * DAY_S) ?? '', /^Ask the user .*session control/)
  assert.equal(adviseOnGoogleRefusal('connector_deleted', 7 * DAY_S), undefined)
})
