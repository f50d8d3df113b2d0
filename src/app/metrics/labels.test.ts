import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { GrantCount } from '../../core/ports/stores.ts'
import { boundedReasons, statusLabel } from './labels.ts'

const invalid = (reasonCode: string, count = 1): GrantCount => ({
  provider: 'google',
  status: 'invalid',
  reasonCode,
  count,
})
const reasonsOf = (counts: readonly GrantCount[]) => boundedReasons(counts).map(({ reason }) => reason)

test('keeps the codes of providers and of ours', () => {
  const codes = ['invalid_grant', 'refresh_answer_lost', 'AADSTS50173', 'AUTHENTICATIONFAILED', 'NO', '535']
  assert.deepEqual(reasonsOf(codes.map((code) => invalid(code))), codes)
})

test('shows no code that may be an address, a host, an id or a text', () => {
  const codes = [
    'ada@example.com',
    'mail.example.com',
    '3f2b8c1e-0000-4000-8000-3f2b8c1e0000',
    '0123456789abcdef',
    'a b',
    '"',
    '',
    'x'.repeat(41),
    '4915112345678',
  ]
  assert.deepEqual(boundedReasons(codes.map((code) => invalid(code))), [
    { provider: 'google', status: 'invalid', reason: 'other', count: codes.length },
  ])
})

test('names the 50 most frequent reasons and counts the others together, losing no grant', () => {
  const letters = 'abcdefghijklmnopqrstuvwxyz'
  const codes = Array.from(
    { length: 120 },
    (_, at) => `code_${letters[at % 26]}_${letters[Math.floor(at / 26)]}`,
  )
  const counts = boundedReasons([
    ...codes.map((code, at) => invalid(code, at + 1)),
    { provider: 'imap', status: 'invalid', reasonCode: codes[0] ?? '', count: 5 },
    { provider: 'google', status: 'valid', reasonCode: null, count: 7 },
  ])
  const reasons = new Set(counts.map(({ reason }) => reason))
  assert.equal(reasons.size, 50 + 2) // other, and the empty one of valid grants
  for (const code of codes.slice(70)) assert.ok(reasons.has(code), code)
  const total = counts.reduce((sum, { count }) => sum + count, 0)
  assert.equal(total, (120 * 121) / 2 + 5 + 7)
  assert.equal(counts.find(({ status }) => status === 'valid')?.reason, '')
  assert.equal(counts.find(({ provider }) => provider === 'imap')?.reason, 'other')
})

test('bounds the status of a server that answers any number', () => {
  assert.deepEqual([100, 204, 599, 600, 99, 200.5, Number.NaN, 'timeout'].map(statusLabel), [
    '100',
    '204',
    '599',
    'other',
    'other',
    'other',
    'other',
    'timeout',
  ])
})
