import { type HeaderField, headerValue, parseHeaderBlock, parseParameterized } from './headers.ts'
import type { MimePart } from './mime-part.ts'

const DEPTH_LIMIT = 30
const PART_LIMIT = 1000

/** A message taken apart: its headers, its MIME tree and where each part's bytes are. */
export interface ParsedMessage {
  readonly headers: readonly HeaderField[]
  readonly structure: MimePart
  /** The bytes of a leaf as they stand in the source, still encoded; undefined for a part that is not there. */
  contentOf(part: string): Uint8Array | undefined
}

/**
 * Parses a whole RFC 5322 source into the tree an IMAP server would tell of it (RFC 2045, RFC 2046). Broken
 * MIME gives what can be found; never throws. Attached messages are leaves.
 */
export function parseMessage(source: Uint8Array): ParsedMessage {
  const contents = new Map<string, Uint8Array>()
  const budget = { parts: PART_LIMIT }
  const { header, body } = splitEntity(source)
  const headers = parseHeaderBlock(header)
  const structure = buildPart(headers, body, [], 'text/plain', contents, budget)
  return { headers, structure, contentOf: (part) => contents.get(part) }
}

function buildPart(
  headers: readonly HeaderField[],
  body: Uint8Array,
  path: readonly number[],
  defaultType: string,
  contents: Map<string, Uint8Array>,
  budget: { parts: number },
): MimePart {
  const contentType = parseParameterized(headerValue(headers, 'content-type') ?? defaultType)
  const type = /^[^/\s;]+\/[^/\s;]+$/.test(contentType.value) ? contentType.value : 'text/plain'
  const boundary = contentType.parameters['boundary']
  const numbered = path.length > 0 ? { part: path.join('.') } : {}
  if (type.startsWith('multipart/') && boundary && path.length < DEPTH_LIMIT) {
    const childDefault = type === 'multipart/digest' ? 'message/rfc822' : 'text/plain'
    const childNodes = splitMultipart(body, boundary, budget).map((entity, index) => {
      const child = splitEntity(entity)
      return buildPart(
        parseHeaderBlock(child.header),
        child.body,
        [...path, index + 1],
        childDefault,
        contents,
        budget,
      )
    })
    if (childNodes.length > 0) return { ...numbered, type, parameters: contentType.parameters, childNodes }
  }
  contents.set(path.length > 0 ? path.join('.') : '1', body)
  const disposition = headerValue(headers, 'content-disposition')
  const parsedDisposition = disposition ? parseParameterized(disposition) : undefined
  const id = headerValue(headers, 'content-id')
  return {
    ...numbered,
    // A multipart nothing can be found in is shown as the text it is.
    type: type.startsWith('multipart/') ? 'text/plain' : type,
    parameters: contentType.parameters,
    ...(id ? { id } : {}),
    encoding:
      headerValue(headers, 'content-transfer-encoding')?.split(';')[0]?.trim().toLowerCase() ?? '7bit',
    size: body.length,
    ...(parsedDisposition
      ? { disposition: parsedDisposition.value, dispositionParameters: parsedDisposition.parameters }
      : {}),
  }
}

/** Parts at the first empty line; an entity that begins with one has no header. */
function splitEntity(bytes: Uint8Array): { readonly header: Uint8Array; readonly body: Uint8Array } {
  let from = 0
  while (from < bytes.length) {
    const end = bytes.indexOf(0x0a, from)
    if (end === -1) break
    if (end === from || (end === from + 1 && bytes[from] === 0x0d)) {
      return { header: bytes.subarray(0, from), body: bytes.subarray(end + 1) }
    }
    from = end + 1
  }
  return { header: bytes, body: bytes.subarray(bytes.length) }
}

/** Cuts a body at its boundary lines (RFC 2046 section 5.1.1); an unclosed last part counts. */
function splitMultipart(
  body: Uint8Array,
  boundary: string,
  budget: { parts: number },
): readonly Uint8Array[] {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  const delimiter = Buffer.from(`--${boundary}`, 'utf8')
  const parts: Uint8Array[] = []
  let start: number | undefined
  let at = bytes.indexOf(delimiter)
  while (at !== -1) {
    const after = boundaryLineEnd(bytes, at, at + delimiter.length)
    if (after !== undefined) {
      if (start !== undefined && budget.parts-- > 0)
        parts.push(bytes.subarray(start, trimLineEnd(bytes, start, at)))
      if (after.closing) return parts
      start = after.next
    }
    at = bytes.indexOf(delimiter, at + delimiter.length)
  }
  if (start !== undefined && budget.parts-- > 0) parts.push(bytes.subarray(start))
  return parts
}

/** Tells whether a boundary line stands here: at a line's beginning, with nothing but `--` and blanks behind. */
function boundaryLineEnd(bytes: Buffer, at: number, afterDelimiter: number) {
  if (at > 0 && bytes[at - 1] !== 0x0a) return undefined
  let end = afterDelimiter
  const closing = bytes[end] === 0x2d && bytes[end + 1] === 0x2d
  // What goes on like a boundary is another one, which begins the same.
  if (closing) return isBoundaryByte(bytes[end + 2]) ? undefined : { closing, next: end + 2 }
  while (bytes[end] === 0x20 || bytes[end] === 0x09 || bytes[end] === 0x0d) end += 1
  if (end >= bytes.length) return { closing, next: bytes.length }
  return bytes[end] === 0x0a ? { closing, next: end + 1 } : undefined
}

function isBoundaryByte(byte: number | undefined): boolean {
  return byte !== undefined && /[\w'()+,./:=?]/.test(String.fromCharCode(byte))
}

/** The line end before a boundary belongs to the boundary. */
function trimLineEnd(bytes: Buffer, start: number, end: number): number {
  let stop = end
  if (stop > start && bytes[stop - 1] === 0x0a) stop -= 1
  if (stop > start && bytes[stop - 1] === 0x0d) stop -= 1
  return stop
}
