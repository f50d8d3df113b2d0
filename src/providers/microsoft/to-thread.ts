import type { EmailName, FullMessage } from '../../contract/message.ts'
import type { FullThread } from '../../contract/thread.ts'
import { toDraft } from './drafts.ts'
import type { Candidate } from './local-filter.ts'

/** Whose mailbox a thread is read in: tells what was sent from what was received. */
export interface ThreadOwner {
  readonly grantId: string
  /** of the mailbox, lower case */
  readonly address: string
  /** id of its Sent Items */
  readonly sentFolder: string | undefined
}

/** Newest first; equal times by id, so that the order is the same each time. */
export function byNewest(one: Candidate, other: Candidate): number {
  return other.message.date - one.message.date || (one.message.id < other.message.id ? -1 : 1)
}

/**
 * Makes a thread of all messages of a conversation (contract/email.md 6.2).
 *
 * @param messages  at least one
 * @param latest  the newest of them, whole; absent: as it is among the messages
 */
export function toThread(
  id: string,
  messages: readonly [Candidate, ...Candidate[]],
  owner: ThreadOwner,
  latest?: FullMessage,
): FullThread {
  const sorted = messages.toSorted(byNewest)
  const newest = sorted[0] ?? messages[0]
  const oldest = sorted.at(-1) ?? messages[0]
  const drafts = sorted.filter(isDraft)
  const mail = sorted.filter((candidate) => !isDraft(candidate))
  const sent = mail.find((candidate) => isSent(candidate, owner))
  const received = mail.find((candidate) => !isSent(candidate, owner))
  const whole = latest ?? newest.message
  return {
    id,
    grant_id: owner.grantId,
    object: 'thread',
    subject: oldest.message.subject || newest.message.subject,
    snippet: newest.message.snippet,
    starred: sorted.some(({ message }) => message.starred),
    unread: mail.some(({ message }) => message.unread),
    has_attachments: sorted.some(({ resource }) => resource['hasAttachments'] === true),
    has_drafts: drafts.length > 0,
    earliest_message_date: oldest.message.date,
    ...(received ? { latest_message_received_date: received.message.date } : {}),
    ...(sent ? { latest_message_sent_date: sent.message.date } : {}),
    participants: participantsOf(sorted),
    message_ids: idsOf(mail),
    draft_ids: idsOf(drafts),
    folders: [...new Set(sorted.flatMap(({ message }) => message.folders))],
    latest_draft_or_message: isDraft(newest) ? toDraft(whole) : whole,
  }
}

function isDraft({ resource }: Candidate): boolean {
  return resource['isDraft'] === true
}

function isSent({ message }: Candidate, { address, sentFolder }: ThreadOwner): boolean {
  return (
    message.from.some(({ email }) => email.toLowerCase() === address) ||
    (sentFolder !== undefined && message.folders.includes(sentFolder))
  )
}

/** Oldest first, as in a conversation. */
function idsOf(sorted: readonly Candidate[]): string[] {
  return sorted.map(({ message }) => message.id).toReversed()
}

function participantsOf(sorted: readonly Candidate[]): EmailName[] {
  const found = new Map<string, EmailName>()
  for (const { message } of sorted.toReversed()) {
    for (const person of [...message.from, ...message.to, ...message.cc, ...message.bcc]) {
      const key = person.email.toLowerCase()
      const known = found.get(key)
      if (!known || (known.name === undefined && person.name !== undefined)) found.set(key, person)
    }
  }
  return [...found.values()]
}
