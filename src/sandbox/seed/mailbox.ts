import type { SeedMessage, SeedPart } from '../types.ts'
import { bodyFor, SENDERS, SUBJECTS } from './mail-kinds.ts'

/** 2026-11-20T12:00:00Z: the newest message; each older one is a few hours back. */
const NEWEST_MS = 1_795_176_000_000
const STEP_MS = 5 * 3600 * 1000 + 7 * 60 * 1000

/**
 * Makes a mailbox, newest first: plain and HTML mail, attachments, inline images, threads of three, mail in
 * several scripts, sent, spam, trash and broken mail. The same for the same arguments.
 */
export function seedMailbox(
  email: string,
  name: string,
  user: number,
  count: number,
): readonly SeedMessage[] {
  return Array.from({ length: count }, (_, index) => message(email, name, user, count, index))
}

function message(email: string, name: string, user: number, count: number, index: number): SeedMessage {
  // Numbers count from the oldest, so that a thread begins with its oldest message.
  const number = count - index
  const id = messageId(user, number)
  // Of ten messages, the last three are one thread.
  const isReply = number % 10 === 9 || number % 10 === 0
  const root = isReply ? number - (number % 10 === 9 ? 1 : 2) : number
  const sender = SENDERS[root % SENDERS.length] ?? 'nobody@partner.example'
  const subject = SUBJECTS[root % SUBJECTS.length] ?? ''
  const isSent = number % 10 === 9
  const me = `${name} <${email}>`
  const internalDateMs = NEWEST_MS - index * STEP_MS
  const isBroken = number % 30 === 5
  const headers: (readonly [string, string])[] = [
    ['Delivered-To', email],
    ...(isBroken ? [] : [['From', isSent ? me : sender] as const]),
    ['To', isSent ? sender : me],
    ...(number % 6 === 0
      ? [['Cc', 'Team <team@partner.example>, "Moreau, Zoë" <zoe@partner.example>'] as const]
      : []),
    ...(isSent && number % 20 === 9 ? [['Bcc', 'archive@sandbox.example'] as const] : []),
    ...(number % 7 === 0 ? [['Reply-To', 'replies@partner.example'] as const] : []),
    ...(subject === '' || isBroken ? [] : [['Subject', isReply ? `Re: ${subject}` : subject] as const]),
    ['Date', isBroken ? 'yesterday, about noon' : new Date(internalDateMs).toUTCString()],
    ['Message-ID', `<${id}@mail.sandbox.example>`],
    ...(isReply
      ? ([
          ['In-Reply-To', `<${messageId(user, number - 1)}@mail.sandbox.example>`],
          ['References', `<${messageId(user, root)}@mail.sandbox.example>`],
        ] as const)
      : []),
  ]
  const { root: part, snippet }: { readonly root: SeedPart; readonly snippet: string } = bodyFor(
    number,
    subject,
  )
  return {
    id,
    threadId: messageId(user, root),
    labelIds: labels(number, isSent),
    internalDateMs,
    headers,
    snippet,
    root: part,
  }
}

function messageId(user: number, number: number): string {
  return `18${String(user).padStart(2, '0')}0000${number.toString(16).padStart(8, '0')}`
}

function labels(number: number, isSent: boolean): readonly string[] {
  if (number % 25 === 13) return ['SPAM', 'UNREAD']
  if (number % 25 === 17) return ['TRASH']
  if (isSent) return ['SENT']
  return [
    ...(number % 3 === 0 ? ['UNREAD'] : []),
    ...(number % 8 === 0 ? ['STARRED'] : []),
    ...(number % 5 === 0 ? ['IMPORTANT', 'Label_2'] : []),
    number % 4 === 0 ? 'CATEGORY_UPDATES' : 'CATEGORY_PERSONAL',
    'INBOX',
  ]
}
