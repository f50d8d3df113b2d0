import { decodeCharset } from './charset.ts'
import type { MimePart } from './mime-part.ts'
import { decodeTransfer } from './transfer-encoding.ts'
import { libmime } from './libmime.ts'

/** Decodes the transferred bytes of a text part: encoding, charset, `format=flowed` (RFC 3676). Never throws. */
export function decodeText(part: MimePart, bytes: Uint8Array): string {
  const text = decodeCharset(decodeTransfer(bytes, part.encoding), part.parameters?.['charset'])
  const isFlowed = part.type === 'text/plain' && part.parameters?.['format']?.toLowerCase() === 'flowed'
  if (!isFlowed) return text
  return libmime().decodeFlowed(text, part.parameters?.['delsp']?.toLowerCase() === 'yes')
}

/** Estimates the decoded size of a part from its transferred size, in bytes. */
export function decodedSize(part: MimePart): number {
  const size = part.size ?? 0
  // 57 bytes make a base64 line of 76 characters and a line end.
  return part.encoding === 'base64' ? Math.floor((size * 57) / 78) : size
}
