import type { FullThread } from '../../contract/thread.ts'
import type { GrantSession } from '../../core/ports/grant-session.ts'
import type { InMailbox as InSharedMailbox, MessageChange, ThreadsPort } from '../../core/ports/mail.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import { decodeFolderId } from './folder-id.ts'
import { listFolders, refuseShared } from './folders.ts'
import type { InMailbox } from './in-mailbox.ts'
import type { IndexRow } from './index-rows.ts'
import { coveredFolders, type MailboxView } from './list-messages.ts'
import { listThreads } from './list-threads.ts'
import { deleteMessage, updateMessage } from './message-changes.ts'
import { naming } from './message-filter.ts'
import { rootOfThread } from './message-id.ts'
import { openFolder, type OpenedFolder } from './open-folder.ts'
import { ignoreRefusal } from './find-message.ts'
import { searchUids } from './search-uids.ts'
import { coverFolders, groupThreads } from './thread-groups.ts'
import { type LoadedThread, loadThreads, type Member, presentThreads } from './thread-to-wire.ts'

/** Folders that are searched for a thread nobody has seen. */
const FOLDER_LIMIT = 200

/**
 * Makes the threads port: messages that name each other in References and In-Reply-To.
 * @param changing  runs its work once, whatever happens
 */
export function createThreads(inMailbox: InMailbox, changing: InMailbox): ThreadsPort {
  return {
    list: (session, query) => inMailbox(session, (view) => listThreads(view, query, session.email)),
    find: (session, id, options) => inMailbox(session, (view) => findThread(view, session, id, options)),
    update: (session, id, change) => changing(session, (view) => updateThread(view, session, id, change)),
    delete: (session, id, options) => changing(session, (view) => deleteThread(view, session, id, options)),
  }
}

async function findThread(
  view: MailboxView,
  session: GrantSession,
  id: string,
  options: InSharedMailbox,
): Promise<FullThread> {
  refuseShared(options.sharedFrom)
  const thread = await locateThread(view, id)
  const folders = await coveredFolders(view)
  const context = { ...folders, email: session.email, withBodies: true }
  const [shown] = await presentThreads(view, [thread], context)
  if (!shown) throw notFound()
  return shown
}

/** @throws ProviderError `not-found`; what the change of a message throws */
async function updateThread(
  view: MailboxView,
  session: GrantSession,
  id: string,
  change: MessageChange,
): Promise<FullThread> {
  refuseShared(change.sharedFrom)
  const { members } = await locateThread(view, id)
  const { drafts } = await coveredFolders(view)
  await eachMember(members, (member) => {
    const isDraft = member.message.draft || member.copies.some((copy) => copy.path === drafts)
    // A draft that leaves its folder is a draft no more.
    const { folders: _folders, ...flags } = change
    return updateMessage(view, member.id, isDraft ? flags : change)
  })
  await learnFolders(view, change.folders ?? [])
  return findThread(view, session, id, {})
}

async function deleteThread(
  view: MailboxView,
  _session: GrantSession,
  id: string,
  options: InSharedMailbox,
): Promise<void> {
  refuseShared(options.sharedFrom)
  const { members } = await locateThread(view, id)
  const trash = (await listFolders(view.client, false)).find((folder) =>
    folder.attributes.includes('\\Trash'),
  )
  // What is in the trash already stays there: deleting it again would be for good.
  const outside = members.filter(({ copies }) => copies.some((copy) => copy.path !== trash?.path))
  await eachMember(outside, (member) => deleteMessage(view, member.id, { hard: false }))
}

/** Does it for each message, oldest first; one that is gone meanwhile needs nothing. */
async function eachMember(
  members: readonly Member[],
  act: (member: Member) => Promise<unknown>,
): Promise<void> {
  for (const member of members.toReversed()) {
    try {
      await act(member)
    } catch (error) {
      if (!(error instanceof ProviderError) || error.kind !== 'not-found') throw error
    }
  }
}

/** Looks at the newest messages of folders that messages were moved to. */
async function learnFolders(view: MailboxView, folderIds: readonly string[]): Promise<void> {
  const paths = folderIds.flatMap((id) => decodeFolderId(id) ?? [])
  if (paths.length > 0) await coverFolders(view, paths)
}

/**
 * Finds the messages of a thread: in the folders of a list without `in`, the drafts, and wherever this account's index
 * knows some of it; what the index doesn't reach is searched for.
 * @throws ProviderError `not-found`
 */
async function locateThread(view: MailboxView, id: string): Promise<LoadedThread> {
  const { index } = view
  const key = index.keyOfThread(id)
  if (key === undefined) throw notFound()
  const { listed, drafts } = await coveredFolders(view)
  const seen = index.rowsOfThread(key).map((row) => row.path)
  const covered = await coverFolders(view, [...listed, ...(drafts === undefined ? [] : [drafts]), ...seen])
  const folders = new Map(covered.map(({ folder }) => [folder.path, folder]))
  const group = groupThreads(index, covered, []).find((other) => other.key === index.keyOfThread(id))
  const rows = new Set(group?.rows)
  const beyond = group ? covered.filter((folder) => folder.isCut).map(({ folder }) => folder.path) : undefined
  for (const { folder, row } of await searchThread(view, id, beyond)) {
    folders.set(folder.path, folder)
    rows.add(row)
  }
  const thread = { rows: [...rows].sort((a, b) => b.date - a.date) }
  const loaded = (await loadThreads(view, folders, [thread])).get(thread)
  if (!loaded) throw notFound()
  return loaded
}

/** Searches for messages that name the root of a thread. @param paths  default: every folder */
async function searchThread(
  view: MailboxView,
  id: string,
  paths: readonly string[] | undefined,
): Promise<readonly { readonly folder: OpenedFolder; readonly row: IndexRow }[]> {
  const root = rootOfThread(id)
  if (root === undefined || paths?.length === 0) return []
  const folders = paths ?? (await selectablePaths(view))
  const found: { folder: OpenedFolder; row: IndexRow }[] = []
  for (const path of folders) {
    const folder = await openFolder(view.client, path)
    if (!folder || folder.exists === 0) continue
    // Servers that can't search headers refuse: then it is not found (contract/email.md 14.2).
    const uids = await searchUids(view.client, folder, { or: naming(root) }).catch(ignoreRefusal)
    const rows = await view.index.rows(view.client, folder, uids)
    for (const uid of uids) {
      const row = rows.get(uid)
      // The search takes parts of ids, too.
      if (row && view.index.threadKey(row) === view.index.keyOfThread(id)) found.push({ folder, row })
    }
  }
  return found
}

async function selectablePaths({ client }: MailboxView): Promise<readonly string[]> {
  const folders = (await listFolders(client, false)).filter((folder) => folder.isSelectable)
  return folders.slice(0, FOLDER_LIMIT).map((folder) => folder.path)
}

function notFound(): ProviderError {
  return new ProviderError('not-found', 'thread not found')
}
