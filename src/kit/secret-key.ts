import { createSecretKey, type KeyObject } from 'node:crypto'

const known = new WeakMap<Buffer, KeyObject>()

/**
 * The key object of a key's bytes, made once: Node makes one for each call that is given bytes, which takes several
 * times as long as encrypting or digesting a short text (measured 2026-11, Node 24.21: 45 of 55 µs).
 */
export function secretKeyOf(key: Buffer): KeyObject {
  let made = known.get(key)
  if (!made) {
    made = createSecretKey(key)
    known.set(key, made)
  }
  return made
}
