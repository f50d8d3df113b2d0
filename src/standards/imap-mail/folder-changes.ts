import type { FolderCreateBody, FolderUpdateBody, FullFolder } from '../../contract/folder.ts'
import type { FolderChangesPort } from '../../core/ports/mail.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import type { ImapSession } from '../../protocols/imap/open-session.ts'
import { decodeFolderId } from './folder-id.ts'
import { type ListedFolder, listFolders, toWireFolder } from './folders.ts'
import type { InMailbox } from './in-mailbox.ts'
import { openFolder } from './open-folder.ts'

/**
 * Makes the port of folder changes. A folder's name is its whole path, as lists show it; with `parent_id` it is
 * the part below that folder. Colours are Google's and are left alone. @param changing  runs its work once
 */
export function createFolderChanges(changing: InMailbox): FolderChangesPort {
  return {
    create: (session, body) => changing(session, ({ client }) => createFolder(client, session.grantId, body)),
    update: (session, id, change) =>
      changing(session, ({ client }) => renameFolder(client, session.grantId, id, change)),
    delete: (session, id) => changing(session, ({ client }) => deleteFolder(client, id)),
  }
}

async function createFolder(
  client: ImapSession,
  grantId: string,
  body: FolderCreateBody,
): Promise<FullFolder> {
  const all = await listFolders(client, false)
  const parent = body.parent_id ? existing(all, body.parent_id, 'parent_id') : undefined
  const path = fullPath(client, all, parent, body.name)
  refuseTaken(all, path)
  const created = await client.mailboxCreate(path)
  if (!created.created) throw taken()
  return presentFolder(client, grantId, created.path)
}

async function renameFolder(
  client: ImapSession,
  grantId: string,
  id: string,
  change: FolderUpdateBody,
): Promise<FullFolder> {
  const all = await listFolders(client, false)
  const folder = existing(all, id)
  refuseSystem(folder, 'renamed')
  const path = newPath(client, all, folder, change)
  if (path === folder.path) return presentFolder(client, grantId, path)
  refuseTaken(all, path)
  const inside = all.filter((other) => isBelow(other.path, folder))
  if (isBelow(path, folder)) throw invalid('A folder can not be moved into itself.')
  await leave(client, folder.path)
  await client.mailboxRename(folder.path, path)
  // A server renames what is below, too, but subscriptions stay with the old names (RFC 9051 section 6.3.6).
  for (const { path: old } of [folder, ...inside]) {
    await client.mailboxSubscribe(path + old.slice(folder.path.length))
    await client.mailboxUnsubscribe(old)
  }
  return presentFolder(client, grantId, path)
}

async function deleteFolder(client: ImapSession, id: string): Promise<void> {
  const all = await listFolders(client, false)
  const folder = existing(all, id)
  refuseSystem(folder, 'deleted')
  // Some servers would refuse, some keep the name as an empty shell (RFC 9051 section 6.3.5).
  if (all.some((other) => isBelow(other.path, folder))) {
    throw invalid('The folder has folders below it: delete those first.')
  }
  await leave(client, folder.path)
  await client.mailboxDelete(folder.path)
  await client.mailboxUnsubscribe(folder.path)
}

/**
 * Creates a folder and subscribes to it; one that is there already is no error.
 * @returns its path, with the prefix of the user's own folders where the server has one
 */
export async function createFolderAt(client: ImapSession, path: string): Promise<string> {
  const created = await client.mailboxCreate(path)
  return created.path
}

/** The path of a new folder. */
function fullPath(
  client: ImapSession,
  all: readonly ListedFolder[],
  parent: ListedFolder | undefined,
  name: string,
): string {
  const separator = parent?.separator ?? separatorOf(client, all)
  if (parent && !separator) throw invalid('This mail server has no folders below folders.')
  const prefix = parent ? `${parent.path}${separator}` : (client.namespace?.prefix ?? '')
  // As lists show it the name has its prefix already.
  const path = name.startsWith(prefix) ? name : prefix + name
  checkPath(path, separator)
  return path
}

function newPath(
  client: ImapSession,
  all: readonly ListedFolder[],
  folder: ListedFolder,
  change: FolderUpdateBody,
): string {
  if (change.parent_id === undefined) {
    return change.name === undefined ? folder.path : fullPath(client, all, undefined, change.name)
  }
  const parent = change.parent_id === '' ? undefined : existing(all, change.parent_id, 'parent_id')
  const own = folder.parentPath === '' ? folder.path : folder.path.slice(folder.parentPath.length + 1)
  return fullPath(client, all, parent, change.name ?? own)
}

function separatorOf(client: ImapSession, all: readonly ListedFolder[]): string | undefined {
  return client.namespace?.delimiter || all.find((folder) => folder.separator)?.separator
}

/** @throws ProviderError `invalid-request` for a name no server takes, or that means several folders to LIST */
function checkPath(path: string, separator: string | undefined): void {
  const parts = separator ? path.split(separator) : [path]
  const hasControls = Array.from(path).some((character) => character < ' ' || character === '\x7f')
  if (hasControls || /[%*]/.test(path)) throw invalid('name must not hold control characters, % or *')
  if (parts.some((part) => part.trim() === '')) {
    throw invalid(`name must not be empty or blank${separator ? ` on any side of ${separator}` : ''}`)
  }
  if (Buffer.byteLength(path) > 1000) throw invalid('name is too long')
}

function existing(all: readonly ListedFolder[], id: string, field?: string): ListedFolder {
  const path = decodeFolderId(id)
  const folder = all.find((entry) => entry.path === path && (field !== undefined || entry.isSelectable))
  if (folder) return folder
  throw field === undefined
    ? new ProviderError('not-found', 'folder not found')
    : invalid(`${field} is not the id of a folder of this mailbox`)
}

function refuseSystem(folder: ListedFolder, verb: string): void {
  if (folder.attributes.length > 0 || folder.path.toUpperCase() === 'INBOX') {
    throw invalid(`A system folder can not be ${verb}.`)
  }
}

function refuseTaken(all: readonly ListedFolder[], path: string): void {
  const wanted = path.toUpperCase() === 'INBOX' ? 'INBOX' : path.normalize()
  if (all.some((folder) => folder.isSelectable && folder.path.normalize() === wanted)) {
    throw taken()
  }
}

function taken(): ProviderError {
  return new ProviderError('conflict', 'A folder of that name exists already.')
}

function isBelow(path: string, folder: ListedFolder): boolean {
  return folder.separator !== undefined && path.startsWith(folder.path + folder.separator)
}

/**
 * Opens INBOX for reading, so that the folder is not open here when it goes away. Without UNSELECT it could only be
 * closed, and CLOSE expunges.
 */
async function leave(client: ImapSession, path: string): Promise<void> {
  if (client.mailbox && client.mailbox.path === path) await openFolder(client, 'INBOX')
}

/** The folder as the server lists it now; it may have spelled the name its own way. */
async function presentFolder(client: ImapSession, grantId: string, path: string): Promise<FullFolder> {
  const all = (await listFolders(client, true)).filter((folder) => folder.isSelectable)
  const folder =
    all.find((entry) => entry.path === path) ??
    all.find((entry) => entry.path.normalize() === path.normalize())
  if (folder) return toWireFolder(folder, all, grantId)
  throw new ProviderError('malformed-response', 'The mail server does not list the folder it has made.')
}

function invalid(message: string): ProviderError {
  return new ProviderError('invalid-request', message)
}
