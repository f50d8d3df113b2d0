import { LRUCache } from 'lru-cache'
import type { ImapSession } from '../../protocols/imap/open-session.ts'
import { fetchRows } from './fetch-rows.ts'
import { type IndexRow, type KeptRow, makeRow, type NewRow, ROW_HEADERS } from './index-rows.ts'
import { digestOf, type MessagePlace, rootDigestOf } from './message-id.ts'
import type { OpenedFolder } from './open-folder.ts'
import { searchUids } from './search-uids.ts'
import { ThreadLinks } from './thread-links.ts'

interface FolderIndex {
  readonly path: string
  readonly uidValidity: number
  readonly rows: Map<number, IndexRow>
  /** UIDs of messages that are gone, or as good as gone: they claim no id */
  readonly gone: Set<number>
  /** every UID of the folder as of that state; empty: not known */
  uids: readonly number[]
  uidNext: number
  exists: number
}

/** Rows of a folder that are not kept in the database yet, or that replace what is kept. */
export interface RowsToKeep {
  readonly path: string
  readonly uidValidity: number
  readonly rows: readonly KeptRow[]
}

const FETCH_LIMIT = 500

/** The messages of a thread, copies included, newest first. */
export interface ThreadGroup {
  readonly key: string
  readonly rows: readonly IndexRow[]
  /** the message that gives the thread its place in a list */
  readonly place: IndexRow
}

/** The folders that lists and threads are made of. */
export interface CoveredFolders {
  /** of a list that names none */
  readonly listed: readonly string[]
  readonly sent: string | undefined
  readonly drafts: string | undefined
}

/**
 * What this process knows about one account's messages: dates for the order of lists, digests for ids and threads.
 * It is only a shortcut: all of it can be read again from the server.
 */
export class AccountIndex {
  readonly #folders = new Map<string, FolderIndex>()
  /** Rows by digest of the Message-ID; mostly there is one. */
  readonly #places = new Map<string, IndexRow | readonly IndexRow[]>()
  /** Which fingerprint holds a Message-ID that several mails claim; decided once. */
  readonly #holders = new Map<string, string>()
  readonly #links = new ThreadLinks()
  readonly #covered = new LRUCache<'folders', CoveredFolders>({ max: 1, ttl: 60_000 })
  /** Threads as they were worked out of rows, by the state of the folders. */
  readonly threadGroups = new LRUCache<string, readonly ThreadGroup[]>({ max: 2 })
  /** Thread ids by the digest of their root: they are made of the root alone, so they never change. */
  readonly threadIds = new LRUCache<string, string>({ max: 2000 })
  #unkept = new Map<FolderIndex, NewRow[]>()
  /** rows in all folders */
  size = 0
  /** rows that are not kept in the database yet */
  unkept = 0
  /** grows with each row that comes or goes */
  version = 0
  /** The server has refused to search for anything beyond ASCII. */
  searchesAsciiOnly = false

  /** The folders of a list that names none; looked up again after a minute. */
  async coveredFolders(lookUp: () => Promise<CoveredFolders>): Promise<CoveredFolders> {
    const known = this.#covered.get('folders')
    if (known) return known
    const folders = await lookUp()
    this.#covered.set('folders', folders)
    return folders
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
    const query = { uid: true, internalDate: true, size: true, headers: [...ROW_HEADERS] }
    // In pieces: servers may cut a FETCH of many messages short (RFC 9738) and say OK.
    for (let at = 0; at < missing.length; at += FETCH_LIMIT) {
      const piece = missing.slice(at, at + FETCH_LIMIT)
      for (const message of await fetchRows(client, piece, query)) {
        // Without either it is about something else, or worthless: the message is asked for again another time.
        if (index.rows.has(message.uid) || (!message.headers && !message.internalDate)) continue
        const place = { path: index.path, uidValidity: index.uidValidity, uid: message.uid }
        const made = makeRow(place, message.internalDate, message.size, message.headers)
        this.#add(index, made)
        const unkept = this.#unkept.get(index)
        if (unkept) unkept.push(made)
        else this.#unkept.set(index, [made])
        this.unkept += 1
      }
    }
    return index.rows
  }

  /** The rows of a folder that are known, as it was when it was opened. */
  known(folder: OpenedFolder): ReadonlyMap<number, IndexRow> {
    return this.#folder(folder).rows
  }

  /** Takes rows that were kept in the database. They come in the order in which they were kept. */
  restore({ path, uidValidity, rows }: RowsToKeep): void {
    const known = this.#folders.get(path)
    if (known && known.uidValidity !== uidValidity) return
    const index = known ?? newFolder(path, uidValidity)
    this.#folders.set(path, index)
    for (const kept of rows) {
      if (index.rows.has(kept.row.uid)) continue
      this.#add(index, kept)
      const { idDigest, fingerprint } = kept.row
      // The one kept last took it over from the others.
      if (kept.holdsId) this.#holders.set(idDigest, fingerprint)
    }
  }

  /** Takes out what is not kept yet, a list per folder. */
  takeUnkept(): readonly RowsToKeep[] {
    const taken = [...this.#unkept].filter(([index]) => this.#folders.get(index.path) === index)
    this.#unkept = new Map()
    this.unkept = 0
    return taken.map(([{ path, uidValidity }, rows]) => ({
      path,
      uidValidity,
      rows: rows.map((made) => ({ ...made, holdsId: this.#mayHoldId(made.row) })),
    }))
  }

  /** Everything that is worth keeping, newest first, at most `limit` rows: what is gone from the server is left out. */
  snapshot(limit: number): readonly RowsToKeep[] {
    const rows = [...this.#folders.values()].flatMap((index) => {
      const there = index.uids.length > 0 ? new Set(index.uids) : undefined
      return [...index.rows.values()].filter((row) => there?.has(row.uid) ?? true)
    })
    const newest = rows.length > limit ? rows.toSorted((a, b) => b.date - a.date).slice(0, limit) : rows
    const byFolder = new Map<string, KeptRow[]>()
    for (const row of newest) {
      const key = this.threadKey(row)
      const kept = { row, links: key === row.idDigest ? [] : [key], holdsId: this.#mayHoldId(row) }
      const list = byFolder.get(row.path)
      if (list) list.push(kept)
      else byFolder.set(row.path, [kept])
    }
    this.#unkept = new Map()
    this.unkept = 0
    return [...byFolder].flatMap(([path, kept]) => {
      const index = this.#folders.get(path)
      return index ? [{ path, uidValidity: index.uidValidity, rows: kept }] : []
    })
  }

  /** The digest that rows carry for a Message-ID. */
  digestOf(messageId: string): string {
    return digestOf(messageId)
  }

  /** Known places of a Message-ID. */
  places(messageId: string): readonly MessagePlace[] {
    return this.#claimants(digestOf(messageId)).flatMap(({ path, uid }) => {
      const index = this.#folders.get(path)
      return index ? [{ path, uidValidity: index.uidValidity, uid }] : []
    })
  }

  /**
   * Tells whether this message may carry its Message-ID as public id. Several mails that claim one id are told
   * apart by fingerprint; the oldest that is known at that time keeps it, from then on.
   */
  holdsId(row: IndexRow): boolean {
    const decided = this.#holders.get(row.idDigest)
    if (decided !== undefined) return decided === row.fingerprint
    const holder = this.#oldestClaimant(row)
    this.#holders.set(row.idDigest, holder.fingerprint)
    return holder.fingerprint === row.fingerprint
  }

  /** Hands a Message-ID over to a newer version of the mail that holds it. One that another mail holds stays there. */
  handOver(older: IndexRow, newer: IndexRow): void {
    const holder = this.#holders.get(newer.idDigest)
    if (holder === undefined || holder === older.fingerprint) {
      this.#holders.set(newer.idDigest, newer.fingerprint)
    }
  }

  /** Takes note of the messages that are in a folder since it was opened: all others of it claim no id any more. */
  noteThere(folder: OpenedFolder, uids: readonly number[]): void {
    const index = this.#folder(folder)
    const there = new Set(uids)
    const end = folder.uidNext || (uids.at(-1) ?? 0) + 1
    for (const row of index.rows.values()) {
      if (there.has(row.uid)) {
        if (index.gone.delete(row.uid)) this.#claim(row)
      } else if (row.uid < end) {
        // What came later was not looked for.
        this.noteGone(folder, row.uid)
      }
    }
  }

  /** Takes note that a message is gone, or as good as gone. */
  noteGone(folder: OpenedFolder, uid: number): void {
    const index = this.#folder(folder)
    const row = index.rows.get(uid)
    if (index.gone.has(uid)) return
    index.gone.add(uid)
    if (!row || row.idDigest === '') return
    const others = this.#dropClaim(row)
    const isHolder = this.#holders.get(row.idDigest) === row.fingerprint
    if (isHolder && !others.some(({ fingerprint }) => fingerprint === row.fingerprint)) {
      this.#holders.delete(row.idDigest)
    }
  }

  /** The key of the thread a message belongs to; good until the next row comes. */
  threadKey(row: IndexRow): string {
    return this.#links.keyOf(row.idDigest === '' ? row.root : row.idDigest)
  }

  /** The key of the thread that a thread id names; undefined for what is no thread id. */
  keyOfThread(threadId: string): string | undefined {
    const root = rootDigestOf(threadId)
    return root === undefined ? undefined : this.#links.keyOf(root)
  }

  /** Digest of the root whose id the thread of this message carries: that of its oldest message. */
  threadRoot(row: IndexRow): string {
    return this.#links.eldestOf(row.idDigest === '' ? row.root : row.idDigest)?.root ?? row.root
  }

  /** Known messages of a thread, in every folder. Looks at every row. */
  rowsOfThread(key: string): readonly IndexRow[] {
    return [...this.#folders.values()].flatMap((index) =>
      [...index.rows.values()].filter((row) => this.threadKey(row) === key),
    )
  }

  #folder(opened: OpenedFolder): FolderIndex {
    const known = this.#folders.get(opened.path)
    if (known?.uidValidity === opened.uidValidity) return known
    if (known) this.#forget(known)
    const index = newFolder(opened.path, opened.uidValidity)
    this.#folders.set(opened.path, index)
    return index
  }

  #add(index: FolderIndex, { row, links }: NewRow): void {
    const id = row.idDigest === '' ? row.root : row.idDigest
    this.#links.join(id, links, row, (other) => this.#claimants(other))
    index.rows.set(row.uid, row)
    this.size += 1
    this.version += 1
    if (!index.gone.has(row.uid)) this.#claim(row)
  }

  #claim(row: IndexRow): void {
    if (row.idDigest === '') return
    const others = this.#claimants(row.idDigest)
    this.#places.set(row.idDigest, others.length === 0 ? row : [...others, row])
  }

  /** @returns the other claimants */
  #dropClaim(row: IndexRow): readonly IndexRow[] {
    const others = this.#claimants(row.idDigest).filter((other) => other !== row)
    if (others.length > 0) this.#places.set(row.idDigest, others)
    else this.#places.delete(row.idDigest)
    return others
  }

  #forget(index: FolderIndex): void {
    this.size -= index.rows.size
    this.version += 1
    for (const row of index.rows.values()) this.#dropClaim(row)
  }

  #claimants(idDigest: string): readonly IndexRow[] {
    const rows = this.#places.get(idDigest)
    if (rows === undefined) return []
    return 'uid' in rows ? [rows] : rows
  }

  #oldestClaimant(row: IndexRow): IndexRow {
    let oldest = row
    for (const other of this.#claimants(row.idDigest)) {
      if (other.date < oldest.date || (other.date === oldest.date && other.uid < oldest.uid)) oldest = other
    }
    return oldest
  }

  /** As `holdsId`, and decides nothing. */
  #mayHoldId(row: IndexRow): boolean {
    if (row.idDigest === '' || this.#folders.get(row.path)?.gone.has(row.uid)) return false
    const holder = this.#holders.get(row.idDigest) ?? this.#oldestClaimant(row).fingerprint
    return holder === row.fingerprint
  }
}

function newFolder(path: string, uidValidity: number): FolderIndex {
  return { path, uidValidity, rows: new Map(), gone: new Set(), uids: [], uidNext: -1, exists: -1 }
}

/** Reads a search answer; `false` is a refusal. */
export function sorted(found: readonly number[] | false | undefined): readonly number[] {
  return found ? [...found].sort((a, b) => a - b) : []
}
