import type { EmailName, FullMessage } from '../../contract/message.ts'
import type { MessageQuery } from '../../core/ports/mail.ts'
import { type JsonObject, stringField } from '../../kit/json.ts'

/** A message and the fields of Graph's that the wire's message no longer has. */
export interface Candidate {
  readonly message: FullMessage
  readonly resource: JsonObject
}

/**
 * Checks a message against every filter of the query: Graph's search works by words and days and takes more than
 * was asked for, and a thread is filtered here altogether (contract/email.md 13.2).
 */
export function passesLocalCheck(query: MessageQuery, { message, resource }: Candidate): boolean {
  return (
    holds(query.subject, (text) => message.subject.toLowerCase().includes(text.toLowerCase())) &&
    holds(query.from, (address) => has(message.from, address)) &&
    holds(query.to, (address) => has(message.to, address)) &&
    holds(query.cc, (address) => has(message.cc, address)) &&
    holds(query.bcc, (address) => has(message.bcc, address)) &&
    holds(query.anyEmail, (addresses) => {
      const all = [...message.from, ...message.to, ...message.cc, ...message.bcc]
      return addresses.some((address) => has(all, address))
    }) &&
    holds(query.unread, (unread) => message.unread === unread) &&
    holds(query.starred, (starred) => message.starred === starred) &&
    holds(query.hasAttachment, (wanted) => (resource['hasAttachments'] === true) === wanted) &&
    holds(query.threadId, (id) => stringField(resource, 'conversationId') === id) &&
    holds(query.receivedAfter, (seconds) => message.date > seconds) &&
    holds(query.receivedBefore, (seconds) => message.date < seconds)
  )
}

function holds<T>(wanted: T | undefined, check: (wanted: T) => boolean): boolean {
  return wanted === undefined || check(wanted)
}

function has(list: readonly EmailName[], address: string): boolean {
  const wanted = address.toLowerCase()
  return list.some(({ email }) => email.toLowerCase() === wanted)
}
