import { ProviderError } from '../../kit/provider-error.ts'

/** One answer inside a batch answer. */
export interface BatchPart {
  readonly status: number
  readonly headers: { readonly [name: string]: string }
  readonly body: string
}

/**
 * Writes a batch of GETs: `multipart/mixed`, one `application/http` part per path.
 *
 * @param paths  paths with query; the answer names them by their place in this list
 * @see developers.google.com/workspace/gmail/api/guides/batch (checked 2026-11)
 */
export function writeBatch(paths: readonly string[], boundary: string): string {
  const parts = paths.map(
    (path, place) =>
      `--${boundary}\r\nContent-Type: application/http\r\nContent-ID: <part-${place}>\r\n\r\nGET ${path} HTTP/1.1\r\n\r\n\r\n`,
  )
  return `${parts.join('')}--${boundary}--\r\n`
}

/**
 * Reads a batch answer. Parts may come in any order; each is found by its Content-ID `<response-part-N>`, or by
 * its place where no part has an id. Line ends may be CRLF or LF.
 *
 * @returns one entry per path asked for; `undefined` where the answer leaves one out
 * @throws ProviderError `malformed-response` for no boundary, a cut-off answer, a part of another request or
 *         one that comes twice, or a part that is no HTTP answer
 */
export function readBatch(
  contentType: string | undefined,
  body: string,
  count: number,
): readonly (BatchPart | undefined)[] {
  const [, quoted, plain] =
    /^multipart\/mixed\s*;.*?\bboundary=(?:"([^"]+)"|([^\s;"]+))/is.exec(contentType ?? '') ?? []
  const boundary = quoted ?? plain
  if (boundary === undefined) throw malformed('it is no multipart answer')
  const found = new Map<number, BatchPart>()
  for (const [place, text] of splitParts(body, boundary).entries()) {
    const { id, part } = readPart(text)
    const at = id ?? place
    if (at >= count) throw malformed('it has a part that nobody asked for')
    if (found.has(at)) throw malformed('it has a part twice')
    found.set(at, part)
  }
  return Array.from({ length: count }, (_, place) => found.get(place))
}

/** Splits at lines that are the delimiter; the closing one must be there (RFC 2046 section 5.1.1). */
function splitParts(body: string, boundary: string): readonly string[] {
  const parts: string[] = []
  const mark = `--${boundary}`
  let start = -1
  let at = body.indexOf(mark)
  while (at !== -1) {
    const rest = body.slice(at + mark.length, at + mark.length + 80)
    const line = /^(--)?[ \t]*(\r?\n|$)/.exec(rest)
    const isLine = (at === 0 || body[at - 1] === '\n') && line !== null
    if (isLine) {
      if (start !== -1) parts.push(body.slice(start, at).replace(/\r?\n$/, ''))
      if (line[1]) return parts
      start = at + mark.length + line[0].length
    }
    at = body.indexOf(mark, at + mark.length)
  }
  throw malformed('it is cut off')
}

function readPart(text: string): { readonly id: number | undefined; readonly part: BatchPart } {
  const [outer, inner] = splitHead(text)
  const [head, body] = splitHead(inner)
  const [, status] = /^HTTP\/\d(?:\.\d)? (\d{3})\b/.exec(head) ?? []
  if (status === undefined) throw malformed('a part is no HTTP answer')
  const contentId = readHeaders(outer)['content-id']
  const [, place] = /^<?response-<?part-(\d{1,4})>?$/.exec(contentId ?? '') ?? []
  if (contentId !== undefined && place === undefined) throw malformed('a part has an unknown Content-ID')
  return {
    id: place === undefined ? undefined : Number(place),
    part: { status: Number(status), headers: readHeaders(head), body },
  }
}

function splitHead(text: string): readonly [string, string] {
  const match = /\r?\n\r?\n/.exec(text)
  if (!match) return [text, '']
  return [text.slice(0, match.index), text.slice(match.index + match[0].length)]
}

function readHeaders(head: string): { readonly [name: string]: string } {
  const headers: { [name: string]: string } = {}
  for (const line of head.split(/\r?\n/)) {
    const [, name, value] = /^([\w-]+):[ \t]*(.*)$/.exec(line) ?? []
    if (name !== undefined && value !== undefined) headers[name.toLowerCase()] = value.trim()
  }
  return headers
}

function malformed(why: string): ProviderError {
  return new ProviderError('malformed-response', `Google's batch answer can not be read: ${why}.`, {
    answered: true,
  })
}
