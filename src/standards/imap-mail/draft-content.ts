import { Readable } from 'node:stream'
import type { DraftChange } from '../../core/ports/outgoing.ts'
import { changeBody } from '../../formats/mime/change-body.ts'
import type { MailAddress, MailContent, MailFile } from '../../formats/mime/compose-message.ts'
import { decodeText } from '../../formats/mime/decode-text.ts'
import { headerValue } from '../../formats/mime/headers.ts'
import { type ParsedMessage, parseMessage } from '../../formats/mime/parse-message.ts'
import type { Leaf } from '../../formats/mime/select-parts.ts'
import { decodeTransfer } from '../../formats/mime/transfer-encoding.ts'
import { idsIn } from './message-id.ts'
import { ancestorHeaders, type Ancestors } from './outgoing-content.ts'
import { bodyPartOf, toAttachment, toHead } from './to-wire.ts'

/** Headers that are written anew; all others are kept as they are. */
const WRITTEN = new Set([
  'from',
  'to',
  'cc',
  'bcc',
  'reply-to',
  'subject',
  'message-id',
  'date',
  'in-reply-to',
  'references',
  'mime-version',
])
/** Headers that servers write into what they store. */
const TRANSPORT = new Set(['received', 'return-path', 'delivered-to'])

/** What a stored draft can't tell, or tells no more. */
export interface DraftFacts {
  /** the grant's own address */
  readonly email: string
  /** with angle brackets */
  readonly messageId: string
  /** Unix seconds */
  readonly date: number
}

/**
 * Reads a draft back from its source, so that it can be written again: texts, files, threading and further headers.
 * Of alternatives only the HTML is kept, since the text is made of it. Never throws.
 */
export function contentOfDraft(source: Uint8Array, facts: DraftFacts): MailContent {
  const parsed = parseMessage(source)
  const { headers } = parsed
  const head = toHead(headers, parsed.structure)
  const leaf = bodyPartOf(head)
  const bytes = leaf && parsed.contentOf(leaf.part)
  const body = leaf && bytes ? decodeText(leaf.node, bytes) : ''
  const [from] = named(head.from)
  const [inReplyTo] = idsIn(headerValue(headers, 'in-reply-to'))
  return {
    from: from ?? { email: facts.email },
    to: named(head.to),
    cc: named(head.cc),
    bcc: named(head.bcc),
    replyTo: named(head.replyTo),
    subject: head.subject,
    body,
    isPlaintext: leaf !== undefined && head.parts.html === undefined,
    attachments: filesOf(parsed, head.parts.attachments, body),
    headers: headers.filter(({ name }) => isFurther(name.toLowerCase())),
    messageId: facts.messageId,
    date: facts.date,
    references: idsIn(headerValue(headers, 'references')),
    ...(inReplyTo === undefined ? {} : { inReplyTo }),
  }
}

/**
 * Changes what is given, and nothing else.
 * @param ancestors  those of the message it now replies to; absent: as before
 */
export function changedContent(
  content: MailContent,
  change: DraftChange,
  ancestors: Ancestors | undefined,
): MailContent {
  const { replyToMessageId: _replyTo, starred: _starred, isPlaintext: _isPlaintext, ...given } = change
  const named = new Set((change.headers ?? []).map(({ name }) => name.toLowerCase()))
  const { inReplyTo, references, ...rest } = content
  const threading =
    ancestors === undefined
      ? {
          // Given as headers of the client's own: one of each.
          ...(references === undefined || named.has('references') ? {} : { references }),
          ...(inReplyTo === undefined || named.has('in-reply-to') ? {} : { inReplyTo }),
        }
      : ancestorHeaders(ancestors)
  return { ...rest, ...given, ...threading, ...changeBody(content, change) }
}

function isFurther(name: string): boolean {
  return !WRITTEN.has(name) && !TRANSPORT.has(name) && !name.startsWith('content-')
}

/** Entries without an address are groups and broken text: nothing can be sent there. */
function named(addresses: readonly MailAddress[]): readonly MailAddress[] {
  return addresses.filter(({ email }) => email !== '')
}

function filesOf(parsed: ParsedMessage, leaves: readonly Leaf[], body: string): readonly MailFile[] {
  return leaves.map((leaf) => {
    const file = toAttachment(leaf, '', { body, snippet: '' })
    const bytes = decodeTransfer(parsed.contentOf(leaf.part) ?? new Uint8Array(), leaf.node.encoding)
    return {
      filename: file.filename,
      contentType: file.content_type,
      ...(file.content_id === undefined ? {} : { contentId: file.content_id }),
      isInline: file.is_inline ?? false,
      open: () => Readable.from(bytes.length > 0 ? [bytes] : []),
    }
  })
}
