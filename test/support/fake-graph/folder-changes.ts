import { folderShape, graphError, type GraphReply, malformedId, notFound } from './graph-mail.ts'
import type { FakeFolder, FakeMailbox } from './seed.ts'

export interface ChangeRequest {
  readonly method: string
  /** below the user */
  readonly path: readonly string[]
  readonly url: URL
  readonly json: Record<string, unknown>
  /** a source, where the body is text/plain */
  readonly mime?: string
  readonly bytes: number
}

let made = 0
export const newId = (kind: string) => `AAMk${kind}-${String((made += 1)).padStart(5, '0')}=`

export function folderOf(mailbox: FakeMailbox, idOrName: string): FakeFolder | undefined {
  return mailbox.folders.find(({ id, wellKnown }) => id === idOrName || wellKnown === idOrName.toLowerCase())
}

/** Answers a write on folders. */
export function changeFolder(mailbox: FakeMailbox, { method, path, json }: ChangeRequest): GraphReply {
  const [, id, below] = path
  const folder = id === undefined ? undefined : folderOf(mailbox, id)
  if (id !== undefined && !folder) return id.startsWith('AAMk') ? notFound() : malformedId()
  const name = String(json['displayName'])
  const siblings = (parent: string) =>
    mailbox.folders
      .filter((one) => one.parentFolderId === parent && one.id !== folder?.id)
      .map((one) => one.displayName)
  const exists = () =>
    graphError(409, 'ErrorFolderExists', 'A folder with the specified name already exists.')
  if (!folder || below === 'childFolders') {
    const parentFolderId = folder?.id ?? 'AAMkRoot-0000='
    const taken = mailbox.folders.some(
      (one) => one.parentFolderId === parentFolderId && one.displayName === name,
    )
    if (taken) return exists()
    const made: FakeFolder = { id: newId('Folder'), displayName: name, parentFolderId }
    mailbox.folders.push(made)
    return { status: 201, body: folderShape(mailbox, made) }
  }
  const at = mailbox.folders.indexOf(folder)
  if (folder.wellKnown !== undefined) {
    const code = method === 'DELETE' ? 'ErrorDeleteDistinguishedFolder' : 'ErrorMoveDistinguishedFolder'
    return graphError(400, code, 'A distinguished folder cannot be changed.')
  }
  if (method === 'DELETE') {
    mailbox.folders.splice(at, 1)
    for (let one = mailbox.messages.length - 1; one >= 0; one -= 1) {
      if (mailbox.messages[one]?.parentFolderId === folder.id) mailbox.messages.splice(one, 1)
    }
    return { status: 204, body: '' }
  }
  const parent =
    below === 'move' ? folderOf(mailbox, String(json['destinationId'] ?? json['DestinationId'])) : undefined
  if (below === 'move' && !parent) return graphError(404, 'ErrorFolderNotFound', 'No such folder.')
  const next: FakeFolder = parent
    ? { ...folder, parentFolderId: parent.id }
    : { ...folder, displayName: name }
  if (siblings(next.parentFolderId).includes(next.displayName)) return exists()
  mailbox.folders[at] = next
  return { status: parent ? 201 : 200, body: folderShape(mailbox, next) }
}
