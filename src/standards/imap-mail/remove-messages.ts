import { carriedOut } from '../../protocols/imap/carried-out.ts'
import { offers } from '../../protocols/imap/offers.ts'
import type { ImapSession } from '../../protocols/imap/open-session.ts'
import { uidSet } from './uid-set.ts'
import { openForChange, type OpenedFolder } from './open-folder.ts'
import { searchUids } from './search-uids.ts'

/**
 * Removes messages of the folder that is open for changes, for good; none but these. Plain EXPUNGE removes whatever
 * any client has marked as deleted, so on servers without UIDPLUS it is sent only where nothing else is marked.
 * Otherwise the messages stay behind, marked as deleted: this server shows them to nobody any more, and the next
 * client that expunges removes them.
 *
 * @throws ProviderError. Idempotent; UIDs that are gone are no error.
 * @see RFC 4315 section 2.1, RFC 9051 section 6.4.3
 */
export async function removeMessages(
  client: ImapSession,
  folder: OpenedFolder,
  uids: readonly number[],
): Promise<void> {
  if (uids.length === 0) return
  const set = uidSet(uids)
  if (!offers(client, 'UIDPLUS')) {
    await carriedOut(client, () => client.messageFlagsAdd(set, ['\\Deleted'], { uid: true, silent: true }))
    // Opened anew: the count of messages is that of now.
    const now = await openForChange(client, folder.path)
    if (now?.uidValidity !== folder.uidValidity) return
    const marked = await searchUids(client, now, { deleted: true })
    if (marked.some((uid) => !uids.includes(uid))) return
  }
  await carriedOut(client, () => client.messageDelete(set, { uid: true }))
}
