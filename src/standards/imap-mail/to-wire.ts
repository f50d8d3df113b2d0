import { encodeAttachmentId } from '../../formats/attachment-id.ts'
import { decodedSize, decodeText } from '../../formats/mime/decode-text.ts'
import {
  decodeHeaderText,
  headerAddresses,
  headerValue,
  type HeaderField,
} from '../../formats/mime/headers.ts'
import { fileNameOf, type MimePart } from '../../formats/mime/mime-part.ts'
import { selectParts, type Leaf, type SelectedParts } from '../../formats/mime/select-parts.ts'
import { snippetOfHtml, snippetOfText } from '../../formats/snippet.ts'
import type { Attachment, FullMessage } from '../../contract/message.ts'
import { publicMessageId, type ThreadingHeaders, threadIdOf } from './message-id.ts'

/** What never changes about a message and needs no body: read once per UID. */
export interface MessageHead {
  readonly headers: readonly HeaderField[]
  readonly parts: SelectedParts
  readonly subject: string
  readonly from: FullMessage['from']
  readonly to: FullMessage['to']
  readonly cc: FullMessage['cc']
  readonly bcc: FullMessage['bcc']
  readonly replyTo: FullMessage['reply_to']
  /** the Message-ID where it can be a public id */
  readonly messageId: string | undefined
}

/** The body of a message as the wire shows it. */
export interface MessageBody {
  readonly body: string
  readonly snippet: string
}

/** A message without text, or one whose text was not asked for. */
export const NO_BODY: MessageBody = { body: '', snippet: '' }

/** Makes the body of the transferred bytes of its part; never throws. */
export function toBody(node: MimePart, bytes: Uint8Array): MessageBody {
  const body = decodeText(node, bytes)
  return { body, snippet: node.type === 'text/html' ? snippetOfHtml(body) : snippetOfText(body) }
}

/** Headers that a head is made of. */
export const HEAD_HEADERS: readonly string[] = [
  'Subject',
  'From',
  'To',
  'Cc',
  'Bcc',
  'Reply-To',
  'Sender',
  'Message-ID',
  'In-Reply-To',
  'References',
]

/** Reads headers and structure; never throws. */
export function toHead(headers: readonly HeaderField[], structure: MimePart): MessageHead {
  return {
    headers,
    parts: selectParts(structure),
    subject: decodeHeaderText(headerValue(headers, 'subject') ?? ''),
    from: headerAddresses(headers, 'from'),
    to: headerAddresses(headers, 'to'),
    cc: headerAddresses(headers, 'cc'),
    bcc: headerAddresses(headers, 'bcc'),
    replyTo: headerAddresses(headers, 'reply-to'),
    messageId: publicMessageId(headerValue(headers, 'message-id')),
  }
}

/** The thread a message belongs to. */
export function threadOf(head: MessageHead, id: string): string {
  return threadIdOf(threadHeadersOf(head), id)
}

export function threadHeadersOf({ headers }: MessageHead): ThreadingHeaders {
  return {
    messageId: headerValue(headers, 'message-id'),
    inReplyTo: headerValue(headers, 'in-reply-to'),
    references: headerValue(headers, 'references'),
  }
}

/** The part whose text is the body: HTML, else plain. */
export function bodyPartOf(head: MessageHead): Leaf | undefined {
  return head.parts.html ?? head.parts.plain
}

/** Puts a wire message together (contract/email.md 3.3). */
export function toWireMessage(message: {
  readonly id: string
  readonly grantId: string
  readonly date: number
  readonly folders: readonly string[]
  readonly unread: boolean
  readonly starred: boolean
  readonly head: MessageHead
  readonly body: MessageBody
  /** where it is another than that of the root the message names */
  readonly threadId?: string
}): FullMessage {
  const { head, body } = message
  return {
    id: message.id,
    grant_id: message.grantId,
    object: 'message',
    date: message.date,
    created_at: message.date,
    thread_id: message.threadId ?? threadOf(head, message.id),
    subject: head.subject,
    from: head.from,
    to: head.to,
    cc: head.cc,
    bcc: head.bcc,
    reply_to: head.replyTo,
    folders: [...message.folders],
    unread: message.unread,
    starred: message.starred,
    snippet: body.snippet,
    body: body.body,
    attachments: head.parts.attachments.map((leaf) => toAttachment(leaf, message.grantId, body)),
  }
}

/** Puts a wire attachment together. @param body  of its message: it may show the file by `cid:` */
export function toAttachment({ part, node }: Leaf, grantId: string, body: MessageBody): Attachment {
  const sizeBytes = Math.min(decodedSize(node), 2 ** 31 - 1)
  const contentId = node.id?.trim().replace(/^<|>$/g, '')
  const isReferenced = contentId !== undefined && contentId !== '' && body.body.includes(`cid:${contentId}`)
  return {
    id: encodeAttachmentId({ part, sizeBytes }),
    grant_id: grantId,
    filename: attachmentName(node),
    content_type: withParameters(node.type, node.parameters),
    size: sizeBytes,
    is_inline: node.disposition === 'inline' ? true : node.disposition !== 'attachment' && isReferenced,
    ...(contentId ? { content_id: contentId } : {}),
    ...(node.disposition
      ? { content_disposition: withParameters(node.disposition, node.dispositionParameters) }
      : {}),
  }
}

/** An attached message is a file by its `.eml`, as other providers have it. */
function attachmentName(node: MimePart): string {
  const name = fileNameOf(node) ?? ''
  if (node.type !== 'message/rfc822' && node.type !== 'message/global') return name
  return /\.eml$/i.test(name) ? name : `${name || 'message'}.eml`
}

function withParameters(value: string, parameters: { readonly [name: string]: string } = {}): string {
  const written = Object.entries(parameters).map(
    ([name, text]) => `; ${name}="${text.replace(/[\r\n]+/g, ' ').replace(/["\\]/g, '\\$&')}"`,
  )
  return value + written.join('')
}
