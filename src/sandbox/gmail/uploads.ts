import { isJsonObject, type JsonObject, parseJson, stringField } from '../../kit/json.ts'
import { invalidArgument, tooLarge } from '../reply.ts'
import type { SandboxReply, SandboxRequest } from '../types.ts'

/** Largest source Gmail takes (discovery document, `mediaUpload.maxSize`, checked 2026-11). */
export const MAX_SOURCE_BYTES = 36_700_160
/** The JSON form is for small messages; the address of uploads takes large ones. */
const MAX_JSON_BYTES = 10 * 1024 * 1024

/** What a call brought: a message or draft resource, and the source where it came as media. */
export interface Uploaded {
  readonly resource: JsonObject
  readonly media?: Buffer
}

/** Reads JSON, or one of the two simple upload forms (media, multipart). */
export function readUpload(request: SandboxRequest): Uploaded | SandboxReply {
  if (!request.url.pathname.startsWith('/upload/')) {
    if (request.bytes.length > MAX_JSON_BYTES) return tooLarge()
    const resource = parseJson(request.body || '{}')
    return isJsonObject(resource) ? { resource } : invalidArgument('Invalid JSON payload received.')
  }
  const bytes = Buffer.from(request.bytes.buffer, request.bytes.byteOffset, request.bytes.length)
  const type = request.headers['content-type'] ?? ''
  switch (request.url.searchParams.get('uploadType')) {
    case 'media':
      if (!type.startsWith('message/rfc822')) return invalidArgument(`Media type '${type}' is not supported.`)
      return bytes.length > MAX_SOURCE_BYTES ? tooLarge() : { resource: {}, media: bytes }
    case 'multipart':
      return readMultipart(bytes, type)
    default:
      return invalidArgument('uploadType is missing or not known here')
  }
}

/** The source of a message resource, or its media. */
export function sourceOf(message: JsonObject, media: Buffer | undefined): Buffer | SandboxReply {
  if (media) return media
  const raw = stringField(message, 'raw')
  if (!raw)
    return invalidArgument(
      "'raw' RFC822 payload message string or uploading message via /upload/* URL required",
    )
  if (!/^[A-Za-z0-9_\-+/]*={0,2}$/.test(raw)) return invalidArgument('Invalid value for ByteString')
  return Buffer.from(raw, 'base64url')
}

function readMultipart(bytes: Buffer, type: string): Uploaded | SandboxReply {
  const [, boundary] = /^multipart\/related;.*boundary="?([^";]+)"?/.exec(type) ?? []
  if (boundary === undefined) return invalidArgument('Missing multipart boundary')
  const mark = Buffer.from(`--${boundary}`)
  const parts: Buffer[] = []
  let start = bytes.indexOf(mark)
  while (start !== -1) {
    const from = start + mark.length + 2
    const end = bytes.indexOf(mark, from)
    if (end === -1) break
    parts.push(bytes.subarray(from, end - 2))
    start = end
  }
  const [first, second] = parts
  if (!first || !second || parts.length !== 2) return invalidArgument('Two parts are expected')
  const metadata = body(first)
  const media = body(second)
  if (!metadata.head.includes('application/json')) return invalidArgument('The first part must be JSON')
  if (!media.head.includes('message/rfc822')) return invalidArgument('The second part must be message/rfc822')
  if (media.content.length > MAX_SOURCE_BYTES) return tooLarge()
  const resource = parseJson(metadata.content.toString('utf8') || '{}')
  if (!isJsonObject(resource)) return invalidArgument('Invalid JSON payload received.')
  return { resource, media: media.content }
}

function body(part: Buffer): { readonly head: string; readonly content: Buffer } {
  const end = part.indexOf('\r\n\r\n')
  if (end === -1) return { head: '', content: part }
  return { head: part.toString('latin1', 0, end).toLowerCase(), content: part.subarray(end + 4) }
}
