import type { FullMessage } from '../../contract/message.ts'
import type { DeleteOptions, MessageChange, MessageChangesPort } from '../../core/ports/mail.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import { carriedOut } from '../../protocols/imap/carried-out.ts'
import { type Found, findEntry, locateForChange, notFound } from './find-message.ts'
import { decodeFolderId } from './folder-id.ts'
import { createFolderAt } from './folder-changes.ts'
import { type ListedFolder, listFolders, refuseShared } from './folders.ts'
import type { InMailbox } from './in-mailbox.ts'
import { type MailboxView, present } from './list-messages.ts'
import { encodePlaceId } from './message-id.ts'
import { moveMessage } from './move-message.ts'
import { openFolder, openForChange, type OpenedFolder } from './open-folder.ts'
import { removeMessages } from './remove-messages.ts'

/** Folders that show messages of other folders: nothing is moved out of them that is elsewhere, too. */
const VIRTUAL = ['\\All', '\\Flagged', '\\Important']

/** Makes the port of message changes. @param changing  runs its work once, whatever happens */
export function createMessageChanges(changing: InMailbox): MessageChangesPort {
  return {
    update: (session, id, change) => changing(session, (view) => updateMessage(view, id, change)),
    delete: (session, id, options) => changing(session, (view) => deleteMessage(view, id, options)),
  }
}

/**
 * Changes every copy of a message: flags where they are, and with `folders` all of them go to the one folder named.
 * Copies are moved, never thrown away, since two mails may look alike from outside.
 *
 * @returns the message as the server shows it afterwards. A Message-ID stays its id; an `m.` id names the place, so
 *          that a move gives another one
 * @throws ProviderError `not-found`; `invalid-request` for other than one folder, or an unknown one
 */
export async function updateMessage(
  view: MailboxView,
  id: string,
  change: MessageChange,
): Promise<FullMessage> {
  refuseShared(change.sharedFrom)
  const target = change.folders && (await destination(view, change.folders))
  let current = id
  await eachCopy(view, id, async (copy, copies) => {
    await storeFlags(view, copy, change)
    if (!target || copy.folder.path === target.path) return
    if (copies.length > 1 && (await isVirtual(view, copy, copies))) return
    const place = await moveMessage(view, copy, target)
    if (place && id.startsWith('m.')) current = encodePlaceId({ ...place.folder, uid: place.row.uid })
  })
  const { entry } = await findEntry(view, current)
  const [message] = await present(view, [entry], { fields: 'standard' })
  if (!message || 'raw_mime' in message || !('subject' in message)) throw notFound()
  return message
}

/**
 * Moves every copy of a message into the trash; what is there already, or is to go for good, is removed.
 * @throws ProviderError `not-found`
 */
export async function deleteMessage(view: MailboxView, id: string, options: DeleteOptions): Promise<void> {
  refuseShared(options.sharedFrom)
  const { client } = view
  const folders = await listFolders(client, false)
  const listed = folders.find((folder) => folder.isSelectable && folder.attributes.includes('\\Trash'))
  // Gmail's folders are labels: only what is removed from the trash is really gone
  // (developers.google.com/workspace/gmail/imap/imap-extensions, checked 2026-11).
  const isLabelled = client.capabilities.has('X-GM-EXT-1') && listed !== undefined
  await eachCopy(view, id, async (copy, copies) => {
    const isInTrash = copy.folder.path === listed?.path
    const isLast = copies.every((other) => other.folder.path === listed?.path)
    if (isInTrash) {
      if (isLast || options.hard) await removeMessages(client, copy.folder, [copy.row.uid])
      return
    }
    if (copies.length > 1 && isShownElsewhere(copy, copies, folders)) return
    if (options.hard && !isLabelled) return removeMessages(client, copy.folder, [copy.row.uid])
    const trash = await trashFolder(view, listed)
    const again = await openForChange(client, copy.folder.path)
    if (again?.uidValidity !== copy.folder.uidValidity) return
    const place = await moveMessage(view, copy, trash)
    if (!options.hard || !place) return
    if (await openForChange(client, place.folder.path))
      await removeMessages(client, place.folder, [place.row.uid])
  })
}

/**
 * Runs `act` for each copy, with its folder open for changes. When a folder was made anew since it was looked up
 * (UIDVALIDITY), the copies are looked up once more.
 */
async function eachCopy(
  view: MailboxView,
  id: string,
  act: (copy: Found, copies: readonly Found[]) => Promise<void>,
): Promise<void> {
  for (let tries = 2; tries > 0; tries -= 1) {
    const copies = await locateForChange(view, id)
    let changed = 0
    for (const copy of copies) {
      const folder = await openForChange(view.client, copy.folder.path)
      if (folder?.uidValidity !== copy.folder.uidValidity) continue
      await act(copy, copies)
      changed += 1
    }
    if (changed > 0) return
  }
  throw notFound()
}

async function storeFlags(view: MailboxView, copy: Found, change: MessageChange): Promise<void> {
  const { client } = view
  const range = String(copy.row.uid)
  const options = { uid: true, silent: true }
  const wanted = [
    ['\\Seen', change.unread === undefined ? undefined : !change.unread],
    ['\\Flagged', change.starred],
  ] as const
  for (const [flag, isSet] of wanted) {
    if (isSet === undefined) continue
    await carriedOut(client, () =>
      isSet
        ? client.messageFlagsAdd(range, [flag], options)
        : client.messageFlagsRemove(range, [flag], options),
    )
  }
}

/** The one folder that `folders` names, as it is now. */
async function destination(view: MailboxView, ids: readonly string[]): Promise<OpenedFolder> {
  const [id] = ids
  if (ids.length !== 1 || id === undefined) {
    throw new ProviderError('invalid-request', 'folders must hold exactly one folder id for this provider')
  }
  const path = decodeFolderId(id)
  const folder = path === undefined ? undefined : await openFolder(view.client, path)
  if (!folder) throw new ProviderError('invalid-request', 'folders holds no id of a folder of this mailbox')
  return folder
}

async function isVirtual(view: MailboxView, copy: Found, copies: readonly Found[]): Promise<boolean> {
  return isShownElsewhere(copy, copies, await listFolders(view.client, false))
}

/** Whether a copy only shows up in a folder such as Gmail's All Mail, and a real one is there, too. */
function isShownElsewhere(copy: Found, copies: readonly Found[], folders: readonly ListedFolder[]): boolean {
  const isVirtualPath = (path: string) =>
    folders.some((folder) => folder.path === path && VIRTUAL.some((name) => folder.attributes.includes(name)))
  return isVirtualPath(copy.folder.path) && copies.some((other) => !isVirtualPath(other.folder.path))
}

/** The trash, made where the account has none. */
async function trashFolder(view: MailboxView, listed: ListedFolder | undefined): Promise<OpenedFolder> {
  const path = listed?.path ?? (await createFolderAt(view.client, 'Trash'))
  const folder = await openFolder(view.client, path)
  if (!folder) throw new ProviderError('unavailable', 'The trash of this mailbox can not be opened.')
  return folder
}
