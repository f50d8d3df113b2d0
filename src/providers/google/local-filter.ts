import type { FullMessage } from '../../contract/message.ts'
import type { MessageQuery } from '../../core/ports/mail.ts'

const HIDDEN_LABELS: readonly string[] = ['SPAM', 'TRASH']

/** Tells whether a list needs looking at messages beyond what Gmail's search already says. */
export function needsLocalCheck(query: MessageQuery): boolean {
  return [
    query.subject,
    query.from,
    query.to,
    query.cc,
    query.bcc,
    query.anyEmail,
    query.receivedAfter,
    query.receivedBefore,
  ].some((value) => value !== undefined)
}

/**
 * Checks what Gmail's search takes too widely: the subject as a substring without case, addresses exactly and in
 * their own header, strict time bounds (contract/email.md 12.2).
 */
export function passesLocalCheck(query: MessageQuery, message: FullMessage): boolean {
  const has = (list: FullMessage['to'], wanted: string) =>
    list.some(({ email }) => email.toLowerCase() === wanted.toLowerCase())
  const { subject, from, to, cc, bcc, anyEmail, receivedAfter, receivedBefore } = query
  return (
    (subject === undefined || message.subject.toLowerCase().includes(subject.trim().toLowerCase())) &&
    (from === undefined || has(message.from, from)) &&
    (to === undefined || has(message.to, to)) &&
    (cc === undefined || has(message.cc, cc)) &&
    (bcc === undefined || has(message.bcc, bcc)) &&
    (anyEmail === undefined ||
      anyEmail.some((one) => has([...message.from, ...message.to, ...message.cc, ...message.bcc], one))) &&
    (receivedAfter === undefined || message.date > receivedAfter) &&
    (receivedBefore === undefined || message.date < receivedBefore)
  )
}

/** All filters, for messages that were not found by a search: those of a thread. */
export function passesAllFilters(query: MessageQuery, message: FullMessage): boolean {
  const { in: folder, unread, starred, hasAttachment } = query
  const isHidden = message.folders.some((label) => HIDDEN_LABELS.includes(label))
  return (
    (folder === undefined ? !isHidden : message.folders.includes(folder)) &&
    (unread === undefined || message.unread === unread) &&
    (starred === undefined || message.starred === starred) &&
    (hasAttachment === undefined || message.attachments.some((file) => !file.is_inline) === hasAttachment) &&
    passesLocalCheck(query, message)
  )
}
