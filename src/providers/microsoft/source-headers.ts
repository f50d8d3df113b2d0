import type { MessageHeader } from '../../contract/message.ts'

const HEADER_LIMIT_BYTES = 256 * 1024

/**
 * Reads the header block of a message's source: order and doubles kept, folded lines joined, values not decoded.
 * Lines that are no header are skipped.
 * @see RFC 5322 section 2.2
 */
export function headersOfSource(source: Buffer): MessageHeader[] {
  const block =
    source
      .subarray(0, HEADER_LIMIT_BYTES)
      .toString('utf8')
      .split(/\r?\n\r?\n/, 1)[0] ?? ''
  return block
    .replace(/\r?\n(?=[ \t])/g, '')
    .split(/\r?\n/)
    .flatMap((line) => {
      const colon = line.indexOf(':')
      const name = line.slice(0, Math.max(colon, 0)).trimEnd()
      return /^[!-9;-~]+$/.test(name) ? [{ name, value: line.slice(colon + 1).trim() }] : []
    })
}
