import { Readable } from 'node:stream'
import { ProviderError } from '../../kit/provider-error.ts'

/** Base64 text that is decoded at once: a multiple of four characters. */
const PIECE_CHARS = 16 * 1024
/** What may stand before the data: names, a size, white space. */
const HEAD_MAX_CHARS = 64 * 1024

/** Decoded bytes of an answer of attachments.get. */
export interface DecodedData {
  /** `size`, where the answer tells it before the data */
  readonly sizeBytes?: number
  readonly content: Readable
}

/**
 * Decodes an answer of `attachments.get`, `{"size": 5, "data": "aGVsbG8="}`, as it comes in: never more than a piece of
 * it is in memory. Both alphabets of base64, with or without padding and JSON escapes, are read.
 *
 * @returns once the data has begun; the content fails with `malformed-response` where the answer is cut off
 * @throws ProviderError of the source; `malformed-response` where there is no data
 */
export async function decodeDataAnswer(source: Readable): Promise<DecodedData> {
  const chunks = textsOf(source)
  let head = ''
  try {
    for (;;) {
      const { done, value } = await chunks.next()
      if (done) throw malformed(/^\s*\{/.test(head) ? 'has no data' : 'is not JSON')
      head += value
      const match = /^\s*\{(?:[^"{}]|"(?!data")(?:[^"\\]|\\.)*")*"data"\s*:\s*"/s.exec(head)
      if (match) {
        const [, size] = /"size"\s*:\s*"?(\d{1,10})\b/.exec(match[0]) ?? []
        const bytes = decode(head.slice(match[0].length), chunks)
        const content = Readable.from(bytes, { objectMode: false })
        // One that is destroyed before it was read never starts its generator.
        content.once('close', () => source.destroy())
        return { ...(size === undefined ? {} : { sizeBytes: Number(size) }), content }
      }
      if (head.length > HEAD_MAX_CHARS) throw malformed('has no data')
    }
  } catch (error) {
    source.destroy()
    throw error
  }
}

async function* decode(first: string, chunks: AsyncGenerator<string, void>): AsyncGenerator<Buffer> {
  let text = first
  for (;;) {
    const end = text.indexOf('"')
    const raw = end === -1 ? text : text.slice(0, end)
    // An escape may be cut by the end of a chunk: it waits for the rest.
    const cut = end === -1 ? (/\\(?:u[\da-f]{0,3})?$/i.exec(raw)?.index ?? raw.length) : raw.length
    const clean = unescape(raw.slice(0, cut))
    if (end !== -1) {
      if (clean !== '') yield Buffer.from(clean, 'base64url')
      // The rest is read, so that the connection can be used again; nobody asked for what stands there.
      while (!(await chunks.next()).done);
      return
    }
    const whole = clean.length - (clean.length % 4)
    if (whole > 0) yield Buffer.from(clean.slice(0, whole), 'base64url')
    const { done, value } = await chunks.next()
    if (done) throw malformed('is cut off')
    text = clean.slice(whole) + raw.slice(cut) + value
  }
}

/** Padding and line ends are no data; Google's JSON may write `=` as an escape. */
function unescape(text: string): string {
  return text
    .replace(/\\u([\da-f]{4})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
    .replace(/\\[nrt]/g, '')
    .replace(/[\\=\s]/g, '')
}

async function* textsOf(source: Readable): AsyncGenerator<string, void> {
  for await (const chunk of source) {
    const bytes: Buffer = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk)
    for (let start = 0; start < bytes.length; start += PIECE_CHARS) {
      yield bytes.toString('latin1', start, start + PIECE_CHARS)
    }
  }
}

function malformed(why: string): ProviderError {
  return new ProviderError('malformed-response', `Google's answer with an attachment ${why}.`, {
    answered: true,
  })
}
