import assert from 'node:assert/strict'
import { test } from 'node:test'
import { applicationId } from '../../contract/ids.ts'
import { LiveKeyCache } from './live-key-cache.ts'

const caller = { applicationId: applicationId('a'), actor: 'key:k' }

test('remembers a caller for less than five seconds from the start of its look-up', () => {
  let nowMs = 0
  const cache = new LiveKeyCache({ nowMs: () => nowMs })
  const remember = cache.startLookup()
  nowMs = 2_000
  remember('hash', caller)
  assert.deepEqual(cache.get('hash'), caller)
  assert.equal(cache.get('other'), null)
  nowMs = 4_000
  assert.equal(cache.get('hash'), null)
})

test('does not remember what a look-up found that was under way when keys were forgotten', () => {
  const cache = new LiveKeyCache({ nowMs: () => 0 })
  const remember = cache.startLookup()
  cache.forgetAll()
  remember('hash', caller)
  assert.equal(cache.get('hash'), null)
  cache.startLookup()('hash', caller)
  assert.deepEqual(cache.get('hash'), caller)
})
