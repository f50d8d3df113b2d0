import type { FullMessage, RawMessage } from '../../contract/message.ts'
import type { MessageFindOptions } from '../../core/ports/mail.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import { sorted } from './account-index.ts'
import type { IndexRow } from './index-rows.ts'
import { encodeFolderId } from './folder-id.ts'
import { listFolders, refuseShared } from './folders.ts'
import { coveredFolders, type MailboxView, type PageEntry, present, publicId } from './list-messages.ts'
import { decodePlaceId, type MessagePlace, publicMessageId } from './message-id.ts'
import { openFolder, type OpenedFolder } from './open-folder.ts'
import { searchUids } from './search-uids.ts'

/** Folders searched for a Message-ID, the likely ones first. */
const FOLDER_LIMIT = 200
const SEARCH_ORDER = ['\\Inbox', '\\All', '\\Sent', '\\Archive', '\\Drafts', '\\Trash', '\\Junk']

/** A copy of a message. */
export interface Found {
  readonly folder: OpenedFolder
  readonly row: IndexRow
}

/**
 * Finds a message by its public id: a Message-ID with or without brackets, or an `m.` id.
 * @throws ProviderError `not-found`
 */
export async function findMessage(
  view: MailboxView,
  id: string,
  options: MessageFindOptions,
): Promise<FullMessage | RawMessage> {
  refuseShared(options.sharedFrom)
  const { entry } = await findEntry(view, id, options.fields === 'include_headers')
  const [item] = await present(view, [entry], options)
  if (!item) throw notFound()
  return item
}

/**
 * Finds a message and loads its head; its folder is open then.
 * @throws ProviderError `not-found`, also for one that is marked as deleted
 */
export async function findEntry(
  view: MailboxView,
  id: string,
  withAllHeaders = false,
): Promise<{ readonly entry: PageEntry; readonly copies: readonly Found[] }> {
  const copies = (await locateMessage(view, id)).toSorted((a, b) => b.row.date - a.row.date)
  const [first] = copies
  if (!first) throw notFound()
  const folder = await openFolder(view.client, first.folder.path)
  if (folder?.uidValidity !== first.folder.uidValidity) throw notFound()
  const heads = await view.content.heads(
    view.client,
    view.accountKey,
    folder,
    [first.row.uid],
    withAllHeaders,
  )
  const message = heads.get(first.row.uid)
  if (!message || message.deleted) throw notFound()
  const entry = {
    folder,
    message,
    row: first.row,
    id: publicId(view.index, first, message),
    date: first.row.date,
    folders: [...new Set(copies.map((copy) => encodeFolderId(copy.folder.path)))],
  }
  return { entry, copies }
}

/** The copies of a message that are not marked as deleted; those this process knows, else those a search finds. */
export async function locateMessage(view: MailboxView, id: string): Promise<readonly Found[]> {
  const place = decodePlaceId(id)
  return place ? findPlace(view, view.moved.follow(view.accountKey, place)) : findMessageId(view, id)
}

/**
 * As `locateMessage`, and looks into the folders of a list without `in` besides: a change is for every copy. Copies
 * in other folders are known once they were listed or searched for.
 */
export async function locateForChange(view: MailboxView, id: string): Promise<readonly Found[]> {
  const copies = await locateMessage(view, id)
  const messageId = decodePlaceId(id) ? undefined : publicMessageId(id.startsWith('<') ? id : `<${id}>`)
  if (messageId === undefined || copies.length === 0) return copies
  const paths = (await coveredFolders(view)).listed
  const others = paths.filter((path) => !copies.some((copy) => copy.folder.path === path))
  return [...copies, ...holdersOf(view, await searchIn(view, messageId, others))]
}

async function findPlace(view: MailboxView, place: MessagePlace): Promise<readonly Found[]> {
  const folder = await openFolder(view.client, place.path)
  if (folder?.uidValidity !== place.uidValidity) return []
  return rowsOf(view, folder, [place.uid])
}

/** First where this process has seen it, then by a search in every folder. */
async function findMessageId(view: MailboxView, id: string): Promise<readonly Found[]> {
  const messageId = publicMessageId(id.startsWith('<') ? id : `<${id}>`)
  if (messageId === undefined) return []
  const seen: Found[] = []
  for (const place of view.index.places(messageId)) seen.push(...(await findPlace(view, place)))
  const known = holdersOf(view, await stillThere(view, seen))
  return known.length > 0 ? known : holdersOf(view, await searchEverywhere(view, messageId))
}

/** Of several mails that claim the id, those that hold it. */
function holdersOf(view: MailboxView, found: readonly Found[]): readonly Found[] {
  return found.filter(({ row }) => view.index.holdsId(row))
}

/** Rows are remembered: asks whether the messages are still there. */
async function stillThere(view: MailboxView, found: readonly Found[]): Promise<readonly Found[]> {
  const there: Found[] = []
  for (const copy of found) {
    if (!(await openFolder(view.client, copy.folder.path))) continue
    const uids = sorted(
      await view.client.search({ uid: String(copy.row.uid), deleted: false }, { uid: true }),
    )
    if (uids.includes(copy.row.uid)) there.push(copy)
    else view.index.noteGone(copy.folder, copy.row.uid)
  }
  return there
}

async function searchEverywhere(view: MailboxView, messageId: string): Promise<readonly Found[]> {
  const folders = (await listFolders(view.client, false)).filter((folder) => folder.isSelectable)
  const rank = (attributes: readonly string[]) => {
    const at = SEARCH_ORDER.findIndex((attribute) => attributes.includes(attribute))
    return at === -1 ? SEARCH_ORDER.length : at
  }
  const ordered = folders.toSorted((a, b) => rank(a.attributes) - rank(b.attributes)).slice(0, FOLDER_LIMIT)
  return searchIn(
    view,
    messageId,
    ordered.map(({ path }) => path),
  )
}

async function searchIn(
  view: MailboxView,
  messageId: string,
  paths: readonly string[],
): Promise<readonly Found[]> {
  const found: Found[] = []
  for (const path of paths) {
    const folder = await openFolder(view.client, path)
    if (!folder || folder.exists === 0) continue
    // Servers that can't search headers refuse: then it is not found (contract/email.md 14.2).
    const search = { header: { 'Message-ID': messageId }, deleted: false }
    const uids = await searchUids(view.client, folder, search).catch(ignoreRefusal)
    const digest = view.index.digestOf(messageId)
    found.push(...(await rowsOf(view, folder, uids)).filter(({ row }) => row.idDigest === digest))
  }
  return found
}

async function rowsOf(
  view: MailboxView,
  folder: OpenedFolder,
  uids: readonly number[],
): Promise<readonly Found[]> {
  if (uids.length === 0) return []
  const rows = await view.index.rows(view.client, folder, uids)
  return uids.flatMap((uid) => {
    const row = rows.get(uid)
    return row ? [{ folder, row }] : []
  })
}

export function ignoreRefusal(error: unknown): readonly number[] {
  if (error instanceof ProviderError && ['invalid-request', 'unsupported'].includes(error.kind)) return []
  throw error
}

export function notFound(): ProviderError {
  return new ProviderError('not-found', 'message not found')
}
