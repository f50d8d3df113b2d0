import { decodeTransfer } from './transfer-encoding.ts'

/** Undoes a Content-Transfer-Encoding piece by piece, with the same result as `decodeTransfer` of the whole. */
export interface TransferDecoder {
  write(bytes: Uint8Array): Uint8Array
  /** What was held back; call it once, at the end. */
  end(): Uint8Array
}

const NOTHING = new Uint8Array()
/** A line or run of blanks longer than this is not waited for: memory stays bounded. */
const HOLD_LIMIT = 64 * 1024

/** Makes a decoder; an unknown encoding passes the bytes on. Never throws. */
export function createTransferDecoder(encoding: string | undefined): TransferDecoder {
  switch (encoding?.trim().toLowerCase()) {
    case 'base64':
      return base64Decoder()
    case 'quoted-printable':
      return holding('quoted-printable', completeQuotedPrintable)
    case 'x-uuencode':
    case 'uuencode':
    case 'x-uue':
      return uuDecoder()
    default:
      return { write: (bytes) => bytes, end: () => NOTHING }
  }
}

/** Four characters make three bytes; padding ends a block, and another may follow (see `decodeTransfer`). */
function base64Decoder(): TransferDecoder {
  let held = ''
  return {
    write(bytes) {
      const blocks = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1').split('=')
      const out: Buffer[] = []
      for (const [at, block] of blocks.entries()) {
        held += block.replace(/[^A-Za-z0-9+/_-]+/g, '')
        const whole = at < blocks.length - 1 ? held.length : held.length - (held.length % 4)
        out.push(Buffer.from(held.slice(0, whole), 'base64'))
        held = held.slice(whole)
      }
      return Buffer.concat(out)
    },
    end: () => Buffer.from(held, 'base64'),
  }
}

/** Decodes as far as the end is complete, and holds the rest. */
function holding(encoding: string, completeLength: (bytes: Buffer) => number): TransferDecoder {
  let held: Uint8Array = NOTHING
  return {
    write(bytes) {
      const all = Buffer.concat([held, bytes])
      const complete = completeLength(all)
      const whole = all.length - complete > HOLD_LIMIT ? all.length : complete
      held = all.subarray(whole)
      return decodeTransfer(all.subarray(0, whole), encoding)
    },
    end: () => decodeTransfer(held, encoding),
  }
}

/**
 * Up to the last `=` when what follows it may still become a hex pair or a soft line break. One with blanks only
 * before that is held, too: at the end of the bytes it would be a soft break.
 */
function completeQuotedPrintable(bytes: Buffer): number {
  let at = bytes.lastIndexOf('=')
  if (at === -1) return bytes.length
  const rest = bytes.subarray(at + 1, at + 1 + HOLD_LIMIT + 1).toString('latin1')
  if (!/^(?:[0-9A-Fa-f]?|[ \t]*\r?)$/.test(rest)) return bytes.length
  for (let before = at - 1; before >= 0; before -= 1) {
    if (bytes[before] === 0x3d) at = before
    else if (bytes[before] !== 0x20 && bytes[before] !== 0x09) break
  }
  return at
}

/** Line by line, until the line `end`. */
function uuDecoder(): TransferDecoder {
  let ended = false
  const lines = holding('uuencode', (bytes) => bytes.lastIndexOf('\n') + 1)
  let tail = ''
  return {
    write(bytes) {
      if (ended) return NOTHING
      // "end" may be cut by the pieces: what the last piece left of its line is looked at, too.
      const text = tail + Buffer.from(bytes).toString('latin1')
      const end = /(?:^|\n)end\r?\n/.exec(text)
      ended = end !== null
      tail = text.slice(text.lastIndexOf('\n') + 1).slice(-HOLD_LIMIT)
      return lines.write(bytes)
    },
    end: () => (ended ? NOTHING : lines.end()),
  }
}
