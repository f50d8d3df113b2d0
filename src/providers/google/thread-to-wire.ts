import type { EmailName, FullDraft, FullMessage } from '../../contract/message.ts'
import type { FullThread } from '../../contract/thread.ts'
import { isJsonObject, type JsonObject, stringField } from '../../kit/json.ts'
import { messageToWire } from './to-wire.ts'

/** A thread as Gmail answers it, mapped; newest message first. */
export interface ThreadContent {
  readonly id: string
  readonly messages: readonly [FullMessage, ...FullMessage[]]
  /** what the newest message was mapped from */
  readonly newestResource: JsonObject
}

/** Maps a thread resource; undefined where it has no id or no messages. Bodies that Gmail left out stay empty. */
export function readThreadContent(thread: JsonObject, grantId: string): ThreadContent | undefined {
  const id = stringField(thread, 'id')
  const list = Array.isArray(thread['messages']) ? thread['messages'].filter(isJsonObject) : []
  const entries = list
    .map((resource) => ({ resource, message: messageToWire(resource, grantId, 'standard').message }))
    .filter(({ message }) => message.id !== '')
    // Gmail lists the oldest first; of equal times the later one is the newer.
    .toReversed()
    .toSorted((one, other) => other.message.date - one.message.date)
  const [newest, ...rest] = entries
  if (!id || !newest) return undefined
  return {
    id,
    messages: [newest.message, ...rest.map(({ message }) => message)],
    newestResource: newest.resource,
  }
}

/** What is known of a thread beyond its own resource. */
export interface ThreadExtras {
  /** the newest message, whole */
  readonly latest: FullMessage
  /** ids of drafts by those of their messages; the message's own stands in where one is missing */
  readonly draftIds: ReadonlyMap<string, string>
  readonly hasAttachments: boolean
}

/**
 * Makes a thread (contract/email.md 6.2). A message that one sent to oneself counts as sent and as received.
 */
export function threadToWire(
  { id, messages }: ThreadContent,
  extras: ThreadExtras,
  grantId: string,
): FullThread {
  const [newest] = messages
  const oldest = messages.at(-1) ?? newest
  const drafts = messages.filter(isDraft)
  const mail = messages.filter((message) => !isDraft(message))
  const sent = mail.find(({ folders }) => folders.includes('SENT'))
  const received = mail.find(({ folders }) => !folders.includes('SENT') || folders.includes('INBOX'))
  const draftIdOf = (message: FullMessage) => extras.draftIds.get(message.id) ?? message.id
  return {
    id,
    grant_id: grantId,
    object: 'thread',
    subject: oldest.subject || newest.subject,
    snippet: newest.snippet,
    starred: messages.some(({ starred }) => starred),
    unread: messages.some(({ unread }) => unread),
    has_attachments: extras.hasAttachments,
    has_drafts: drafts.length > 0,
    earliest_message_date: oldest.date,
    ...(received ? { latest_message_received_date: received.date } : {}),
    ...(sent ? { latest_message_sent_date: sent.date } : {}),
    participants: participantsOf(messages),
    message_ids: mail.map((message) => message.id).toReversed(),
    draft_ids: drafts.map(draftIdOf).toReversed(),
    folders: [...new Set(messages.flatMap(({ folders }) => folders))],
    latest_draft_or_message: isDraft(newest) ? toDraft(extras.latest, draftIdOf(newest)) : extras.latest,
  }
}

/** Tells whether a message is a draft. */
export function isDraft({ folders }: FullMessage): boolean {
  return folders.includes('DRAFT')
}

function toDraft(message: FullMessage, id: string): FullDraft {
  return { ...message, id, object: 'draft' }
}

/** Everyone once, in the order of appearance, with the first name that is told. */
function participantsOf(messages: ThreadContent['messages']): EmailName[] {
  const found = new Map<string, EmailName>()
  for (const { from, to, cc, bcc } of messages.toReversed()) {
    for (const person of [...from, ...to, ...cc, ...bcc]) {
      const key = person.email.toLowerCase()
      const known = found.get(key)
      if (!known || (known.name === undefined && person.name !== undefined)) found.set(key, person)
    }
  }
  return [...found.values()]
}
