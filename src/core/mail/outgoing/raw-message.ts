import { decodeText } from '../../../formats/mime/decode-text.ts'
import { decodeHeaderText, headerAddresses, headerValue } from '../../../formats/mime/headers.ts'
import { fileNameOf } from '../../../formats/mime/mime-part.ts'
import { type ParsedMessage, parseMessage } from '../../../formats/mime/parse-message.ts'
import { type Leaf, selectParts } from '../../../formats/mime/select-parts.ts'
import { decodeTransfer } from '../../../formats/mime/transfer-encoding.ts'
import { unixSeconds } from '../../../kit/clock.ts'
import type { OutgoingAttachment, OutgoingMessage } from '../../ports/outgoing.ts'
import type { GrantRecord } from '../../ports/records.ts'
import { attachmentOf } from './attachment-bodies.ts'
import { invalidField } from './field-checks.ts'
import type { OutgoingDeps } from './outgoing-deps.ts'
import { newMessageId } from './prepare-message.ts'

const RECIPIENTS = ['to', 'cc', 'bcc'] as const

/**
 * Reads a complete RFC 5322 source: its recipients must be there, and it gets the From, Date and Message-ID that it
 * lacks.
 * @returns the source to send, and the message it is, for the answer
 * @throws AppError 400 that names mime
 */
export function readRawMessage(
  deps: Pick<OutgoingDeps, 'ids' | 'clock'>,
  grant: GrantRecord,
  source: Uint8Array,
): { readonly source: Uint8Array; readonly message: OutgoingMessage } {
  const parsed = parseMessage(source)
  const { headers } = parsed
  const addresses = (name: string) => headerAddresses(headers, name)
  if (!RECIPIENTS.some((name) => addresses(name).some(({ email }) => email.includes('@')))) {
    throw invalidField('mime has no recipient in To, Cc or Bcc')
  }
  const [from] = addresses('from')
  const messageId =
    headerValue(headers, 'message-id')?.trim() || newMessageId(deps, from?.email ?? grant.email)
  const seconds = unixSeconds(deps.clock)
  const missing = [
    ...(from ? [] : [`From: <${grant.email}>`]),
    ...(headerValue(headers, 'date') === undefined ? [`Date: ${mailDate(seconds)}`] : []),
    ...(headerValue(headers, 'message-id')?.trim() ? [] : [`Message-ID: ${messageId}`]),
  ]
  const added = Buffer.from(missing.map((line) => `${line}\r\n`).join(''), 'utf8')
  return {
    source: missing.length === 0 ? source : Buffer.concat([added, source]),
    message: {
      ...(from ? { from } : {}),
      to: addresses('to'),
      cc: addresses('cc'),
      bcc: addresses('bcc'),
      replyTo: addresses('reply-to'),
      subject: decodeHeaderText(headerValue(headers, 'subject') ?? ''),
      ...contentOf(parsed),
      headers: [],
      messageId,
      date: seconds,
    },
  }
}

function contentOf(parsed: ParsedMessage): Pick<OutgoingMessage, 'body' | 'isPlaintext' | 'attachments'> {
  const { html, plain, attachments } = selectParts(parsed.structure)
  const text = html ?? plain
  return {
    body: text ? decodeText(text.node, parsed.contentOf(text.part) ?? new Uint8Array()) : '',
    isPlaintext: !html,
    attachments: attachments.map((leaf) => fileOf(parsed, leaf)),
  }
}

function fileOf(parsed: ParsedMessage, { part, node }: Leaf): OutgoingAttachment {
  const contentId = node.id?.trim().replace(/^<(.*)>$/, '$1') ?? ''
  const facts = {
    filename: fileNameOf(node) ?? '',
    contentType: node.type,
    ...(contentId === '' ? {} : { contentId }),
    isInline: node.disposition === 'inline',
  }
  return attachmentOf(facts, decodeTransfer(parsed.contentOf(part) ?? new Uint8Array(), node.encoding))
}

/** RFC 5322 section 3.3. */
function mailDate(seconds: number): string {
  return new Date(seconds * 1000).toUTCString().replace('GMT', '+0000')
}
