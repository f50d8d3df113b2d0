const EQUALS = 0x3d
const CR = 0x0d
const LF = 0x0a

/**
 * Undoes a Content-Transfer-Encoding (RFC 2045 section 6). Garbage is skipped or kept as it is; an unknown
 * encoding leaves the bytes as they are. Never throws.
 */
export function decodeTransfer(bytes: Uint8Array, encoding: string | undefined): Uint8Array {
  switch (encoding?.trim().toLowerCase()) {
    case 'base64':
      return decodeBase64(bytes)
    case 'quoted-printable':
      return decodeQuotedPrintable(bytes)
    case 'x-uuencode':
    case 'uuencode':
    case 'x-uue':
      return decodeUuencode(bytes)
    default:
      return bytes
  }
}

/** Some senders glue several padded blocks together: each is decoded on its own. */
function decodeBase64(bytes: Uint8Array): Uint8Array {
  const blocks = Buffer.from(bytes).toString('latin1').split('=')
  return Buffer.concat(blocks.map((block) => Buffer.from(block, 'base64')))
}

function decodeQuotedPrintable(bytes: Uint8Array): Uint8Array {
  const out = Buffer.alloc(bytes.length)
  let length = 0
  let at = 0
  while (at < bytes.length) {
    const byte = bytes[at] ?? 0
    if (byte !== EQUALS) {
      out[length++] = byte
      at += 1
      continue
    }
    const value = hexPair(bytes[at + 1], bytes[at + 2])
    const lineEnd = value === undefined ? softBreakEnd(bytes, at + 1) : undefined
    if (value !== undefined) {
      out[length++] = value
      at += 3
    } else if (lineEnd !== undefined) {
      at = lineEnd
    } else {
      out[length++] = byte // a stray "=": kept
      at += 1
    }
  }
  return out.subarray(0, length)
}

/** Where the line after a soft break begins: blanks may stand between `=` and the line end. */
function softBreakEnd(bytes: Uint8Array, from: number): number | undefined {
  let at = from
  while (bytes[at] === 0x20 || bytes[at] === 0x09) at += 1
  if (at >= bytes.length) return at
  if (bytes[at] === CR && bytes[at + 1] === LF) return at + 2
  return bytes[at] === LF || bytes[at] === CR ? at + 1 : undefined
}

function hexPair(high: number | undefined, low: number | undefined): number | undefined {
  const first = hexDigit(high)
  const second = hexDigit(low)
  return first === undefined || second === undefined ? undefined : first * 16 + second
}

function hexDigit(byte: number | undefined): number | undefined {
  if (byte === undefined) return undefined
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const upper = byte & 0xdf
  return upper >= 0x41 && upper <= 0x46 ? upper - 0x37 : undefined
}

function decodeUuencode(bytes: Uint8Array): Uint8Array {
  const out: number[] = []
  for (const line of Buffer.from(bytes).toString('latin1').split(/\r?\n/)) {
    if (line === 'end') break
    if (line === '' || line.startsWith('begin ')) continue
    const count = (line.charCodeAt(0) - 32) & 63
    const end = out.length + count
    for (let at = 1; at + 3 < line.length + 3 && out.length < end; at += 4) {
      const [a = 0, b = 0, c = 0, d = 0] = [0, 1, 2, 3].map((next) => (line.charCodeAt(at + next) - 32) & 63)
      out.push((a << 2) | (b >> 4), ((b & 15) << 4) | (c >> 2), ((c & 3) << 6) | d)
    }
    out.length = Math.min(out.length, end)
  }
  return Buffer.from(out.map((byte) => byte & 255))
}
