import type { FullFolder } from '../../contract/folder.ts'
import { FOLDER_NAME_ATTRIBUTES } from '../../contract/folder.ts'
import type { GrantSession } from '../../core/ports/grant-session.ts'
import type { FolderQuery, FoldersPort, Page } from '../../core/ports/mail.ts'
import { isJsonObject, parseJson } from '../../kit/json.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import type { ImapSession } from '../../protocols/imap/open-session.ts'
import { decodeFolderId, encodeFolderId } from './folder-id.ts'
import type { InMailbox } from './in-mailbox.ts'

/** A folder as the server lists it, its purpose worked out. */
export interface ListedFolder {
  readonly path: string
  readonly parentPath: string
  readonly attributes: readonly string[]
  readonly isSelectable: boolean
  /** what separates the levels of its path; absent where the server has no levels */
  readonly separator?: string | undefined
  readonly total?: number | undefined
  readonly unread?: number | undefined
}

/** Attributes that tell a folder's purpose; others (\HasChildren …) are the protocol's own. */
const PURPOSES = new Set(
  [
    '\\Inbox',
    '\\All',
    '\\Archive',
    '\\Drafts',
    '\\Flagged',
    '\\Important',
    '\\Junk',
    '\\Sent',
    '\\Trash',
  ].map((name) => name.toLowerCase()),
)
const ORDER = [
  '\\Inbox',
  '\\Flagged',
  '\\Important',
  '\\Sent',
  '\\Drafts',
  '\\All',
  '\\Archive',
  '\\Junk',
  '\\Trash',
]

/**
 * Lists every folder with its purpose: SPECIAL-USE where the server says it, else by name. imapflow knows the
 * names in many languages; the documented English ones fill what is left.
 * @see RFC 6154, RFC 5819; contract/email.md 7.3
 */
export async function listFolders(
  client: ImapSession,
  withCounts: boolean,
): Promise<readonly ListedFolder[]> {
  const listed = await client.list(withCounts ? { statusQuery: { messages: true, unseen: true } } : {})
  const folders = listed.map((entry) => {
    const flags = [...entry.flags]
    const purposes = flags.filter((flag) => PURPOSES.has(flag.toLowerCase()))
    if (entry.specialUse && !purposes.includes(entry.specialUse)) purposes.push(entry.specialUse)
    return {
      path: entry.path,
      parentPath: entry.parentPath,
      name: entry.name,
      attributes: purposes,
      separator: entry.delimiter || undefined,
      isSelectable: !flags.some((flag) => /^\\no(select|nexistent)$/i.test(flag)),
      total: entry.status?.messages,
      unread: entry.status?.unseen,
    }
  })
  for (const [attribute, names] of FOLDER_NAME_ATTRIBUTES) {
    if (folders.some((folder) => folder.attributes.includes(attribute))) continue
    folders
      .find((folder) => folder.attributes.length === 0 && names.includes(folder.name.toLowerCase()))
      ?.attributes.push(attribute)
  }
  return folders
}

/** Makes the folders port. `parent_id` is honoured; hidden folders and single levels are Microsoft's. */
export function createFolders(inMailbox: InMailbox): FoldersPort {
  const listAll = async (session: GrantSession) => {
    const folders = await inMailbox(session, ({ client }) => listFolders(client, true))
    return folders.filter((folder) => folder.isSelectable)
  }
  return {
    async list(session, query) {
      refuseShared(query.sharedFrom)
      const all = await listAll(session)
      const wire = all.map((folder) => ({ folder, wire: toWireFolder(folder, all, session.grantId) }))
      const wanted = wire
        .filter((entry) => query.parentId === undefined || entry.wire.parent_id === query.parentId)
        .map((entry) => ({ key: sortKey(entry.folder), wire: entry.wire }))
        .toSorted((a, b) => compareKeys(a.key, b.key))
      return pageOf(wanted, query)
    },
    async find(session, id, options) {
      refuseShared(options.sharedFrom)
      const path = decodeFolderId(id)
      const all = path === undefined ? [] : await listAll(session)
      const folder = all.find((entry) => entry.path === path)
      if (!folder) throw new ProviderError('not-found', 'folder not found')
      return toWireFolder(folder, all, session.grantId)
    },
  }
}

/** Puts a wire folder together. @param all  every selectable folder of the mailbox */
export function toWireFolder(
  folder: ListedFolder,
  all: readonly ListedFolder[],
  grantId: string,
): FullFolder {
  const hasParent = all.some((other) => other.path === folder.parentPath)
  return {
    id: encodeFolderId(folder.path),
    grant_id: grantId,
    object: 'folder',
    name: folder.path,
    ...(hasParent ? { parent_id: encodeFolderId(folder.parentPath) } : {}),
    child_count: all.filter((other) => other.parentPath === folder.path).length,
    system_folder: folder.attributes.length > 0,
    ...(folder.total === undefined ? {} : { total_count: folder.total }),
    ...(folder.unread === undefined ? {} : { unread_count: folder.unread }),
    attributes: [...folder.attributes],
  }
}

type SortKey = readonly [rank: number, path: string]

function sortKey(folder: ListedFolder): SortKey {
  const rank = ORDER.findIndex((attribute) => folder.attributes.includes(attribute))
  return [rank === -1 ? ORDER.length : rank, folder.path]
}

function compareKeys(a: SortKey, b: SortKey): number {
  if (a[0] !== b[0]) return a[0] - b[0]
  return a[1] < b[1] ? -1 : a[1] > b[1] ? 1 : 0
}

/** The cursor is the last folder's place in the order, so that a folder that goes away skips nothing. */
function pageOf(
  folders: readonly { readonly key: SortKey; readonly wire: FullFolder }[],
  query: FolderQuery,
): Page<FullFolder> {
  const after = query.cursor === undefined ? undefined : decodeCursor(query.cursor)
  const rest = after ? folders.filter((entry) => compareKeys(entry.key, after) > 0) : folders
  const page = rest.slice(0, query.limit)
  const last = page.at(-1)
  return {
    items: page.map((entry) => entry.wire),
    ...(last && rest.length > page.length
      ? { nextCursor: Buffer.from(JSON.stringify({ after: last.key })).toString('base64url') }
      : {}),
  }
}

function decodeCursor(cursor: string): SortKey {
  const value = parseJson(Buffer.from(cursor, 'base64url').toString('utf8'))
  const after = isJsonObject(value) ? value['after'] : undefined
  if (Array.isArray(after) && typeof after[0] === 'number' && typeof after[1] === 'string') {
    return [after[0], after[1]]
  }
  throw new ProviderError('invalid-request', 'page_token is not valid')
}

/** @throws ProviderError `unsupported`: shared mailboxes are Microsoft's */
export function refuseShared(sharedFrom: string | undefined): void {
  if (sharedFrom !== undefined) {
    throw new ProviderError('unsupported', 'shared_from is not supported by this provider')
  }
}
