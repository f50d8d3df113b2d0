import type { IndexRow } from './index-rows.ts'
import type { MailboxView, PageEntry } from './list-messages.ts'
import type { ThreadMembers } from './message-filter.ts'
import { digestOf, rootOf, rootOfThread } from './message-id.ts'
import { openFolder } from './open-folder.ts'
import { threadHeadersOf, threadOf } from './to-wire.ts'

/** Roots of one thread that are searched for, at most. */
const ROOTS_LIMIT = 20

/**
 * Thread ids of messages whose thread was merged: that of the thread's oldest message. A message that is missing here
 * has the id that its own root gives.
 */
export async function mergedThreads(
  view: MailboxView,
  entries: readonly PageEntry[],
): Promise<ReadonlyMap<PageEntry, string>> {
  const ids = new Map<PageEntry, string>()
  const { threadIds } = view.index
  for (const entry of entries) {
    const root = view.index.threadRoot(entry.row)
    if (root === entry.row.root) continue
    const id = threadIds.get(root) ?? (await threadIdOfRoot(view, entry.row, root))
    if (id === undefined) continue
    threadIds.set(root, id)
    ids.set(entry, id)
  }
  return ids
}

/** Reads the thread id from a message that names that root. */
async function threadIdOfRoot(view: MailboxView, row: IndexRow, root: string): Promise<string | undefined> {
  const key = view.index.threadKey(row)
  for (const naming of view.index.rowsOfThread(key).filter((other) => other.root === root)) {
    const head = await headOf(view, naming)
    if (head) return threadOf(head, '')
  }
  return undefined
}

async function headOf(view: MailboxView, row: IndexRow) {
  const folder = await openFolder(view.client, row.path)
  if (!folder || view.index.known(folder).get(row.uid) !== row) return undefined
  const heads = await view.content.heads(view.client, view.accountKey, folder, [row.uid], false)
  return heads.get(row.uid)?.head
}

/** What a list of one thread's messages looks for: every root that its known messages name. */
export async function threadRoots(
  view: MailboxView,
  threadId: string | undefined,
): Promise<ThreadMembers | undefined> {
  const key = threadId === undefined ? undefined : view.index.keyOfThread(threadId)
  if (threadId === undefined || key === undefined) return undefined
  const own = rootOfThread(threadId)
  const roots = new Map<string, string>(own === undefined ? [] : [[digestOf(own), own]])
  for (const row of view.index.rowsOfThread(key)) {
    if (roots.size >= ROOTS_LIMIT) break
    if (roots.has(row.root)) continue
    const head = await headOf(view, row)
    const root = head && rootOf(threadHeadersOf(head))
    if (root !== undefined) roots.set(row.root, root)
  }
  return {
    id: threadId,
    // A hash can't be searched for: every message is looked at.
    roots: own === undefined ? [] : [...roots.values()],
    includes: (index, row) => index.threadKey(row) === index.keyOfThread(threadId),
  }
}
