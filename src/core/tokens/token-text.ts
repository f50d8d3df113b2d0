import { createHash } from 'node:crypto'
import type { Ids } from '../../kit/ids.ts'

/*
 * What our tokens look like: a prefix, which tells people and secret scanners what they see, and 256 random bits. The
 * prefix is hashed with the rest: nobody can turn a token into one of another kind.
 */
const PREFIXES = {
  code: 'gw_code_',
  access: 'gw_at_',
  refresh: 'gw_rt_',
  /** of a client without a secret (RFC 6749 section 2.1): it may be used without one, and is always rotated */
  publicRefresh: 'gw_rt_pub_',
} as const

const RANDOM_BYTES = 32
/** Tokens of ours are shorter than this; anything longer is none. */
const MAX_LENGTH = 128

/** Makes a token that has not been there before. */
export function newToken(ids: Ids, kind: keyof typeof PREFIXES): string {
  return PREFIXES[kind] + ids.token(RANDOM_BYTES)
}

/** Tells by its text alone whether this may be a token of that kind: what isn't needs no look-up. */
export function looksLike(kind: keyof typeof PREFIXES, token: string): boolean {
  return token.length <= MAX_LENGTH && token.startsWith(PREFIXES[kind])
}

/** What is stored of a token: SHA-256, hex. Tokens are long and random, so a plain hash is enough. */
export function hashOf(token: string): string {
  return createHash('sha256').update(token, 'utf8').digest('hex')
}
