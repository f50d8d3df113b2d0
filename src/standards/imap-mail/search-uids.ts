import type { SearchObject } from 'imapflow'
import { carriedOut } from '../../protocols/imap/carried-out.ts'
import type { ImapSession } from '../../protocols/imap/open-session.ts'
import { allOf } from './native-search.ts'
import type { OpenedFolder } from './open-folder.ts'

/**
 * UIDs that match, ascending; undefined searches for every message. Servers with a limit on messages per command
 * (Yahoo announces MESSAGELIMIT=1000, checked 2026-11) look at the newest ones only and say OK: there the folder
 * is searched in pieces.
 * @throws ProviderError `invalid-request` when the server refuses the search
 * @see RFC 9738 section 3
 */
export async function searchUids(
  client: ImapSession,
  folder: OpenedFolder,
  search: SearchObject | undefined,
  limit = messageLimit(client),
): Promise<readonly number[]> {
  const found: number[] = []
  for (let from = 1; from <= folder.exists; from += limit) {
    const isWhole = from === 1 && folder.exists <= limit
    const piece: SearchObject = { seq: `${from}:${Math.min(from + limit - 1, folder.exists)}` }
    const asked = isWhole ? (search ?? { all: true }) : search ? allOf([piece, search]) : piece
    const uids = await carriedOut(client, () => client.search(asked, { uid: true }))
    for (const uid of uids) found.push(uid)
  }
  return found.sort((a, b) => a - b)
}

/** Messages one command may touch on this server; imapflow keeps the capability as it was written. */
function messageLimit(client: ImapSession): number {
  for (const name of client.capabilities.keys()) {
    const limit = Number(/^MESSAGELIMIT=(\d+)$/.exec(name)?.[1] ?? 0)
    if (limit > 0) return limit
  }
  return Number.MAX_SAFE_INTEGER
}
