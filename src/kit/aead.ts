import { createCipheriv, createDecipheriv, randomFillSync } from 'node:crypto'
import { secretKeyOf } from './secret-key.ts'

const NONCE_BYTES = 12
const TAG_BYTES = 16

/**
 * Encrypts with AES-256-GCM under a random 96-bit nonce.
 *
 * @param key  32 bytes
 * @param aad  authenticated with the text, not part of the result
 * @returns nonce, ciphertext and tag, in this order
 * @see NIST SP 800-38D
 */
export function encryptAead(key: Buffer, plaintext: Buffer, aad: string): Buffer {
  const nonce = freshNonce()
  const cipher = createCipheriv('aes-256-gcm', secretKeyOf(key), nonce)
  cipher.setAAD(Buffer.from(aad, 'utf8'))
  return Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
}

/**
 * Decrypts what `encryptAead` made.
 * @throws Error when key, aad or a single bit is another one
 */
export function decryptAead(key: Buffer, box: Buffer, aad: string): Buffer {
  if (box.length < NONCE_BYTES + TAG_BYTES) throw new Error('sealed value is too short')
  const decipher = createDecipheriv('aes-256-gcm', secretKeyOf(key), box.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  })
  decipher.setAAD(Buffer.from(aad, 'utf8'))
  decipher.setAuthTag(box.subarray(box.length - TAG_BYTES))
  return Buffer.concat([decipher.update(box.subarray(NONCE_BYTES, box.length - TAG_BYTES)), decipher.final()])
}

/** Random bytes for the next nonces: asking for them one nonce at a time costs more than the encryption. */
const pool = { bytes: Buffer.alloc(NONCE_BYTES * 256), used: Infinity }

function freshNonce(): Buffer {
  if (pool.used + NONCE_BYTES > pool.bytes.length) {
    randomFillSync(pool.bytes)
    pool.used = 0
  }
  const nonce = Buffer.from(pool.bytes.subarray(pool.used, pool.used + NONCE_BYTES))
  pool.used += NONCE_BYTES
  return nonce
}
