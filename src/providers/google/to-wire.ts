import type {
  Attachment,
  EmailName,
  FullMessage,
  MessageFields,
  MessageHeader,
} from '../../contract/message.ts'
import { BASIC_HEADERS } from '../../contract/message.ts'
import { parseAddressList } from '../../formats/addresses.ts'
import { encodeAttachmentId } from '../../formats/attachment-id.ts'
import { parseParameterized } from '../../formats/mime/headers.ts'
import { fileNameOf, type MimePart } from '../../formats/mime/mime-part.ts'
import { type Leaf, selectParts } from '../../formats/mime/select-parts.ts'
import { snippetOfText } from '../../formats/snippet.ts'
import { isJsonObject, type JsonObject, numberField, stringField } from '../../kit/json.ts'
import { unescapeHtml } from './unescape-html.ts'

const DEPTH_LIMIT = 30
const PART_LIMIT = 1000

/** A Gmail message, mapped. */
export interface MappedMessage {
  readonly message: FullMessage
  /** Gmail's id of a body that it left out of the answer for its size; ids of its like hold for minutes only. */
  readonly bodyAttachmentId?: string
}

/**
 * Maps a Gmail message resource to the wire (contract/email.md 12.3). The resource is untrusted: whatever is
 * missing or of a wrong type becomes an empty value. With `format=full`, text parts are UTF-8 whatever charset
 * their header names, and header values are RFC 2047-decoded already (provider-surprises, checked 2026-11).
 */
export function messageToWire(resource: JsonObject, grantId: string, fields: MessageFields): MappedMessage {
  const payload = isJsonObject(resource['payload']) ? resource['payload'] : {}
  const headers = headersOf(payload)
  const sources = new Map<MimePart, JsonObject>()
  const parts = selectParts(toTree(payload, sources, 0, { parts: PART_LIMIT }))
  const { body, bodyAttachmentId } = bodyOf((parts.html ?? parts.plain)?.node, sources)
  const labels = labelsOf(resource)
  const date = dateOf(resource, headers)
  const snippet = snippetOfText(unescapeHtml(stringField(resource, 'snippet') ?? ''))
  const message: FullMessage = {
    id: stringField(resource, 'id') ?? '',
    grant_id: grantId,
    object: 'message',
    date,
    created_at: date,
    thread_id: stringField(resource, 'threadId') ?? '',
    subject: headers.find(({ name }) => name.toLowerCase() === 'subject')?.value.trim() ?? '',
    from: addresses(headers, 'from'),
    to: addresses(headers, 'to'),
    cc: addresses(headers, 'cc'),
    bcc: addresses(headers, 'bcc'),
    reply_to: addresses(headers, 'reply-to'),
    ...labelFields(labels),
    snippet,
    body,
    attachments: parts.attachments.map((leaf) => toAttachment(leaf, sources, body, grantId)),
    ...shownHeaders(headers, fields),
  }
  return { message, ...(bodyAttachmentId === undefined ? {} : { bodyAttachmentId }) }
}

/** An attachment and the part it comes from. */
export interface AttachmentPart {
  readonly attachment: Attachment
  readonly source: JsonObject
  /** Gmail's number of the part */
  readonly part: string
}

/** The attachments of a message resource, as `messageToWire` shows them, with their parts. */
export function attachmentParts(resource: JsonObject, grantId: string): readonly AttachmentPart[] {
  const payload = isJsonObject(resource['payload']) ? resource['payload'] : {}
  const sources = new Map<MimePart, JsonObject>()
  const parts = selectParts(toTree(payload, sources, 0, { parts: PART_LIMIT }))
  const { body } = bodyOf((parts.html ?? parts.plain)?.node, sources)
  return parts.attachments.map((leaf) => ({
    attachment: toAttachment(leaf, sources, body, grantId),
    source: sources.get(leaf.node) ?? {},
    part: leaf.node.part ?? '0',
  }))
}

/** The headers of a payload as Gmail lists them; entries of another form are left out. */
export function headersOf(payload: JsonObject): readonly MessageHeader[] {
  const list = Array.isArray(payload['headers']) ? payload['headers'].filter(isJsonObject) : []
  return list.flatMap((entry) => {
    const name = stringField(entry, 'name')
    const value = stringField(entry, 'value')
    return name && value !== undefined ? [{ name, value }] : []
  })
}

/** Reads every header of that name as addresses; values are decoded already. */
export function addresses(headers: readonly MessageHeader[], name: string): EmailName[] {
  return headers
    .filter((header) => header.name.toLowerCase() === name)
    .flatMap((header) => parseAddressList(header.value))
}

/** When Gmail got the message, in Unix seconds; the Date header where Gmail does not say, else 0. */
export function dateOf(resource: JsonObject, headers: readonly MessageHeader[]): number {
  const internal = numberField(resource, 'internalDate')
  if (internal !== undefined) return whole(internal / 1000)
  const written = Date.parse(headers.find(({ name }) => name.toLowerCase() === 'date')?.value ?? '')
  return Number.isNaN(written) ? 0 : whole(written / 1000)
}

/** The label ids of a message. */
export function labelsOf(resource: JsonObject): string[] {
  const labels = resource['labelIds']
  return Array.isArray(labels) ? labels.filter((label) => typeof label === 'string') : []
}

/** What labels tell of a message. */
export function labelFields(labels: string[]): Pick<FullMessage, 'folders' | 'unread' | 'starred'> {
  return { folders: labels, unread: labels.includes('UNREAD'), starred: labels.includes('STARRED') }
}

/** The headers that `fields` asks for. */
export function shownHeaders(
  headers: readonly MessageHeader[],
  fields: MessageFields,
): { readonly headers?: MessageHeader[] } {
  if (fields === 'include_headers') return { headers: [...headers] }
  if (fields !== 'include_basic_headers') return {}
  return { headers: headers.filter(({ name }) => BASIC_HEADERS.includes(name.toLowerCase())) }
}

/** Builds the tree that selectParts reads, and remembers which Gmail part each node came from. */
function toTree(
  part: JsonObject,
  sources: Map<MimePart, JsonObject>,
  depth: number,
  budget: { parts: number },
): MimePart {
  budget.parts -= 1
  const headers = headersOf(part)
  const header = (name: string) => headers.find((entry) => entry.name.toLowerCase() === name)?.value
  const contentType = parseParameterized(header('content-type') ?? '')
  const disposition = parseParameterized(header('content-disposition') ?? '')
  const filename = stringField(part, 'filename')
  const type = (stringField(part, 'mimeType') || contentType.value || 'text/plain').toLowerCase()
  const children =
    Array.isArray(part['parts']) && depth < DEPTH_LIMIT ? part['parts'].filter(isJsonObject) : []
  const isMultipart = type.startsWith('multipart/')
  const childNodes: MimePart[] = []
  for (const child of isMultipart ? children : []) {
    if (budget.parts <= 0) break
    childNodes.push(toTree(child, sources, depth + 1, budget))
  }
  const node: MimePart = {
    part: stringField(part, 'partId') || undefined,
    // A multipart without parts is nothing, neither body nor attachment.
    type: isMultipart && childNodes.length === 0 && !filename ? 'text/plain' : type,
    parameters: contentType.parameters,
    id: header('content-id'),
    size: sizeOf(part),
    disposition: disposition.value || undefined,
    dispositionParameters: filename ? { ...disposition.parameters, filename } : disposition.parameters,
    ...(childNodes.length > 0 ? { childNodes } : {}),
  }
  sources.set(node, part)
  return node
}

function bodyOf(
  node: MimePart | undefined,
  sources: ReadonlyMap<MimePart, JsonObject>,
): { readonly body: string; readonly bodyAttachmentId?: string } {
  const source = node && sources.get(node)
  const content = source && isJsonObject(source['body']) ? source['body'] : {}
  const data = stringField(content, 'data')
  if (data !== undefined) return { body: decodeText(data) }
  const attachmentId = stringField(content, 'attachmentId')
  return attachmentId ? { body: '', bodyAttachmentId: attachmentId } : { body: '' }
}

/** Decodes base64url text; bytes that are no UTF-8 become U+FFFD, stray characters are skipped. */
export function decodeText(data: string): string {
  return Buffer.from(data, 'base64url').toString('utf8')
}

function toAttachment(
  { part, node }: Leaf,
  sources: ReadonlyMap<MimePart, JsonObject>,
  body: string,
  grantId: string,
): Attachment {
  const headers = headersOf(sources.get(node) ?? {})
  const header = (name: string) => headers.find((entry) => entry.name.toLowerCase() === name)?.value
  const size = node.size ?? 0
  const contentId = node.id?.trim().replace(/^<(.*)>$/s, '$1')
  const disposition = header('content-disposition')
  const isInline = node.disposition === 'inline' || (!!contentId && body.includes(`cid:${contentId}`))
  return {
    id: encodeAttachmentId({ part, sizeBytes: size }),
    grant_id: grantId,
    filename: fileNameOf(node) ?? '',
    content_type: header('content-type') ?? node.type,
    size,
    is_inline: isInline,
    ...(contentId ? { content_id: contentId } : {}),
    ...(disposition ? { content_disposition: disposition } : {}),
  }
}

function sizeOf(part: JsonObject): number {
  const size = isJsonObject(part['body']) ? numberField(part['body'], 'size') : undefined
  return Math.min(2 ** 31 - 1, whole(size ?? 0))
}

function whole(number: number): number {
  return Math.min(Number.MAX_SAFE_INTEGER, Math.max(0, Math.floor(number)))
}
