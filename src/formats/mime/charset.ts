import { TextDecoder } from 'node:util'
import { createDecodeStream, decode } from 'libmime/lib/charset'

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

/**
 * Decodes bytes by the charset that a header names. What the name doesn't explain is read as UTF-8 where it is
 * valid UTF-8, else as windows-1252. Never throws.
 */
export function decodeCharset(bytes: Uint8Array, charset: string | undefined): string {
  const label =
    charset
      ?.trim()
      .replace(/^["']|["']$/g, '')
      .toLowerCase() ?? ''
  if (UNDECLARED.has(label)) return decodeUnknown(bytes)
  const decoder = decoderFor(label)
  if (decoder) return decoder.decode(bytes)
  // Code pages that browsers don't know (IBM850, KOI8-T …). UTF-7 is refused by libmime on purpose.
  if (createDecodeStream(label).supported) return decode(Buffer.from(bytes), label)
  return decodeUnknown(bytes)
}

/** Reads bytes of no declared charset: header lines, for example. */
export function decodeUnknown(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return new TextDecoder('windows-1252').decode(bytes) // not UTF-8: each byte is a character then
  }
}

function decoderFor(label: string): TextDecoder | undefined {
  try {
    return new TextDecoder(label)
  } catch {
    return undefined // a label that the WHATWG registry doesn't have
  }
}
