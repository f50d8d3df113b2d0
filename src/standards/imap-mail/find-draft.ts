import type { FullDraft, FullMessage } from '../../contract/message.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import type { Found } from './find-message.ts'
import { encodeFolderId } from './folder-id.ts'
import type { IndexRow } from './index-rows.ts'
import { type MailboxView, present, publicId } from './list-messages.ts'
import { decodePlaceId, publicMessageId } from './message-id.ts'
import type { OpenedFolder } from './open-folder.ts'
import { searchUids } from './search-uids.ts'

/** The folder of drafts, open for reading, and the drafts in it, oldest first. */
export interface DraftsFolder {
  readonly folder: OpenedFolder
  readonly rows: readonly IndexRow[]
}

/**
 * Looks into the folder of drafts, and settles which of them hold their Message-IDs: of several versions of one
 * draft it is the newest. Those before it are gone, or left behind by whoever was stopped between storing the one and
 * removing the other.
 * @returns undefined where there is no such folder
 */
export async function openDrafts(view: MailboxView): Promise<DraftsFolder | undefined> {
  const { client, index } = view
  const folder = await view.special.open(client, view.accountKey, '\\Drafts')
  if (!folder) return undefined
  const uids = folder.exists === 0 ? [] : await searchUids(client, folder, { deleted: false })
  const known = await index.rows(client, folder, uids)
  index.noteThere(folder, uids)
  const rows = uids.flatMap((uid) => known.get(uid) ?? [])
  const latest = new Map<string, IndexRow>()
  for (const row of rows) {
    if (row.idDigest === '') continue
    const older = latest.get(row.idDigest)
    if (older) index.handOver(older, row)
    latest.set(row.idDigest, row)
  }
  // Decided before messages that are marked as deleted are seen again.
  for (const row of latest.values()) index.holdsId(row)
  return { folder, rows }
}

/**
 * Finds a draft by its public id. The folder of drafts is open then.
 * @throws ProviderError `not-found`, also for a message that is in another folder
 */
export async function locateDraft(view: MailboxView, id: string): Promise<Found> {
  const drafts = await openDrafts(view)
  const row = drafts && rowOf(view, drafts, id)
  if (!row) throw notFound()
  return { folder: drafts.folder, row }
}

function rowOf(view: MailboxView, { folder, rows }: DraftsFolder, id: string): IndexRow | undefined {
  const { index } = view
  const named = decodePlaceId(id)
  if (named) {
    const place = view.moved.follow(view.accountKey, named)
    const isHere = place.path === folder.path && place.uidValidity === folder.uidValidity
    return isHere ? rows.find((row) => row.uid === place.uid) : undefined
  }
  const messageId = publicMessageId(id.startsWith('<') ? id : `<${id}>`)
  if (messageId === undefined) return undefined
  const digest = index.digestOf(messageId)
  const row = rows.findLast((other) => other.idDigest === digest)
  return row && index.holdsId(row) ? row : undefined
}

/** Gives a draft its wire form. @throws ProviderError `not-found` when it is gone meanwhile */
export async function presentDraft(view: MailboxView, found: Found): Promise<FullDraft> {
  const { folder, row } = found
  const heads = await view.content.heads(view.client, view.accountKey, folder, [row.uid], false)
  const message = heads.get(row.uid)
  if (!message || message.deleted) throw notFound()
  const entry = {
    folder,
    message,
    row,
    id: publicId(view.index, found, message),
    date: row.date,
    folders: [encodeFolderId(folder.path)],
  }
  const [item] = await present(view, [entry], { fields: 'standard' })
  if (!item || !('subject' in item)) throw notFound()
  return toDraft(item)
}

/** A message in the form of a draft. */
export function toDraft(message: FullMessage): FullDraft {
  return { ...message, object: 'draft', unread: false }
}

export function notFound(): ProviderError {
  return new ProviderError('not-found', 'draft not found')
}
