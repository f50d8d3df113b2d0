import { TextDecoder } from 'node:util'
import { libmimeCharset } from './libmime.ts'

/** Labels under which senders hide UTF-8 or nothing at all. */
const UNDECLARED = new Set([
  '',
  'us-ascii',
  'ascii',
  'ansi_x3.4-1968',
  'unknown-8bit',
  'x-unknown',
  'default',
])

/** Charsets of a byte per character, as they are labelled. */
const SINGLE_BYTE = /^(iso[-_]?8859[-_]\d{1,2}|latin-?\d|(windows-|cp)125\d)$/

/**
 * Decodes bytes by the charset that a header names. A charset of single bytes is not believed where the bytes are
 * valid UTF-8: nobody writes `Ã¶`, while senders that label UTF-8 as Latin-1 are common (other readers do the same:
 * macro-inc/macro pull request 6133, huacnlee/omamail pull request 87, checked 2026-11). What the name doesn't explain is read as UTF-8 where it is
 * valid UTF-8, else as windows-1252. Never throws.
 */
export function decodeCharset(bytes: Uint8Array, charset: string | undefined): string {
  const label = labelOf(charset)
  if (UNDECLARED.has(label)) return decodeUnknown(bytes)
  if (SINGLE_BYTE.test(label)) {
    const text = decodeUtf8(bytes)
    if (text !== undefined) return text
  }
  const decoder = decoderFor(label)
  if (decoder) return decoder.decode(bytes)
  // Code pages that browsers don't know (IBM850, KOI8-T …). UTF-7 is refused by libmime on purpose.
  const { createDecodeStream, decode } = libmimeCharset()
  if (createDecodeStream(label).supported) return decode(Buffer.from(bytes), label)
  return decodeUnknown(bytes)
}

/** Tells whether bytes that are labelled as single-byte characters, or not at all, are UTF-8 beyond ASCII. */
export function isMislabelledUtf8(bytes: Uint8Array, charset: string): boolean {
  const label = labelOf(charset)
  const isDoubtful = UNDECLARED.has(label) || SINGLE_BYTE.test(label)
  return isDoubtful && bytes.some((byte) => byte >= 0x80) && decodeUtf8(bytes) !== undefined
}

/** Reads bytes of no declared charset: header lines, for example. */
export function decodeUnknown(bytes: Uint8Array): string {
  // Not UTF-8: each byte is a character then.
  return decodeUtf8(bytes) ?? new TextDecoder('windows-1252').decode(bytes)
}

/** @returns undefined for what is not valid UTF-8 */
function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined // a sequence that is none
  }
}

function labelOf(charset: string | undefined): string {
  const text = charset?.trim().replace(/^["']|["']$/g, '')
  return text?.toLowerCase() ?? ''
}

function decoderFor(label: string): TextDecoder | undefined {
  try {
    return new TextDecoder(label)
  } catch {
    return undefined // a label that the WHATWG registry doesn't have
  }
}
