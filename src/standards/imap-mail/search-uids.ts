import type { SearchObject } from 'imapflow'
import { ProviderError } from '../../kit/provider-error.ts'
import { carriedOut } from '../../protocols/imap/carried-out.ts'
import type { ImapSession } from '../../protocols/imap/open-session.ts'
import type { AccountIndex } from './account-index.ts'
import type { MessageFilter } from './message-filter.ts'
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

/**
 * As `searchUids`, by the filter of a list. A server that searches for ASCII only (Exchange and Office 365 answer
 * BADCHARSET to anything else; public reports, checked 2026-11) is asked for what of the filter is ASCII.
 *
 * @param bound  what must hold besides
 */
export async function searchByFilter(
  client: ImapSession,
  index: AccountIndex,
  folder: OpenedFolder,
  { search, asciiSearch }: MessageFilter,
  bound?: SearchObject,
): Promise<readonly number[]> {
  const within = (asked: SearchObject | undefined) =>
    asked && bound ? allOf([asked, bound]) : (asked ?? bound)
  if (asciiSearch && index.searchesAsciiOnly) return searchUids(client, folder, within(asciiSearch.search))
  try {
    return await searchUids(client, folder, within(search))
  } catch (error) {
    if (!asciiSearch || !isCharsetRefusal(error)) throw error
    index.searchesAsciiOnly = true
    return searchUids(client, folder, within(asciiSearch.search))
  }
}

function isCharsetRefusal(error: unknown): boolean {
  return error instanceof ProviderError && error.details.providerCode === 'BADCHARSET'
}

/** Messages one command may touch on this server; imapflow keeps the capability as it was written. */
function messageLimit(client: ImapSession): number {
  for (const name of client.capabilities.keys()) {
    const limit = Number(/^MESSAGELIMIT=(\d+)$/.exec(name)?.[1] ?? 0)
    if (limit > 0) return limit
  }
  return Number.MAX_SAFE_INTEGER
}
