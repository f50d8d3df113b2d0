import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { headerValue, parseHeaderBlock } from '../../formats/mime/headers.ts'
import type { ImapSession } from '../../protocols/imap/open-session.ts'
import type { MessagePlace } from './message-id.ts'
import type { OpenedFolder } from './open-folder.ts'
import { searchUids } from './search-uids.ts'

/** What is remembered of a message: nothing that changes, about 200 bytes. */
export interface IndexRow {
  readonly uid: number
  /** INTERNALDATE, Unix seconds */
  readonly date: number
  /** digest of the Message-ID; `""` where there is none */
  readonly idDigest: string
  /** digest of what two copies of one mail share: Message-ID, Date, From, Subject, size */
  readonly fingerprint: string
}

interface FolderIndex {
  readonly uidValidity: number
  readonly rows: Map<number, IndexRow>
  /** every UID of the folder as of that state; empty: not known */
  uids: readonly number[]
  uidNext: number
  exists: number
}

const FETCH_LIMIT = 500
const FINGERPRINT_HEADERS = ['Message-ID', 'Date', 'From', 'Subject']

/**
 * What this process knows about one account's messages: dates for the order of lists, digests for ids. It is
 * only a shortcut: all of it can be read again from the server.
 */
export class AccountIndex {
  readonly #folders = new Map<string, FolderIndex>()
  /** Places by digest of the Message-ID. */
  readonly #places = new Map<string, Map<string, MessagePlace>>()
  /** Which fingerprint holds a Message-ID that several mails claim; decided once. */
  readonly #holders = new Map<string, string>()
  readonly #defaultPaths = new LRUCache<'paths', readonly string[]>({ max: 1, ttl: 60_000 })
  size = 0

  /** The folders of a list that names none; looked up again after a minute. */
  async defaultPaths(lookUp: () => Promise<readonly string[]>): Promise<readonly string[]> {
    const known = this.#defaultPaths.get('paths')
    if (known) return known
    const paths = await lookUp()
    this.#defaultPaths.set('paths', paths)
    return paths
  }

  /** The UIDs of the whole folder, ascending; asked for again only when the folder has changed. */
  async allUids(client: ImapSession, folder: OpenedFolder): Promise<readonly number[]> {
    const index = this.#folder(folder)
    const isKnown = index.uidNext === folder.uidNext && index.exists === folder.exists
    if (!isKnown || index.uids.length !== folder.exists) {
      index.uids = await searchUids(client, folder, undefined)
      index.uidNext = folder.uidNext
      index.exists = folder.exists
    }
    return index.uids
  }

  /** Rows of these UIDs; what is not known is fetched. UIDs that are gone have none. */
  async rows(
    client: ImapSession,
    folder: OpenedFolder,
    uids: readonly number[],
  ): Promise<ReadonlyMap<number, IndexRow>> {
    const index = this.#folder(folder)
    const missing = uids.filter((uid) => !index.rows.has(uid))
    const query = { uid: true, internalDate: true, size: true, headers: FINGERPRINT_HEADERS }
    // In pieces: servers may cut a FETCH of many messages short (RFC 9738) and say OK.
    for (let at = 0; at < missing.length; at += FETCH_LIMIT) {
      const piece = uidSet(missing.slice(at, at + FETCH_LIMIT))
      for (const message of await client.fetchAll(piece, query, { uid: true })) {
        if (!message.uid) continue
        const row = makeRow(message.uid, message.internalDate, message.size, message.headers)
        this.#add(index, folder, row)
      }
    }
    return index.rows
  }

  /** The digest that rows carry for a Message-ID. */
  digestOf(messageId: string): string {
    return digestOf(messageId)
  }

  /** Known places of a Message-ID. */
  places(messageId: string): readonly MessagePlace[] {
    return [...(this.#places.get(digestOf(messageId))?.values() ?? [])]
  }

  /**
   * Tells whether this message may carry its Message-ID as public id. Several mails that claim one id are told
   * apart by fingerprint; the oldest that is known at that time keeps it, from then on.
   */
  holdsId(row: IndexRow): boolean {
    const decided = this.#holders.get(row.idDigest)
    if (decided !== undefined) return decided === row.fingerprint
    let oldest = row
    for (const place of this.#places.get(row.idDigest)?.values() ?? []) {
      const other = this.#folders.get(place.path)?.rows.get(place.uid)
      if (!other) continue
      if (other.date < oldest.date || (other.date === oldest.date && other.uid < oldest.uid)) oldest = other
    }
    this.#holders.set(row.idDigest, oldest.fingerprint)
    return oldest.fingerprint === row.fingerprint
  }

  #folder(opened: OpenedFolder): FolderIndex {
    const known = this.#folders.get(opened.path)
    if (known?.uidValidity === opened.uidValidity) return known
    if (known) this.#forget(opened.path, known)
    const index: FolderIndex = {
      uidValidity: opened.uidValidity,
      rows: new Map(),
      uids: [],
      uidNext: -1,
      exists: -1,
    }
    this.#folders.set(opened.path, index)
    return index
  }

  #add(index: FolderIndex, folder: OpenedFolder, row: IndexRow): void {
    index.rows.set(row.uid, row)
    this.size += 1
    if (row.idDigest === '') return
    const places = this.#places.get(row.idDigest) ?? new Map<string, MessagePlace>()
    const place = { path: folder.path, uidValidity: folder.uidValidity, uid: row.uid }
    places.set(`${row.uid} ${folder.path}`, place)
    this.#places.set(row.idDigest, places)
  }

  #forget(path: string, index: FolderIndex): void {
    this.size -= index.rows.size
    for (const row of index.rows.values()) this.#places.get(row.idDigest)?.delete(`${row.uid} ${path}`)
  }
}

/** A million rows are about 200 MB; the accounts that were used least recently go first. */
const ROWS_IN_ALL = 1_000_000
const ROWS_PER_ACCOUNT = 50_000

/** Indexes of all accounts, bounded. */
export class AccountIndexes {
  readonly #indexes = new LRUCache<string, AccountIndex>({ maxSize: ROWS_IN_ALL })

  get(accountKey: string): AccountIndex {
    const known = this.#indexes.get(accountKey)
    if (known && known.size < ROWS_PER_ACCOUNT) return known
    const fresh = new AccountIndex()
    this.#indexes.set(accountKey, fresh, { size: 1 })
    return fresh
  }

  /** Counts an index anew after it was used. */
  weigh(accountKey: string, index: AccountIndex): void {
    this.#indexes.set(accountKey, index, { size: index.size + 1 })
  }
}

function makeRow(
  uid: number,
  internalDate: Date | string | undefined,
  size: number | undefined,
  header: Uint8Array | undefined,
): IndexRow {
  const fields = parseHeaderBlock(header ?? new Uint8Array())
  const messageId = headerValue(fields, 'message-id')?.trim() ?? ''
  const shared = [messageId, ...['date', 'from', 'subject'].map((name) => headerValue(fields, name) ?? '')]
  return {
    uid,
    date: unixSecondsOf(internalDate),
    idDigest: messageId === '' ? '' : digestOf(messageId),
    fingerprint: digestOf(JSON.stringify([...shared, size ?? 0])),
  }
}

/** INTERNALDATE as Unix seconds; 0 where the server gives none that can be read. */
export function unixSecondsOf(date: Date | string | undefined): number {
  const ms = date instanceof Date ? date.getTime() : Date.parse(date ?? '')
  return Number.isNaN(ms) ? 0 : Math.floor(ms / 1000)
}

/** Twelve bytes: among a billion messages two share a digest with a chance of one in 10^10. */
function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 16)
}

/** Reads a search answer; `false` is a refusal. */
export function sorted(found: readonly number[] | false | undefined): readonly number[] {
  return found ? [...found].sort((a, b) => a - b) : []
}

/** Writes UIDs as a sequence set: `1:5,9`. */
export function uidSet(uids: readonly number[]): string {
  const ranges: string[] = []
  let from: number | undefined
  let to = 0
  for (const uid of [...uids].sort((a, b) => a - b)) {
    if (from !== undefined && uid <= to + 1) {
      to = uid
      continue
    }
    if (from !== undefined) ranges.push(from === to ? `${from}` : `${from}:${to}`)
    from = uid
    to = uid
  }
  if (from !== undefined) ranges.push(from === to ? `${from}` : `${from}:${to}`)
  return ranges.join(',')
}
