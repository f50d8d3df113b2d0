import { createHash, timingSafeEqual } from 'node:crypto'

/**
 * Tells whether a verifier belongs to a challenge (RFC 7636 section 4.6).
 *
 * S256 comes in two encodings: base64url of the digest, and base64 of the digest written as lower-case hex, which is
 * what the Nylas SDKs, command line and browser library send (contract/auth.md 4.2). 43 and 86 characters: they can't be
 * taken for each other. Their verifier is a UUID, shorter than the RFC wants, so its length is not looked at.
 */
export function verifierFits(verifier: string, challenge: string, method: 'plain' | 'S256'): boolean {
  if (method === 'plain') return isSame(verifier, challenge)
  const given = challenge.replace(/=+$/, '').replaceAll('+', '-').replaceAll('/', '_')
  const digest = createHash('sha256').update(verifier, 'utf8')
  const bytes = digest.digest()
  const standard = bytes.toString('base64url')
  const ofHex = Buffer.from(bytes.toString('hex'), 'latin1').toString('base64url')
  return isSame(standard, given) || isSame(ofHex, given)
}

function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a, 'utf8'), Buffer.from(b, 'utf8')]
  return left.length === right.length && timingSafeEqual(left, right)
}
