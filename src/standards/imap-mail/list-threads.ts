import type { FullThread } from '../../contract/thread.ts'
import type { Page, ThreadQuery } from '../../core/ports/mail.ts'
import type { ThreadGroup } from './account-index.ts'
import type { IndexRow } from './index-rows.ts'
import {
  coveredFolders,
  ensureOpen,
  hasAttachment,
  type MailboxView,
  pathOf,
  unknownFolder,
} from './list-messages.ts'
import { buildFilter, type MessageFilter } from './message-filter.ts'
import { searchByFilter } from './search-uids.ts'
import {
  type CoveredFolder,
  coverFolders,
  decodeThreadCursor,
  encodeThreadCursor,
  groupThreads,
  isAfter,
} from './thread-groups.ts'
import { type LoadedThread, loadThreads, type Member, presentThreads } from './thread-to-wire.ts'

/** Messages looked at in one request: then the page ends, with a cursor. */
const SCAN_LIMIT = 2000
const SCAN_THREADS = 50

/**
 * Lists threads, the one with the newest message first (contract/email.md 6.1), over the folders of a message list
 * without `in`, the drafts, and the folder that `in` names. Mail that comes while a client pages moves no thread.
 */
export async function listThreads(
  view: MailboxView,
  query: ThreadQuery,
  email: string,
): Promise<Page<FullThread>> {
  const cursor = query.cursor === undefined ? undefined : decodeThreadCursor(query.cursor)
  const filter = buildFilter(messageQuery(query))
  const { listed, sent, drafts } = await coveredFolders(view)
  const only = query.in === undefined ? undefined : pathOf(query.in)
  const paths = [...(only === undefined ? [] : [only]), ...listed, ...(drafts === undefined ? [] : [drafts])]
  const covered = await coverFolders(view, paths)
  if (only !== undefined && !covered.some(({ folder }) => folder.path === only)) throw unknownFolder()
  const tops = cursor?.tops ?? covered.map(({ folder }) => folder)
  const isWanted = await rowFilter(view, covered, filter, only)
  const key = query.threadId === undefined ? undefined : (view.index.keyOfThread(query.threadId) ?? '')
  const rest = groupThreads(view.index, covered, tops).filter(
    (group) =>
      isAfter(group, cursor) &&
      isInTime(group, query) &&
      (key === undefined || group.key === key) &&
      (isWanted === undefined || group.rows.some(isWanted)),
  )
  const folders = new Map(covered.map(({ folder }) => [folder.path, folder]))
  const threads: LoadedThread[] = []
  let at = 0
  let looked = 0
  while (at < rest.length && threads.length < query.limit && looked < SCAN_LIMIT) {
    const missing = query.limit - threads.length
    const chunk = rest.slice(at, at + (filter.matches ? Math.max(missing, SCAN_THREADS) : missing))
    const loaded = await loadThreads(view, folders, chunk)
    for (const group of chunk) {
      if (threads.length === query.limit) break
      at += 1
      looked += group.rows.length
      const thread = loaded.get(group)
      if (!thread || !isFree(thread, query)) continue
      if (thread.members.some((member) => matches(member, filter, isWanted))) threads.push(thread)
    }
  }
  const withBodies =
    query.select?.some((name) => ['latest_draft_or_message', 'snippet'].includes(name)) ?? true
  const items = await presentThreads(view, threads, { email, sent, drafts, withBodies })
  const last = rest[at - 1]
  return at < rest.length && last
    ? { items, nextCursor: encodeThreadCursor({ after: last.place, tops }) }
    : { items }
}

/** The filters of messages: the folder and the thread are looked at here. */
function messageQuery({ in: _in, threadId: _threadId, cursor: _cursor, ...query }: ThreadQuery) {
  return { ...query, fields: 'standard' } as const
}

/** What the server finds, and where; undefined: every message. */
async function rowFilter(
  view: MailboxView,
  covered: readonly CoveredFolder[],
  filter: MessageFilter,
  only: string | undefined,
): Promise<((row: IndexRow) => boolean) | undefined> {
  const { search } = filter
  if (!search) return only === undefined ? undefined : (row) => row.path === only
  const found = new Map<string, ReadonlySet<number>>()
  for (const { folder } of covered) {
    if ((only !== undefined && folder.path !== only) || folder.exists === 0) continue
    await ensureOpen(view.client, folder)
    found.set(folder.path, new Set(await searchByFilter(view.client, view.index, folder, filter)))
  }
  return (row) => found.get(row.path)?.has(row.uid) ?? false
}

function isInTime({ rows, place }: ThreadGroup, query: ThreadQuery): boolean {
  const earliest = rows.at(-1)?.date ?? place.date
  const latest = rows[0]?.date ?? place.date
  return (
    (query.latestMessageBefore === undefined || latest < query.latestMessageBefore) &&
    (query.latestMessageAfter === undefined || latest > query.latestMessageAfter) &&
    (query.earliestMessageDate === undefined || earliest >= query.earliestMessageDate)
  )
}

/** `false` is asked of the whole thread: none of its messages is so. */
function isFree({ members }: LoadedThread, { unread, starred, hasAttachment: wanted }: ThreadQuery): boolean {
  return !members.some(
    ({ message }) =>
      (unread === false && message.unread) ||
      (starred === false && message.starred) ||
      (wanted === false && hasAttachment(message.head)),
  )
}

function matches(
  { message, copies }: Member,
  filter: MessageFilter,
  isWanted: ((row: IndexRow) => boolean) | undefined,
): boolean {
  if (isWanted && !copies.some(isWanted)) return false
  const { head, unread, starred } = message
  const hasAttachments = hasAttachment(head)
  return filter.matches?.({ ...head, threadId: '', hasAttachments, unread, starred }) ?? true
}
