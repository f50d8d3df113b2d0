import { domainToASCII } from 'node:url'
import type { DraftBody } from '../../../contract/outgoing.ts'
import { domainOf } from '../../../formats/addresses.ts'
import { unixSeconds } from '../../../kit/clock.ts'
import type { OutgoingAttachment, OutgoingMessage } from '../../ports/outgoing.ts'
import type { GrantRecord } from '../../ports/records.ts'
import { checkAddresses, checkCustomHeaders, checkHeaderText, invalidField } from './field-checks.ts'
import { readText, withSignature } from './message-body.ts'
import { checkSize } from './message-size.ts'
import type { OutgoingDeps } from './outgoing-deps.ts'
import { placeFiles, readAttachments } from './read-attachments.ts'

const MAX_SUBJECT = 10_000

/**
 * Makes a request into a message: everything checked, template and signature in its body. Tracking is not.
 * @throws AppError 400 that names the field, 413
 */
export async function prepareMessage(
  deps: OutgoingDeps,
  grant: GrantRecord,
  { body, files }: { readonly body: DraftBody; readonly files: readonly OutgoingAttachment[] },
): Promise<OutgoingMessage> {
  const people = readPeople(body)
  const replyTo = readReplyTo(body)
  const headers = checkCustomHeaders(body.custom_headers, { isReply: replyTo !== undefined })
  if (body.metadata) deps.metadata.check(body.metadata)
  const isPlaintext = body.is_plaintext ?? false
  const { subject = '', body: written = '' } = await readText(deps, grant, body)
  checkSubject(subject)
  const text = await withSignature(deps, grant, { body: written, isPlaintext }, body.signature_id)
  const attachments = await readAttachments(deps, grant, {
    ...(body.attachments ? { attachments: body.attachments } : {}),
    files: placeFiles(files, { body: text, isPlaintext }),
  })
  const message: OutgoingMessage = {
    ...people,
    subject,
    body: text,
    isPlaintext,
    attachments,
    headers,
    ...(replyTo === undefined ? {} : { replyToMessageId: replyTo }),
    messageId: newMessageId(deps, people.from?.email ?? grant.email),
    date: unixSeconds(deps.clock),
  }
  checkSize(deps.access.facts(grant), message)
  return message
}

/** Reads all addresses of a request. */
export function readPeople(body: DraftBody) {
  const [from] = checkAddresses(body.from, 'from')
  return {
    ...(from ? { from } : {}),
    to: checkAddresses(body.to, 'to'),
    cc: checkAddresses(body.cc, 'cc'),
    bcc: checkAddresses(body.bcc, 'bcc'),
    replyTo: checkAddresses(body.reply_to, 'reply_to'),
  }
}

/** @throws AppError 400 */
export function checkSubject(subject: string): void {
  checkHeaderText(subject, 'subject')
  if (subject.length > MAX_SUBJECT) throw invalidField(`subject has at most ${MAX_SUBJECT} characters`)
}

/** The message this replies to; undefined where there is none, also for an empty text, which answers carry. */
export function readReplyTo(body: Pick<DraftBody, 'reply_to_message_id'>): string | undefined {
  const id = body.reply_to_message_id?.trim() ?? ''
  checkHeaderText(id, 'reply_to_message_id')
  return id === '' ? undefined : id
}

/** A new Message-ID in angle brackets, at the domain of the sender (RFC 5322 section 3.6.4). */
export function newMessageId({ ids }: Pick<OutgoingDeps, 'ids'>, sender: string): string {
  return `<${ids.uuid()}@${domainToASCII(domainOf(sender)) || 'localhost'}>`
}
