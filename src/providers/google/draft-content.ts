import { Readable } from 'node:stream'
import type { DraftChange } from '../../core/ports/outgoing.ts'
import { changeBody } from '../../formats/mime/change-body.ts'
import type { MailContent, MailFile } from '../../formats/mime/compose-message.ts'
import { decodeText } from '../../formats/mime/decode-text.ts'
import {
  decodeHeaderText,
  headerAddresses,
  headerValue,
  type HeaderField,
} from '../../formats/mime/headers.ts'
import { fileNameOf } from '../../formats/mime/mime-part.ts'
import { parseMessage, type ParsedMessage } from '../../formats/mime/parse-message.ts'
import { type Leaf, selectParts } from '../../formats/mime/select-parts.ts'
import { decodeTransfer } from '../../formats/mime/transfer-encoding.ts'

/** Headers that have a field of their own, or that mail servers write. */
const NOT_FURTHER =
  /^(from|to|cc|bcc|reply-to|subject|date|message-id|in-reply-to|references|mime-version|content-.*|received|x-received|return-path|delivered-to|x-gm-.*|x-google-.*)$/i

/**
 * Takes the source of a draft apart, so that it can be written again with something changed: drafts.update replaces
 * the whole source (contract/email.md 12.1). Attachments are opened out of the source.
 *
 * @param fallback  what a draft that some other program wrote may lack
 */
export function readDraftContent(
  source: Uint8Array,
  fallback: { readonly email: string; readonly messageId: string; readonly date: number },
): MailContent {
  const parsed = parseMessage(source)
  const { headers } = parsed
  const { html, plain, attachments } = selectParts(parsed.structure)
  const body = html ?? plain
  const text = body ? textOf(parsed, body) : ''
  const written = Date.parse(headerValue(headers, 'date') ?? '')
  const [from] = headerAddresses(headers, 'from')
  const inReplyTo = idsIn(headers, 'in-reply-to')[0]
  return {
    from: from?.email ? from : { email: fallback.email },
    to: headerAddresses(headers, 'to'),
    cc: headerAddresses(headers, 'cc'),
    bcc: headerAddresses(headers, 'bcc'),
    replyTo: headerAddresses(headers, 'reply-to'),
    subject: decodeHeaderText(headerValue(headers, 'subject') ?? ''),
    body: text,
    isPlaintext: html === undefined && plain !== undefined,
    attachments: attachments.map((leaf) => toFile(parsed, leaf, text)),
    headers: headers
      .filter(({ name }) => !NOT_FURTHER.test(name))
      .map(({ name, value }) => ({ name, value: decodeHeaderText(value) })),
    messageId: idsIn(headers, 'message-id')[0] ?? fallback.messageId,
    date: Number.isNaN(written) ? fallback.date : Math.floor(written / 1000),
    references: idsIn(headers, 'references'),
    ...(inReplyTo === undefined ? {} : { inReplyTo }),
  }
}

/** Puts a change into a draft's content: what is not given stays. From and the reply are settled by the caller. */
export function changeContent(content: MailContent, change: DraftChange): MailContent {
  const { to, cc, bcc, replyTo, subject, attachments, headers } = change
  return {
    ...content,
    ...(to === undefined ? {} : { to }),
    ...(cc === undefined ? {} : { cc }),
    ...(bcc === undefined ? {} : { bcc }),
    ...(replyTo === undefined ? {} : { replyTo }),
    ...(subject === undefined ? {} : { subject }),
    ...changeBody(content, change),
    ...(attachments === undefined ? {} : { attachments }),
    ...(headers === undefined ? {} : { headers }),
  }
}

function textOf(parsed: ParsedMessage, { part, node }: Leaf): string {
  // Whatever the transport put behind the last line is not part of the text.
  return decodeText(node, parsed.contentOf(part) ?? new Uint8Array()).replace(/\r?\n$/, '')
}

function toFile(parsed: ParsedMessage, { part, node }: Leaf, body: string): MailFile {
  const contentId = node.id?.trim().replace(/^<(.*)>$/s, '$1')
  const parameters = Object.entries(node.parameters ?? {})
    .filter(([name]) => name !== 'name' && name !== 'boundary')
    .map(([name, value]) => `; ${name}="${value.replace(/["\\]/g, '\\$&')}"`)
  return {
    filename: fileNameOf(node) ?? '',
    contentType: `${node.type}${parameters.join('')}`,
    isInline: node.disposition === 'inline' || (!!contentId && body.includes(`cid:${contentId}`)),
    ...(contentId ? { contentId } : {}),
    open: () => {
      const bytes = decodeTransfer(parsed.contentOf(part) ?? new Uint8Array(), node.encoding)
      return Readable.from(bytes.length === 0 ? [] : [Buffer.from(bytes)])
    },
  }
}

function idsIn(headers: readonly HeaderField[], name: string): readonly string[] {
  return headerValue(headers, name)?.match(/<[^<>\s]+>/g) ?? []
}
