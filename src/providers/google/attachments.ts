import { Readable } from 'node:stream'
import type { GrantSession } from '../../core/ports/grant-session.ts'
import type { AttachmentRef, AttachmentsPort, OpenedAttachment } from '../../core/ports/mail.ts'
import { isJsonObject, type JsonObject, stringField } from '../../kit/json.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import { findAttachmentPart, readSourcePart } from './attachment-parts.ts'
import { decodeDataAnswer } from './attachment-stream.ts'
import { at } from './endpoints.ts'
import type { GoogleDeps } from './identity.ts'
import { attachmentPath, draftPath, isGmailId, messagePath } from './message-detail.ts'
import { type MessageReader, openReader, readRawMessage } from './read-messages.ts'
import { unsupported } from './search-query.ts'
import { type AttachmentPart, attachmentParts } from './to-wire.ts'

/** 35 MB in base64, and room for its envelope. */
const DATA_MAX_BYTES = 64 * 1024 * 1024

/**
 * Attachments by the Gmail API. Gmail's own ids of them change with each fetch, so the message is read first, every time
 * (contract/email.md 9.3).
 */
export function createGmailAttachments(deps: GoogleDeps): AttachmentsPort {
  return {
    async find(session, ref) {
      const { part } = await findPart(deps, session, ref)
      return part.attachment
    },
    async open(session, ref) {
      const { reader, messageId, part } = await findPart(deps, session, ref)
      return { attachment: part.attachment, ...(await openContent(reader, messageId, part)) }
    },
  }
}

async function findPart(deps: GoogleDeps, session: GrantSession, ref: AttachmentRef) {
  if (ref.sharedFrom !== undefined) throw unsupported('shared_from')
  const reader = openReader(deps, session)
  const message = await readHolder(reader, ref.messageId)
  const part = findAttachmentPart(attachmentParts(message, session.grantId), ref.attachmentId)
  const messageId = stringField(message, 'id')
  if (!part || messageId === undefined || !isGmailId(messageId)) throw absent('attachment')
  return { reader, messageId, part }
}

/** Reads the message, also by the id of a draft: those begin with "r", where ids of messages are hexadecimal. */
async function readHolder({ api, gmailUrl }: MessageReader, id: string): Promise<JsonObject> {
  if (!isGmailId(id)) throw absent('message')
  if (/^[0-9a-f]+$/.test(id)) return api.getJson(at(gmailUrl, messagePath(id, 'full')))
  const { message } = await api.getJson(at(gmailUrl, draftPath(id)))
  if (!isJsonObject(message)) throw absent('message')
  return message
}

async function openContent(
  reader: MessageReader,
  messageId: string,
  { source, part, attachment }: AttachmentPart,
): Promise<Omit<OpenedAttachment, 'attachment'>> {
  const body = isJsonObject(source['body']) ? source['body'] : {}
  const data = stringField(body, 'data')
  const attachmentId = stringField(body, 'attachmentId')
  if (attachmentId) {
    const url = at(reader.gmailUrl, attachmentPath(messageId, attachmentId))
    const answer = await reader.api.open(url, DATA_MAX_BYTES)
    return decodeDataAnswer(answer.body)
  }
  if (data !== undefined) return whole(Buffer.from(data, 'base64url'))
  if (attachment.size === 0 && attachment.content_type.split(';')[0] !== 'message/rfc822')
    return whole(Buffer.alloc(0))
  // An attached message may come taken apart, without its bytes: then only the source has them.
  const { raw_mime: raw } = await readRawMessage(reader, messageId)
  return whole(readSourcePart(Buffer.from(raw, 'base64url'), part) ?? Buffer.alloc(0))
}

function whole(bytes: Uint8Array): Omit<OpenedAttachment, 'attachment'> {
  return {
    sizeBytes: bytes.length,
    content: Readable.from(bytes.length > 0 ? [bytes] : [], { objectMode: false }),
  }
}

function absent(what: string): ProviderError {
  return new ProviderError('not-found', `The ${what} does not exist at Google.`, { answered: true })
}
