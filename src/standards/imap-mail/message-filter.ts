import type { SearchObject } from 'imapflow'
import type { MessageQuery } from '../../core/ports/mail.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import type { AccountIndex } from './account-index.ts'
import type { IndexRow } from './index-rows.ts'
import { isHashedThread, rootOfThread } from './message-id.ts'
import { allOf, parseNativeSearch } from './native-search.ts'

/** What of a message the filters look at. */
export interface FilteredMessage {
  readonly subject: string
  readonly from: readonly { readonly email: string }[]
  readonly to: readonly { readonly email: string }[]
  readonly cc: readonly { readonly email: string }[]
  readonly bcc: readonly { readonly email: string }[]
  readonly threadId: string
  readonly hasAttachments: boolean
  readonly unread: boolean
  readonly starred: boolean
}

/** A list's filters: what the server searches, and what is checked here because servers are not strict. */
export interface MessageFilter {
  /** undefined: all messages */
  readonly search: SearchObject | undefined
  /**
   * What of it is ASCII: wider, so that the rest must be checked here. Absent where all of it is, or where only the
   * server can check it.
   */
  readonly asciiSearch?: { readonly search: SearchObject | undefined }
  /** Checks the date (Unix seconds) strictly: SEARCH knows days only, in the server's zone. */
  matchesDate(date: number): boolean
  /** Absent where the server's answer needs no check. */
  readonly matches?: (message: FilteredMessage) => boolean
  /** The server can't search for it: most of what it gives has to be looked at and dropped. */
  readonly needsScan: boolean
  /** The thread that was asked for. */
  readonly thread?: ThreadMembers
  /** Nothing can match. */
  readonly isEmpty: boolean
}

/** The messages of a thread. */
export interface ThreadMembers {
  readonly id: string
  /** the Message-IDs that any of its messages names as root; empty where none can be searched for */
  readonly roots: readonly string[]
  includes(index: AccountIndex, row: IndexRow): boolean
}

/** Searches for messages that name an id, and for the one that carries it. */
export function naming(id: string): SearchObject[] {
  return ['Message-ID', 'References', 'In-Reply-To'].map((name) => ({ header: { [name]: id } }))
}

const DAY_SECONDS = 86_400

/**
 * Builds the filters of a list (contract/email.md 3.2 and 11).
 * @throws ProviderError `unsupported` or `invalid-request`, the message names the parameter
 */
export function buildFilter(query: MessageQuery, thread?: ThreadMembers): MessageFilter {
  refuse(query)
  const searches: SearchObject[] = []
  const asciiSearches: SearchObject[] = []
  const search = (whole: SearchObject, ascii: SearchObject | undefined) => {
    searches.push(whole)
    if (ascii) asciiSearches.push(ascii)
  }
  const checks: ((message: FilteredMessage) => boolean)[] = []
  let isEmpty = false

  if (query.subject) {
    const wanted = folded(query.subject)
    const ascii = longestAscii(query.subject)
    search({ subject: query.subject }, ascii === '' ? undefined : { subject: ascii })
    checks.push((message) => folded(message.subject).includes(wanted))
  }
  for (const field of ['from', 'to', 'cc', 'bcc'] as const) {
    const address = query[field]
    if (!address) continue
    search({ [field]: address }, isAscii(address) ? { [field]: address } : undefined)
    checks.push((message) => hasAddress(message[field], address))
  }
  if (query.anyEmail?.length) {
    const addresses = query.anyEmail
    const anywhere = {
      or: addresses.flatMap((address) => [
        { from: address },
        { to: address },
        { cc: address },
        { bcc: address },
      ]),
    }
    search(anywhere, addresses.every(isAscii) ? anywhere : undefined)
    checks.push(({ from, to, cc, bcc }) =>
      addresses.some((address) => [from, to, cc, bcc].some((list) => hasAddress(list, address))),
    )
  }
  const { unread, starred, hasAttachment, threadId, receivedAfter, receivedBefore } = query
  if (unread !== undefined) {
    search({ seen: !unread }, { seen: !unread })
    checks.push((message) => message.unread === unread)
  }
  if (starred !== undefined) {
    search({ flagged: starred }, { flagged: starred })
    checks.push((message) => message.starred === starred)
  }
  if (hasAttachment !== undefined) checks.push((message) => message.hasAttachments === hasAttachment)
  if (threadId !== undefined) {
    const roots = thread?.roots ?? [rootOfThread(threadId)].filter((root) => root !== undefined)
    const named = { or: roots.flatMap(naming) }
    if (roots.length > 0) search(named, roots.every(isAscii) ? named : undefined)
    isEmpty ||= roots.length === 0 && !isHashedThread(threadId)
    checks.push((message) => message.threadId === threadId)
  }
  // A day more on either side: the server's zone is not known.
  if (receivedAfter !== undefined) {
    const since = { since: dayOf(receivedAfter, -1) }
    search(since, since)
  }
  if (receivedBefore !== undefined) {
    const before = { before: dayOf(receivedBefore, 2) }
    search(before, before)
  }
  const native = query.searchQueryNative
  if (native) {
    const keys = parseNativeSearch(native)
    search(keys, keys)
  }
  const isSplit = !isAscii(JSON.stringify(searches)) && isAscii(native ?? '')

  return {
    search: searches.length === 0 ? undefined : allOf(searches),
    ...(isSplit
      ? { asciiSearch: { search: asciiSearches.length === 0 ? undefined : allOf(asciiSearches) } }
      : {}),
    matchesDate: (date) =>
      (receivedAfter === undefined || date > receivedAfter) &&
      (receivedBefore === undefined || date < receivedBefore),
    ...(checks.length === 0 ? {} : { matches: (message) => checks.every((check) => check(message)) }),
    needsScan:
      hasAttachment !== undefined || (threadId !== undefined && rootOfThread(threadId) === undefined),
    ...(thread ? { thread } : {}),
    isEmpty,
  }
}

function isAscii(text: string): boolean {
  return !/[^\0-\x7f]/.test(text)
}

/** The longest piece of a text that is ASCII; `""` where there is none. */
function longestAscii(text: string): string {
  const pieces = text.normalize('NFC').split(/[^\0-\x7f]+/)
  return pieces
    .map((piece) => piece.trim())
    .reduce((best, one) => (one.length > best.length ? one : best), '')
}

function refuse(query: MessageQuery): void {
  if (query.sharedFrom !== undefined) {
    throw new ProviderError('unsupported', 'shared_from is not supported by this provider')
  }
  if (query.sharedFolderId !== undefined) {
    throw new ProviderError('unsupported', 'shared_folder_id is not supported by this provider')
  }
  if (query.queryImap && query.in === undefined) {
    throw new ProviderError('invalid-request', 'query_imap needs a folder: give the parameter in')
  }
}

function hasAddress(list: readonly { readonly email: string }[], address: string): boolean {
  const wanted = address.trim().toLowerCase()
  return list.some(({ email }) => email.toLowerCase() === wanted)
}

function folded(text: string): string {
  return text.normalize('NFKC').toLowerCase().replace(/\s+/g, ' ')
}

function dayOf(seconds: number, plusDays: number): Date {
  const day = Math.floor(seconds / DAY_SECONDS) + plusDays
  // RFC 9051's date has a four-digit year.
  return new Date(Math.min(Math.max(day, 1), 2_932_800) * DAY_SECONDS * 1000)
}
