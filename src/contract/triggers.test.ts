import assert from 'node:assert/strict'
import { test } from 'node:test'
import { matchedTriggers, subscribedTrigger } from './triggers.ts'

test('takes every name that a client may list, and maps it to what is sent', () => {
  for (const [name, trigger] of [
    ['grant.expired', 'grant.expired'],
    ['message.created.cleaned', 'message.created.cleaned'],
    ['message.created.truncated', 'message.created'],
    ['message.created.cleaned.truncated', 'message.created.cleaned'],
    ['message.updated.truncated', 'message.updated'],
    ['contact.created', 'contact.updated'],
    ['message.opened.legacy', 'message.opened.legacy'],
    ['message.intelligence.order', 'message.intelligence.order'],
  ] as const) {
    assert.equal(subscribedTrigger(name), trigger, name)
  }
})

test('knows no other name', () => {
  for (const name of [
    '',
    'grant',
    'grant.expired ',
    'GRANT.EXPIRED',
    'grant.expired.truncated',
    'thread.created',
    'message.created.metadata',
    'message.created.transformed',
    'message.truncated.truncated',
    '__proto__',
    'hasOwnProperty',
  ]) {
    assert.equal(subscribedTrigger(name), undefined, name)
  }
})

test('implies the reduced messages of the whole ones, and leaves out what it does not know', () => {
  assert.deepEqual(
    matchedTriggers(['message.created.truncated', 'message.created', 'contact.created', 'nope']),
    ['message.created', 'contact.updated', 'message.created.metadata'],
  )
  assert.deepEqual(matchedTriggers([]), [])
})
