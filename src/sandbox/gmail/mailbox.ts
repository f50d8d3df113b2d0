import type { SeedLabel, SeedMessage, SeedUser } from '../types.ts'

/** A message in a mailbox that changes; seeded ones have no source of their own. */
export interface StoredMessage extends SeedMessage {
  readonly source?: Buffer
  readonly historyId: number
}

export interface SendAs {
  readonly email: string
  readonly displayName: string
  readonly isVerified: boolean
}

export type HistoryKind = 'messagesAdded' | 'messagesDeleted' | 'labelsAdded' | 'labelsRemoved'

export interface HistoryRecord {
  readonly id: number
  readonly kind: HistoryKind
  readonly message: StoredMessage
  readonly labelIds?: readonly string[]
}

/** One user's Gmail. */
export interface Mailbox {
  readonly email: string
  readonly name: string
  /** Newest first. */
  messages: readonly StoredMessage[]
  labels: readonly SeedLabel[]
  /** draft id → message id */
  readonly drafts: Map<string, string>
  sendAs: readonly SendAs[]
  readonly history: HistoryRecord[]
  historyId: number
  /** of the next id that is made */
  nextNumber: number
  readonly idPrefix: string
}

const FIRST_HISTORY_ID = 1000

/** Makes the mailbox of a seeded user. */
export function createMailbox(user: SeedUser): Mailbox {
  return {
    email: user.email,
    name: user.name,
    messages: user.messages.map((message) => ({ ...message, historyId: FIRST_HISTORY_ID })),
    labels: user.labels,
    drafts: new Map(),
    sendAs: [user.email, ...user.aliases].map((email) => ({
      email,
      displayName: user.name,
      isVerified: true,
    })),
    history: [],
    historyId: FIRST_HISTORY_ID,
    nextNumber: 1,
    idPrefix: `19${user.sub.slice(-2).padStart(2, '0')}0000`,
  }
}

/** Makes an id of 16 hex digits that nothing else in the mailbox has. */
export function mintId(mailbox: Mailbox): string {
  const number = mailbox.nextNumber
  mailbox.nextNumber += 1
  return `${mailbox.idPrefix}${number.toString(16).padStart(8, '0')}`
}

export function findMessage(mailbox: Mailbox, id: string | undefined): StoredMessage | undefined {
  return mailbox.messages.find((message) => message.id === id)
}

/** Puts a message in as the newest. */
export function addMessage(
  mailbox: Mailbox,
  content: Omit<StoredMessage, 'id' | 'threadId' | 'internalDateMs' | 'historyId'> & {
    readonly threadId: string | undefined
  },
): StoredMessage {
  const id = mintId(mailbox)
  const newest = mailbox.messages[0]?.internalDateMs ?? 0
  const message: StoredMessage = {
    ...content,
    id,
    threadId: content.threadId ?? id,
    // The order of the mailbox must not depend on how fast things happen.
    internalDateMs: Math.max(Date.now(), newest + 1),
    historyId: mailbox.historyId + 1,
  }
  mailbox.messages = [message, ...mailbox.messages]
  note(mailbox, 'messagesAdded', message)
  return message
}

export function removeMessage(mailbox: Mailbox, message: StoredMessage): void {
  mailbox.messages = mailbox.messages.filter(({ id }) => id !== message.id)
  for (const [draft, id] of mailbox.drafts) if (id === message.id) mailbox.drafts.delete(draft)
  note(mailbox, 'messagesDeleted', message)
}

/** Changes labels of a message. @returns it as it is then */
export function changeLabels(
  mailbox: Mailbox,
  message: StoredMessage,
  change: { readonly add: readonly string[]; readonly remove: readonly string[] },
): StoredMessage {
  const added = change.add.filter((label) => !message.labelIds.includes(label))
  const removed = change.remove.filter((label) => message.labelIds.includes(label))
  if (added.length + removed.length === 0) return message
  const labelIds = [...message.labelIds.filter((label) => !removed.includes(label)), ...added]
  const changed: StoredMessage = { ...message, labelIds, historyId: mailbox.historyId + 1 }
  mailbox.messages = mailbox.messages.map((one) => (one.id === message.id ? changed : one))
  if (added.length > 0) note(mailbox, 'labelsAdded', changed, added)
  if (removed.length > 0) note(mailbox, 'labelsRemoved', changed, removed)
  return changed
}

function note(
  mailbox: Mailbox,
  kind: HistoryKind,
  message: StoredMessage,
  labelIds?: readonly string[],
): void {
  mailbox.historyId += 1
  mailbox.history.push({
    id: mailbox.historyId,
    kind,
    message,
    ...(labelIds === undefined ? {} : { labelIds }),
  })
}
