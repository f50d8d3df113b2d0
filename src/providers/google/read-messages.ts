import type { FullMessage, MessageFields, RawMessage } from '../../contract/message.ts'
import type { GrantSession } from '../../core/ports/grant-session.ts'
import { isJsonObject, type JsonObject, stringField } from '../../kit/json.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import { type GoogleApi, openApi } from './api.ts'
import { batchGet } from './batch-get.ts'
import type { KeptMessage, KeptMessages } from './body-cache.ts'
import { at } from './endpoints.ts'
import type { GoogleDeps } from './identity.ts'
import { attachmentPath, isGmailId, labelsPath, type MessageDetail, messagePath } from './message-detail.ts'
import { decodeText, headersOf, labelFields, labelsOf, messageToWire, shownHeaders } from './to-wire.ts'

const DRAFT = 'DRAFT'
/** One source of 35 MB in base64, and room for its envelope. */
const ONE_MAX_BYTES = 64 * 1024 * 1024

/** Sources are up to 35 MB, base64 makes a third more: few per batch, and room for them. */
const RAW_BATCH_SIZE = 4
const RAW_MAX_BYTES = 200 * 1024 * 1024

/** Where messages of one operation are read from. */
export interface MessageReader {
  readonly api: GoogleApi
  readonly gmailUrl: string
  readonly grantId: string
  /** Content that was read before; absent: all is read. */
  readonly kept?: KeptMessages
}

/** Opens a grant's messages for one operation. */
export function openReader(deps: GoogleDeps, session: GrantSession): MessageReader {
  const kept = deps.cache?.of(session)
  return {
    api: openApi(deps, session),
    gmailUrl: deps.endpoints.gmailUrl,
    grantId: session.grantId,
    ...(kept ? { kept } : {}),
  }
}

/** Reads messages by id, in that order; ids that are gone, or none of Gmail's, are left out. */
export async function readMessages(
  reader: MessageReader,
  ids: readonly string[],
  detail: MessageDetail,
  fields: MessageFields,
): Promise<readonly FullMessage[]> {
  const wanted = ids.filter(isGmailId).map((id) => placeOf(reader, id, detail))
  const resources = await batchGet(
    reader.api,
    wanted.map(({ path }) => path),
    { gmailUrl: reader.gmailUrl },
  )
  const messages: FullMessage[] = []
  for (const [at, place] of wanted.entries()) {
    const resource = resources[at]
    if (!resource) reader.kept?.drop(place.id)
    else if (isStale(place, resource)) {
      reader.kept?.drop(place.id)
      messages.push(...(await readMessages(reader, [place.id], detail, fields)))
    } else messages.push(await finish(reader, place, resource, fields))
  }
  return messages
}

/** Reads one message. @throws ProviderError; `not-found` when it is gone */
export async function readMessage(
  reader: MessageReader,
  id: string,
  detail: MessageDetail,
  fields: MessageFields,
): Promise<FullMessage> {
  const place = placeOf(reader, id, detail)
  const get = (path: string) => reader.api.getJson(at(reader.gmailUrl, path), ONE_MAX_BYTES)
  const resource = await get(place.path).catch((error: unknown) => {
    reader.kept?.drop(id)
    throw error
  })
  if (!isStale(place, resource)) return finish(reader, place, resource, fields)
  reader.kept?.drop(id)
  const path = messagePath(id, detail)
  return finish(reader, { id, detail, path }, await get(path), fields)
}

/** A message to read: where its content is known, its labels alone. */
interface Place {
  readonly id: string
  readonly detail: MessageDetail
  readonly path: string
  readonly known?: KeptMessage
}

function placeOf(reader: MessageReader, id: string, detail: MessageDetail): Place {
  const known = detail === 'minimal' ? undefined : reader.kept?.find(id)
  return known ? { id, detail, known, path: labelsPath(id) } : { id, detail, path: messagePath(id, detail) }
}

/** A draft changes: what is kept of a message that is one (again) does not count. */
function isStale({ known }: Place, resource: JsonObject): boolean {
  return known !== undefined && labelsOf(resource).includes(DRAFT)
}

async function finish(
  reader: MessageReader,
  { known, detail }: Place,
  resource: JsonObject,
  fields: MessageFields,
): Promise<FullMessage> {
  if (!known) return mapMessage(reader, resource, fields, detail)
  return { ...known.message, ...labelFields(labelsOf(resource)), ...shownHeaders(known.headers, fields) }
}

/**
 * Maps a message, and gets its body where Gmail left it out for its size.
 *
 * @param detail  of the resource, where its content may be kept: only a `full` one is
 * @throws ProviderError `malformed-response` for an answer without an id
 */
export async function mapMessage(
  reader: MessageReader,
  resource: JsonObject,
  fields: MessageFields,
  detail?: MessageDetail,
): Promise<FullMessage> {
  const { message, bodyAttachmentId } = messageToWire(resource, reader.grantId, fields)
  if (message.id === '') throw withoutId()
  const whole =
    bodyAttachmentId === undefined || !isGmailId(message.id)
      ? message
      : { ...message, body: await readBody(reader, message.id, bodyAttachmentId) }
  if (detail === 'full' && !message.folders.includes(DRAFT)) keep(reader, whole, resource)
  return whole
}

async function readBody(reader: MessageReader, id: string, attachmentId: string): Promise<string> {
  const part = await reader.api.getJson(at(reader.gmailUrl, attachmentPath(id, attachmentId)))
  return decodeText(stringField(part, 'data') ?? '')
}

function keep({ kept }: MessageReader, message: FullMessage, resource: JsonObject): void {
  const { folders: _labels, unread: _unread, starred: _starred, headers: _shown, ...content } = message
  const payload = resource['payload']
  kept?.keep(message.id, {
    message: content,
    headers: isJsonObject(payload) ? headersOf(payload) : [],
  })
}

/** Reads the sources of messages by id, in that order; ids that are gone are left out. */
export async function readRawMessages(
  reader: MessageReader,
  ids: readonly string[],
): Promise<readonly RawMessage[]> {
  const paths = ids.filter(isGmailId).map((id) => messagePath(id, 'raw'))
  const resources = await batchGet(reader.api, paths, {
    gmailUrl: reader.gmailUrl,
    size: RAW_BATCH_SIZE,
    maxBytes: RAW_MAX_BYTES,
  })
  return resources.flatMap((resource) => (resource ? [toRawMessage(resource, reader.grantId)] : []))
}

/** Reads the source of one message. @throws ProviderError; `not-found` when it is gone */
export async function readRawMessage(reader: MessageReader, id: string): Promise<RawMessage> {
  const path = messagePath(id, 'raw')
  return toRawMessage(await reader.api.getJson(at(reader.gmailUrl, path), ONE_MAX_BYTES), reader.grantId)
}

/** Maps an answer of `format=raw`; Gmail's base64url is passed on as it is, without padding. */
function toRawMessage(resource: JsonObject, grantId: string): RawMessage {
  const id = stringField(resource, 'id')
  if (!id) throw withoutId()
  const raw = (stringField(resource, 'raw') ?? '')
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '')
  return { id, grant_id: grantId, object: 'message', raw_mime: raw }
}

/** The objects of a list in an answer; anything else in it is left out. */
export function objectsIn(answer: JsonObject, name: string): readonly JsonObject[] {
  const list = answer[name]
  return Array.isArray(list) ? list.filter(isJsonObject) : []
}

function withoutId(): ProviderError {
  return new ProviderError('malformed-response', 'Google answered a message without an id.', {
    answered: true,
  })
}
