import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { verifierFits } from './pkce.ts'

// The vector of contract/auth.md 4.2.
const VERIFIER = 'demo-verifier-0123456789-abcdefghijklmnop-XYZ'
const OF_HEX = 'N2Q3ZjQ1ZGZlNDVmNDllOThiNDc3ZDUyNTZhM2UwMWZkMzBlY2VjMTRhMmM4ZDFhMWIyZTIyNzE4NjRlMTVlNA'
const STANDARD = 'fX9F3-RfSemLR31SVqPgH9MOzsFKLI0aGy4icYZOFeQ'

test('takes a verifier for both encodings of its S256 challenge, padded or not', () => {
  for (const challenge of [OF_HEX, `${OF_HEX}==`, STANDARD, `${STANDARD}=`]) {
    assert.equal(verifierFits(VERIFIER, challenge, 'S256'), true, challenge)
    assert.equal(verifierFits(`${VERIFIER}x`, challenge, 'S256'), false, challenge)
  }
  // Standard base64 of the digest, as a careless client would send it.
  assert.equal(verifierFits(VERIFIER, STANDARD.replaceAll('-', '+').replaceAll('_', '/'), 'S256'), true)
})

test('takes for S256 neither the challenge itself nor the bare digest in hex', () => {
  const hex = createHash('sha256').update(VERIFIER).digest('hex')
  for (const challenge of [OF_HEX, STANDARD]) assert.equal(verifierFits(challenge, challenge, 'S256'), false)
  assert.equal(verifierFits(VERIFIER, hex, 'S256'), false)
  assert.equal(verifierFits(hex, OF_HEX, 'S256'), false)
  assert.equal(verifierFits(VERIFIER, '', 'S256'), false)
  assert.equal(verifierFits('', STANDARD, 'S256'), false)
})

test('takes for plain the challenge itself and nothing else', () => {
  assert.equal(verifierFits(VERIFIER, VERIFIER, 'plain'), true)
  assert.equal(verifierFits(VERIFIER.toLowerCase(), VERIFIER, 'plain'), false)
  assert.equal(verifierFits(VERIFIER, STANDARD, 'plain'), false)
  assert.equal(verifierFits(`${VERIFIER}=`, VERIFIER, 'plain'), false)
})
