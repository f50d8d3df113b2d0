import { carriedOut } from '../../protocols/imap/carried-out.ts'
import { offers } from '../../protocols/imap/offers.ts'
import type { IndexRow } from './index-rows.ts'
import type { Found } from './find-message.ts'
import type { MailboxView } from './list-messages.ts'
import { openFolder, type OpenedFolder } from './open-folder.ts'
import { removeMessages } from './remove-messages.ts'
import { searchUids } from './search-uids.ts'

/** Of what arrived in the destination meanwhile, the newest are looked at. */
const ARRIVED_LIMIT = 200

/**
 * Moves a copy out of the folder that is open for changes: by MOVE, else by COPY and removal. Afterwards the
 * destination is open, for reading.
 *
 * @param target  the destination as it was before
 * @returns the copy at its new place; undefined where it can't be made out there
 * @throws ProviderError; when it does, the message is where it was, or in both folders
 * @see RFC 6851, RFC 4315 section 3
 */
export async function moveMessage(
  view: MailboxView,
  copy: Found,
  target: OpenedFolder,
): Promise<Found | undefined> {
  const { client } = view
  const { uid } = copy.row
  const range = String(uid)
  const hasMove = offers(client, 'MOVE')
  const copied = await carriedOut(client, () =>
    hasMove
      ? client.messageMove(range, target.path, { uid: true })
      : client.messageCopy(range, target.path, { uid: true }),
  )
  if (!hasMove) await removeMessages(client, copy.folder, [uid])
  const now = await openFolder(client, target.path)
  if (!now) return undefined
  const told = copied.uidMap?.get(uid)
  const place =
    (told === undefined ? undefined : await sameMail(view, now, copy.row, [told])) ??
    // No COPYUID, or one that names another message: it is among what has arrived.
    (await sameMail(view, now, copy.row, await arrivedSince(view, now, target)))
  if (place) view.moved.note(view.accountKey, placeOf(copy), placeOf(place))
  return place
}

async function arrivedSince(
  view: MailboxView,
  now: OpenedFolder,
  before: OpenedFolder,
): Promise<readonly number[]> {
  // Some servers tell no UIDNEXT; then any message may be it.
  const from = now.uidValidity === before.uidValidity ? before.uidNext || 1 : 1
  const uids = await searchUids(view.client, now, { uid: `${from}:*` })
  return uids.filter((uid) => uid >= from).slice(-ARRIVED_LIMIT)
}

/** The last of these messages that is the same mail. */
async function sameMail(
  view: MailboxView,
  folder: OpenedFolder,
  wanted: IndexRow,
  uids: readonly number[],
): Promise<Found | undefined> {
  const rows = await view.index.rows(view.client, folder, uids)
  const same = uids.map((uid) => rows.get(uid)).findLast((row) => row?.fingerprint === wanted.fingerprint)
  return same && { folder, row: same }
}

function placeOf({ folder, row }: Found) {
  return { path: folder.path, uidValidity: folder.uidValidity, uid: row.uid }
}
