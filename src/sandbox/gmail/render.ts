import { createHash, randomBytes } from 'node:crypto'
import type { SeedMessage, SeedPart } from '../types.ts'
import { writeSource } from './write-source.ts'

export type Format = 'minimal' | 'metadata' | 'full' | 'raw'

/** Renders a message as Gmail's API does in that format. */
export function renderMessage(
  message: SeedMessage & { readonly source?: Buffer; readonly historyId?: number },
  format: Format,
  metadataHeaders: readonly string[],
): object {
  const source = message.source ?? writeSource(message)
  const wanted = new Set(metadataHeaders.map((name) => name.toLowerCase()))
  return {
    id: message.id,
    threadId: message.threadId,
    labelIds: message.labelIds,
    snippet: escapeHtml(message.snippet),
    historyId: String(message.historyId ?? 1000),
    internalDate: String(message.internalDateMs),
    sizeEstimate: source.length,
    ...(format === 'raw' ? { raw: source.toString('base64url') } : {}),
    ...(format === 'full' ? { payload: payload(message) } : {}),
    ...(format === 'metadata'
      ? {
          payload: {
            partId: '',
            mimeType: mimeType(message.root),
            headers: headersOf(message).filter(
              ({ name }) => wanted.size === 0 || wanted.has(name.toLowerCase()),
            ),
          },
        }
      : {}),
  }
}

/** The answer to attachments.get; undefined for an unknown id. */
export function attachmentOf(message: SeedMessage, attachmentId: string): object | undefined {
  for (const { part, place } of leaves(message.root, '')) {
    if (!attachmentId.startsWith(attachmentIdOf(message, place))) continue
    const bytes = bytesOf(part)
    return { size: bytes.length, data: bytes.toString('base64url') }
  }
  return undefined
}

function payload(message: SeedMessage): object {
  const rendered = renderPart(message, message.root, '')
  return { ...rendered, headers: [...headersOf(message), ...partHeaders(message.root)] }
}

function headersOf(message: SeedMessage) {
  return message.headers.map(([name, value]) => ({ name, value }))
}

function renderPart(message: SeedMessage, part: SeedPart, place: string): object {
  const common = {
    partId: place,
    mimeType: mimeType(part),
    filename: part.filename ?? '',
    headers: partHeaders(part),
  }
  if (part.parts) {
    const parts = part.parts.map((child, index) =>
      renderPart(message, child, place === '' ? String(index) : `${place}.${index}`),
    )
    return { ...common, body: { size: 0 }, parts }
  }
  const bytes = bytesOf(part)
  // Files are given by reference, texts as they are: in UTF-8, whatever their charset. References change each time.
  const isFile =
    part.filename !== undefined || part.disposition !== undefined || !part.type.startsWith('text/')
  const body = isFile
    ? {
        attachmentId: `${attachmentIdOf(message, place)}${randomBytes(6).toString('base64url')}`,
        size: bytes.length,
      }
    : { size: bytes.length, ...(bytes.length > 0 ? { data: bytes.toString('base64url') } : {}) }
  return { ...common, body }
}

/** Headers of a part, names decoded as Gmail gives them. */
export function partHeaders(part: SeedPart): { readonly name: string; readonly value: string }[] {
  const quoted = part.filename?.replace(/["\\]/g, '\\$&')
  const name = quoted === undefined ? '' : `; name="${quoted}"`
  const filename = quoted === undefined ? '' : `; filename="${quoted}"`
  return [
    { name: 'Content-Type', value: part.parts ? `${part.type}; boundary="sandbox"` : `${part.type}${name}` },
    ...(part.disposition ? [{ name: 'Content-Disposition', value: `${part.disposition}${filename}` }] : []),
    ...(part.contentId ? [{ name: 'Content-ID', value: `<${part.contentId}>` }] : []),
  ]
}

function* leaves(
  part: SeedPart,
  place: string,
): Generator<{ readonly part: SeedPart; readonly place: string }> {
  if (!part.parts) yield { part, place }
  for (const [index, child] of (part.parts ?? []).entries()) {
    yield* leaves(child, place === '' ? String(index) : `${place}.${index}`)
  }
}

function attachmentIdOf(message: SeedMessage, place: string): string {
  return `ANGjdJ-${createHash('sha256').update(`${message.id}/${place}`).digest('base64url')}`
}

function bytesOf(part: SeedPart): Buffer {
  return Buffer.from(part.content ?? '')
}

function mimeType(part: SeedPart): string {
  return part.type.split(';')[0]?.trim() ?? part.type
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}
