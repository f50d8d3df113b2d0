import type { EmailName } from '../../contract/message.ts'
import type { FullThread } from '../../contract/thread.ts'
import type { AccountIndex, ThreadGroup } from './account-index.ts'
import { encodeFolderId } from './folder-id.ts'
import type { IndexRow } from './index-rows.ts'
import {
  byFolder,
  ensureOpen,
  hasAttachment,
  type MailboxView,
  type PageEntry,
  present,
  publicId,
} from './list-messages.ts'
import type { LoadedMessage } from './message-content.ts'
import type { OpenedFolder } from './open-folder.ts'

/** Messages of a thread that are looked at; the newest. */
const MEMBERS_LIMIT = 500

/** A mail of a thread: its copies are one. */
export interface Member extends PageEntry {
  readonly copies: readonly IndexRow[]
}

/** A thread whose messages are loaded, newest first; there is at least one. */
export interface LoadedThread {
  readonly members: readonly Member[]
  readonly newest: Member
}

/** Loads the messages of threads, one FETCH per folder. Threads whose messages are gone are missing in the answer. */
export async function loadThreads(
  view: MailboxView,
  folders: ReadonlyMap<string, OpenedFolder>,
  groups: readonly Pick<ThreadGroup, 'rows'>[],
): Promise<ReadonlyMap<Pick<ThreadGroup, 'rows'>, LoadedThread>> {
  const wanted = groups.flatMap((group) =>
    group.rows.slice(0, MEMBERS_LIMIT).flatMap((row) => {
      const folder = folders.get(row.path)
      return folder ? [{ folder, row }] : []
    }),
  )
  const loaded = new Map<IndexRow, LoadedMessage>()
  for (const [folder, members] of byFolder(wanted)) {
    await ensureOpen(view.client, folder)
    const uids = members.map(({ row }) => row.uid)
    const heads = await view.content.heads(view.client, view.accountKey, folder, uids, false)
    for (const { row } of members) {
      const message = heads.get(row.uid)
      if (message && !message.deleted) loaded.set(row, message)
    }
  }
  const threads = new Map<Pick<ThreadGroup, 'rows'>, LoadedThread>()
  for (const group of groups) {
    const members = membersOf(view.index, folders, group.rows, loaded)
    const [newest] = members
    if (newest) threads.set(group, { members, newest })
  }
  return threads
}

function membersOf(
  index: AccountIndex,
  folders: ReadonlyMap<string, OpenedFolder>,
  rows: readonly IndexRow[],
  loaded: ReadonlyMap<IndexRow, LoadedMessage>,
): readonly Member[] {
  const byMail = new Map<string, Member & { readonly copies: IndexRow[] }>()
  for (const row of rows) {
    const folder = folders.get(row.path)
    const message = loaded.get(row)
    if (!folder || !message) continue
    const mail = row.idDigest === '' ? `${row.uid} ${row.path}` : `${row.idDigest} ${row.fingerprint}`
    const folderId = encodeFolderId(row.path)
    const same = byMail.get(mail)
    if (same) {
      if (!same.folders.includes(folderId)) same.folders.push(folderId)
      same.copies.push(row)
      continue
    }
    const id = publicId(index, { folder, row }, message)
    byMail.set(mail, { folder, row, message, id, date: row.date, folders: [folderId], copies: [row] })
  }
  return [...byMail.values()]
}

/** What a thread's shape depends on besides its messages. */
export interface ThreadContext {
  readonly email: string
  readonly sent: string | undefined
  readonly drafts: string | undefined
  /** the bodies of the newest messages are wanted */
  readonly withBodies: boolean
}

/** Gives threads their wire form (contract/email.md 6.2). */
export async function presentThreads(
  view: MailboxView,
  threads: readonly LoadedThread[],
  context: ThreadContext,
): Promise<readonly FullThread[]> {
  const newest = threads.map((thread) => thread.newest)
  const shown = await present(view, newest, {
    fields: 'standard',
    ...(context.withBodies ? {} : { select: [] }),
  })
  const byId = new Map(shown.map((message) => [message.id, message]))
  return threads.flatMap((thread) => {
    const message = byId.get(thread.newest.id)
    if (!message || !('subject' in message)) return []
    const { members } = thread
    const isIn = (path: string | undefined, { copies }: Member) => copies.some((copy) => copy.path === path)
    const isDraft = (member: Member) => member.message.draft || isIn(context.drafts, member)
    const isSent = (member: Member) =>
      isIn(context.sent, member) ||
      member.message.head.from.some((from) => from.email.toLowerCase() === context.email.toLowerCase())
    const drafts = members.filter(isDraft)
    const messages = members.filter((member) => !isDraft(member))
    const received = messages.find((member) => !isSent(member))?.date
    const sent = messages.find(isSent)?.date
    const wire: FullThread = {
      id: message.thread_id,
      grant_id: view.grantId,
      object: 'thread',
      subject: message.subject,
      snippet: message.snippet,
      starred: members.some((member) => member.message.starred),
      unread: members.some((member) => member.message.unread),
      has_attachments: members.some((member) => hasAttachment(member.message.head)),
      has_drafts: drafts.length > 0,
      earliest_message_date: members.at(-1)?.date ?? message.date,
      ...(received === undefined ? {} : { latest_message_received_date: received }),
      ...(sent === undefined ? {} : { latest_message_sent_date: sent }),
      participants: participantsOf(members),
      message_ids: messages.map((member) => member.id).reverse(),
      draft_ids: drafts.map((member) => member.id).reverse(),
      folders: [...new Set(members.flatMap((member) => member.folders))],
      latest_draft_or_message: { ...message, object: isDraft(thread.newest) ? 'draft' : 'message' },
    }
    return [wire]
  })
}

/** Everybody in any address header, the thread's beginner first. */
function participantsOf(members: readonly Member[]): EmailName[] {
  const people = new Map<string, EmailName>()
  for (const { message } of members.toReversed()) {
    const { from, to, cc, bcc } = message.head
    for (const person of [...from, ...to, ...cc, ...bcc]) {
      const key = person.email === '' ? `"${person.name ?? ''}"` : person.email.toLowerCase()
      const known = people.get(key)
      if (!known || (known.name === undefined && person.name !== undefined)) people.set(key, person)
    }
  }
  return [...people.values()]
}
