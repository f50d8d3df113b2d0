import type { FullMessage, RawMessage } from '../../contract/message.ts'
import type { MessageFindOptions } from '../../core/ports/mail.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import { type IndexRow, sorted } from './account-index.ts'
import { encodeFolderId } from './folder-id.ts'
import { listFolders } from './folders.ts'
import { type MailboxView, present, publicId } from './list-messages.ts'
import { decodePlaceId, type MessagePlace, publicMessageId } from './message-id.ts'
import { openFolder, type OpenedFolder } from './open-folder.ts'
import { searchUids } from './search-uids.ts'

/** Folders searched for a Message-ID, the likely ones first. */
const FOLDER_LIMIT = 200
const SEARCH_ORDER = ['\\Inbox', '\\All', '\\Sent', '\\Archive', '\\Drafts', '\\Trash', '\\Junk']

interface Found {
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
  if (options.sharedFrom !== undefined) {
    throw new ProviderError('unsupported', 'shared_from is not supported by this provider')
  }
  const place = decodePlaceId(id)
  const found = place ? await findPlace(view, place) : await findMessageId(view, id)
  const [first] = found.toSorted((a, b) => b.row.date - a.row.date)
  if (!first) throw notFound()
  const folder = await openFolder(view.client, first.folder.path)
  if (folder?.uidValidity !== first.folder.uidValidity) throw notFound()
  const heads = await view.content.heads(
    view.client,
    view.accountKey,
    folder,
    [first.row.uid],
    options.fields === 'include_headers',
  )
  const message = heads.get(first.row.uid)
  if (!message) throw notFound()
  const entry = {
    folder,
    message,
    id: publicId(view.index, first, message),
    date: first.row.date,
    folders: [...new Set(found.map((copy) => encodeFolderId(copy.folder.path)))],
  }
  const [item] = await present(view, [entry], options)
  if (!item) throw notFound()
  return item
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
    const uids = sorted(await view.client.search({ uid: String(copy.row.uid) }, { uid: true }))
    if (uids.includes(copy.row.uid)) there.push(copy)
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
  const found: Found[] = []
  for (const { path } of ordered) {
    const folder = await openFolder(view.client, path)
    if (!folder || folder.exists === 0) continue
    // Servers that can't search headers refuse: then it is not found (contract/email.md 14.2).
    const uids = await searchUids(view.client, folder, { header: { 'Message-ID': messageId } }).catch(
      ignoreRefusal,
    )
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

function ignoreRefusal(error: unknown): readonly number[] {
  if (error instanceof ProviderError && error.kind === 'invalid-request') return []
  throw error
}

function notFound(): ProviderError {
  return new ProviderError('not-found', 'message not found')
}
