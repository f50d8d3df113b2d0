import { createHash } from 'node:crypto'
import { headerAddresses, headerValue } from '../../formats/mime/headers.ts'
import { parseMessage } from '../../formats/mime/parse-message.ts'
import { isEmailAddress, type ParsedAddress } from '../../formats/addresses.ts'
import { invalidArgument, notFound } from '../reply.ts'
import type { SandboxState } from '../state.ts'
import type { SandboxReply } from '../types.ts'
import { addMessage, type Mailbox, type StoredMessage } from './mailbox.ts'
import { readSource } from './read-source.ts'
import { withHeader, withoutHeader } from './source-headers.ts'

type Headers = ReturnType<typeof readSource>['headers']

/**
 * Sends a source as Gmail does: recipients are those of To, Cc and Bcc; From that the account may not use is
 * replaced by its own address; the sender's copy keeps Bcc; users of the sandbox get theirs.
 *
 * @returns the sender's copy, or the refusal
 */
export function sendMail(
  state: SandboxState,
  mailbox: Mailbox,
  raw: Buffer,
  threadId: string | undefined,
): StoredMessage | SandboxReply {
  const recipients: ParsedAddress[] = []
  const fields = parseMessage(raw).headers
  for (const name of ['To', 'Cc', 'Bcc']) {
    const list = headerAddresses(fields, name.toLowerCase())
    if (list.some(({ email }) => !isEmailAddress(email))) return invalidArgument(`Invalid ${name} header`)
    recipients.push(...list)
  }
  if (recipients.length === 0) return invalidArgument('Recipient address required')
  const source = asSent(state, mailbox, raw)
  const addresses = new Set(recipients.map(({ email }) => email.toLowerCase()))
  const isTo = (other: Mailbox) => other.sendAs.some(({ email }) => addresses.has(email.toLowerCase()))
  const content = readSource(source)
  const thread = threadFor(mailbox, content.headers, threadId)
  if (typeof thread === 'object') return thread
  const labelIds = isTo(mailbox) ? ['SENT', 'INBOX', 'UNREAD'] : ['SENT']
  const sent = addMessage(mailbox, { ...content, source, labelIds, threadId: thread })
  const passedOn = withoutHeader(source, 'Bcc')
  for (const { mailbox: other } of state.users.values()) {
    if (other !== mailbox && isTo(other)) receiveMail(other, passedOn)
  }
  return sent
}

/** Puts a source into a mailbox as new mail. */
export function receiveMail(mailbox: Mailbox, source: Buffer): StoredMessage {
  const content = readSource(source)
  const thread = threadFor(mailbox, content.headers, undefined)
  const threadId = typeof thread === 'object' ? undefined : thread
  return addMessage(mailbox, {
    ...content,
    source,
    labelIds: ['UNREAD', 'CATEGORY_PERSONAL', 'INBOX'],
    threadId,
  })
}

/**
 * Where a message belongs: it must name a message of the thread in References or In-Reply-To and have its subject
 * (Gmail guide "threads", checked 2026-11). A thread that is asked for and does not fit is not used.
 *
 * @returns undefined for a thread of its own; the refusal where the mailbox has no such thread
 */
export function threadFor(
  mailbox: Mailbox,
  headers: Headers,
  threadId: string | undefined,
): string | SandboxReply | undefined {
  if (threadId !== undefined && !mailbox.messages.some((message) => message.threadId === threadId)) {
    return notFound()
  }
  const references = `${valueOf(headers, 'in-reply-to')} ${valueOf(headers, 'references')}`
  const named: readonly string[] = references.match(/<[^<>\s]+>/g) ?? []
  const subject = baseSubject(valueOf(headers, 'subject'))
  return mailbox.messages.find(
    (message) =>
      (threadId === undefined || message.threadId === threadId) &&
      named.includes(valueOf(message.headers, 'message-id').trim()) &&
      baseSubject(valueOf(message.headers, 'subject')) === subject,
  )?.threadId
}

function asSent(state: SandboxState, mailbox: Mailbox, raw: Buffer): Buffer {
  const fields = parseMessage(raw).headers
  const [from] = headerAddresses(fields, 'from')
  const isOwn = mailbox.sendAs.some(
    ({ email, isVerified }) => isVerified && email.toLowerCase() === from?.email.toLowerCase(),
  )
  let source = raw
  if (!isOwn) {
    const name = Buffer.from(mailbox.name).toString('base64')
    source = withHeader(source, 'From', `=?UTF-8?B?${name}?= <${mailbox.email}>`)
  }
  if (state.replacesMessageIds || headerValue(fields, 'message-id') === undefined) {
    const id = createHash('sha256').update(`${mailbox.email} ${mailbox.nextNumber}`).digest('base64url')
    source = withHeader(source, 'Message-ID', `<CA+${id}@mail.gmail.com>`)
  }
  if (headerValue(fields, 'date') === undefined) source = withHeader(source, 'Date', new Date().toUTCString())
  return source
}

function valueOf(headers: Headers, name: string): string {
  return headers.find(([found]) => found.toLowerCase() === name)?.[1] ?? ''
}

function baseSubject(subject: string): string {
  return subject
    .replace(/^(\s*(re|fwd?|aw|wg)\s*:)+/i, '')
    .trim()
    .toLowerCase()
}
