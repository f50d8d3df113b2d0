import type { EmailName, MessageHeader } from '../../contract/message.ts'
import type { DraftChange, OutgoingAttachment } from '../../core/ports/outgoing.ts'
import type { JsonObject } from '../../kit/json.ts'
import { flagOf } from './message-changes.ts'

/** Graph takes at most five headers with a message, and none but `x-` ones (contract/email.md 13.1, checked 2026-11). */
const JSON_HEADER_LIMIT = 5

/** Tells whether headers can only go as part of a source. */
export function needsSource(headers: readonly MessageHeader[]): boolean {
  return headers.length > JSON_HEADER_LIMIT || headers.some(({ name }) => !/^x-/i.test(name))
}

/** Writes what is given of a message as Graph's JSON; attachments and headers are not part of it. */
export function contentOf(message: Omit<DraftChange, 'attachments' | 'headers'>): JsonObject {
  const { subject, body, isPlaintext, from, starred } = message
  return {
    ...(subject === undefined ? {} : { subject }),
    ...(body === undefined ? {} : { body: { contentType: isPlaintext ? 'text' : 'html', content: body } }),
    ...(message.to === undefined ? {} : { toRecipients: message.to.map(toRecipient) }),
    ...(message.cc === undefined ? {} : { ccRecipients: message.cc.map(toRecipient) }),
    ...(message.bcc === undefined ? {} : { bccRecipients: message.bcc.map(toRecipient) }),
    ...(message.replyTo === undefined ? {} : { replyTo: message.replyTo.map(toRecipient) }),
    ...(from === undefined ? {} : { from: toRecipient(from) }),
    ...(starred === undefined ? {} : { flag: flagOf(starred) }),
  }
}

function toRecipient({ email, name }: EmailName): JsonObject {
  return { emailAddress: { address: email, ...(name ? { name } : {}) } }
}

/** A file with its bytes as Graph's JSON. For small files only: all of it is in memory. */
export async function toFileAttachment(file: OutgoingAttachment): Promise<JsonObject> {
  const parts: Buffer[] = []
  for await (const part of file.open()) parts.push(Buffer.from(part))
  return {
    '@odata.type': '#microsoft.graph.fileAttachment',
    name: file.filename,
    contentType: file.contentType,
    contentBytes: Buffer.concat(parts).toString('base64'),
    isInline: file.isInline,
    ...(file.contentId === undefined ? {} : { contentId: file.contentId }),
  }
}
