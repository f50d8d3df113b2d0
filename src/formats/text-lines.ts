import { isUtf8 } from 'node:buffer'

/** A line of a text, without its line end; `problem` where it can't be read. `number` counts from 1. */
export type TextLine =
  | { readonly number: number; readonly text: string }
  | { readonly number: number; readonly problem: string }

const LINE_FEED = 0x0a
const CARRIAGE_RETURN = 0x0d
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf])

/**
 * Splits UTF-8 bytes into lines as they come. Line ends are LF or CRLF; a byte order mark at the start is left
 * out, and so are empty lines. A line that is too long or no UTF-8 comes with a problem and harms no other: of a
 * line that never ends, no more than the limit is held.
 */
export class LineSplitter {
  readonly #maxLineBytes: number
  #pending: Buffer[] = []
  #pendingBytes = 0
  #isTooLong = false
  #number = 1

  constructor(maxLineBytes: number) {
    this.#maxLineBytes = maxLineBytes
  }

  /** @returns the lines that ended with this chunk */
  push(chunk: Uint8Array): readonly TextLine[] {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    const lines: TextLine[] = []
    let start = 0
    for (let end = bytes.indexOf(LINE_FEED); end !== -1; end = bytes.indexOf(LINE_FEED, start)) {
      this.#finish(bytes.subarray(start, end), lines)
      start = end + 1
    }
    this.#hold(bytes.subarray(start))
    return lines
  }

  /** @returns the last line, where no line end followed it */
  end(): readonly TextLine[] {
    const lines: TextLine[] = []
    this.#finish(Buffer.alloc(0), lines)
    return lines
  }

  #hold(rest: Buffer): void {
    if (rest.length === 0 || this.#isTooLong) return
    if (this.#pendingBytes + rest.length > this.#maxLineBytes) {
      this.#isTooLong = true
      this.#pending = []
      this.#pendingBytes = 0
      return
    }
    // A copy: the chunk's memory is the stream's to use again.
    this.#pending.push(Buffer.from(rest))
    this.#pendingBytes += rest.length
  }

  #finish(last: Buffer, lines: TextLine[]): void {
    const number = this.#number++
    const isTooLong = this.#isTooLong || this.#pendingBytes + last.length > this.#maxLineBytes
    const whole = this.#pending.length === 0 ? last : Buffer.concat([...this.#pending, last])
    this.#pending = []
    this.#pendingBytes = 0
    this.#isTooLong = false
    if (isTooLong) {
      lines.push({ number, problem: `the line is longer than ${this.#maxLineBytes} bytes` })
      return
    }
    const line = withoutMarks(whole, number === 1)
    if (line.length === 0) return
    if (!isUtf8(line)) lines.push({ number, problem: 'the line is not valid UTF-8' })
    else lines.push({ number, text: line.toString('utf8') })
  }
}

function withoutMarks(line: Buffer, isFirst: boolean): Buffer {
  const start = isFirst && line.subarray(0, 3).equals(BYTE_ORDER_MARK) ? 3 : 0
  const end = line.at(-1) === CARRIAGE_RETURN ? line.length - 1 : line.length
  return line.subarray(start, end)
}
