import { Readable } from 'node:stream'
import type { AttachmentBody } from '../../../contract/outgoing.ts'
import type { OutgoingAttachment } from '../../ports/outgoing.ts'
import { checkHeaderText, invalidField } from './field-checks.ts'

const OCTETS = 'application/octet-stream'

/** What of an attachment can be told without its bytes. */
export type AttachmentFacts = Pick<OutgoingAttachment, 'filename' | 'contentType' | 'contentId' | 'isInline'>

/** Makes an attachment of bytes that are in memory. */
export function attachmentOf(facts: AttachmentFacts, bytes: Uint8Array): OutgoingAttachment {
  return {
    ...facts,
    sizeBytes: bytes.length,
    open: () => Readable.from(bytes.length === 0 ? [] : [bytes], { objectMode: false }),
  }
}

/**
 * Reads an attachment of a JSON body that carries its bytes.
 * @param field  `attachments.0`
 * @throws AppError 400 that names the field
 */
export function readInlineAttachment(
  body: AttachmentBody,
  field: string,
  otherwise: { readonly filename: string },
): OutgoingAttachment {
  if (body.content === undefined) throw invalidField(`${field}.content is required`)
  return attachmentOf(readFacts(body, field, otherwise), decodeBase64(body.content, `${field}.content`))
}

/** Reads what a JSON body says about an attachment besides its bytes. */
export function readFacts(
  body: AttachmentBody,
  field: string,
  otherwise: { readonly filename: string; readonly contentType?: string },
): AttachmentFacts {
  const filename = body.filename?.trim() || otherwise.filename
  const contentType = body.content_type?.trim() || otherwise.contentType || OCTETS
  const contentId = body.content_id?.trim().replace(/^<(.*)>$/, '$1') ?? ''
  checkHeaderText(filename, `${field}.filename`)
  checkHeaderText(contentType, `${field}.content_type`)
  checkContentId(contentId, `${field}.content_id`)
  return {
    filename,
    contentType,
    ...(contentId === '' ? {} : { contentId }),
    // A content id means inline whether or not the body shows it (contract/email.md 4.4).
    isInline: body.is_inline ?? (contentId !== '' || /^\s*inline\b/i.test(body.content_disposition ?? '')),
  }
}

function checkContentId(contentId: string, field: string): void {
  if (/[\s<>]/.test(contentId)) throw invalidField(`${field} must not contain blanks or angle brackets`)
  checkHeaderText(contentId, field)
}

/**
 * Decodes base64 or base64url, white space allowed (clients wrap lines), padding not needed.
 * @throws AppError 400 that names the field for anything else: half a file must not go out
 */
function decodeBase64(text: string, field: string): Buffer {
  if (/[^A-Za-z0-9+/_=\s-]/.test(text) || /=[^=\s]/.test(text)) throw notBase64(field)
  const padding = /[=\s]/.test(text) ? (text.match(/[=\s]/g)?.length ?? 0) : 0
  if ((text.length - padding) % 4 === 1) throw notBase64(field)
  return Buffer.from(text, 'base64')
}

function notBase64(field: string) {
  return invalidField(`${field} must be base64`)
}
