import type { FullMessage, MessageFields, RawMessage } from '../../contract/message.ts'
import { isJsonObject, type JsonObject, stringField } from '../../kit/json.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import type { GoogleApi } from './api.ts'
import { batchGet } from './batch-get.ts'
import { at } from './endpoints.ts'
import { isGmailId, type MessageDetail, messagePath } from './message-detail.ts'
import { decodeText, messageToWire } from './to-wire.ts'

/** Sources are up to 35 MB, base64 makes a third more: few per batch, and room for them. */
const RAW_BATCH_SIZE = 4
const RAW_MAX_BYTES = 200 * 1024 * 1024

/** Where messages of one operation are read from. */
export interface MessageReader {
  readonly api: GoogleApi
  readonly gmailUrl: string
  readonly grantId: string
}

/** Reads messages by id, in that order; ids that are gone, or none of Gmail's, are left out. */
export async function readMessages(
  reader: MessageReader,
  ids: readonly string[],
  detail: MessageDetail,
  fields: MessageFields,
): Promise<readonly FullMessage[]> {
  const paths = ids.filter(isGmailId).map((id) => messagePath(id, detail))
  const resources = await batchGet(reader.api, paths, { gmailUrl: reader.gmailUrl })
  const messages: FullMessage[] = []
  for (const resource of resources) {
    if (resource) messages.push(await mapMessage(reader, resource, fields))
  }
  return messages
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

/**
 * Maps a message, and gets its body where Gmail left it out for its size.
 * @throws ProviderError `malformed-response` for an answer without an id
 */
export async function mapMessage(
  reader: MessageReader,
  resource: JsonObject,
  fields: MessageFields,
): Promise<FullMessage> {
  const { message, bodyAttachmentId } = messageToWire(resource, reader.grantId, fields)
  if (message.id === '') throw withoutId()
  if (bodyAttachmentId === undefined || !isGmailId(message.id)) return message
  const path = `/gmail/v1/users/me/messages/${message.id}/attachments/${encodeURIComponent(bodyAttachmentId)}`
  const part = await reader.api.getJson(at(reader.gmailUrl, path))
  return { ...message, body: decodeText(stringField(part, 'data') ?? '') }
}

/** Maps an answer of `format=raw`; Gmail's base64url is passed on as it is, without padding. */
export function toRawMessage(resource: JsonObject, grantId: string): RawMessage {
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
