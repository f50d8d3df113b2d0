import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { GrantSession } from '../../core/ports/grant-session.ts'
import type { ImapIndexStore, IndexedAccount } from '../../core/ports/mail-stores-imap-index.ts'
import { AccountIndex } from './account-index.ts'
import { packRows, unpackRows } from './index-rows.ts'

/** A million rows are about 250 MB; the accounts that were used least recently go first. */
const ROWS_IN_ALL = 1_000_000
const ROWS_PER_ACCOUNT = 50_000
/** Rows of an account that are kept in the database: the newest. */
const KEPT_ROWS = 20_000
/** Fewer new rows than this part of an account's wait for more: what is lost is only fetched again. */
const WORTH_KEEPING = 0.02
const PIECES_LIMIT = 64

interface Entry {
  readonly index: AccountIndex
  /** settles when what the database knows is there; never rejects */
  readonly ready: Promise<void>
  pieces: number
  keeping: Promise<void> | undefined
}

/** Indexes of all accounts, bounded, with what the database keeps of them. */
export class AccountIndexes {
  readonly #entries = new LRUCache<string, Entry>({ maxSize: ROWS_IN_ALL })
  readonly #store: ImapIndexStore | undefined
  readonly #underWay = new Set<Promise<void>>()

  constructor(store: ImapIndexStore | undefined) {
    this.#store = store
  }

  /** The index of an account, with what the database knows of it. */
  async get(accountKey: string, session: GrantSession): Promise<AccountIndex> {
    const known = this.#entries.get(accountKey)
    if (known && known.index.size < ROWS_PER_ACCOUNT) {
      await known.ready
      return known.index
    }
    const index = new AccountIndex()
    const loading = this.#load(index, accountKey, session)
    const entry: Entry = { index, ready: loading.then(ignore), pieces: 0, keeping: undefined }
    this.#entries.set(accountKey, entry, { size: 1 })
    entry.pieces = await loading
    return index
  }

  /** Counts an index anew after it was used, and keeps what it has learned. Nobody waits for that. */
  settle(accountKey: string, index: AccountIndex, session: GrantSession): void {
    const entry = this.#entries.peek(accountKey)
    if (entry?.index !== index) return
    this.#entries.set(accountKey, entry, { size: index.size + 1 })
    if (!this.#store || entry.keeping || index.unkept <= index.size * WORTH_KEEPING) return
    const keeping = this.#keep(this.#store, entry, accountKey, session)
    entry.keeping = keeping
    this.#underWay.add(keeping)
    void keeping.finally(() => {
      entry.keeping = undefined
      this.#underWay.delete(keeping)
    })
  }

  /** Waits for what is being kept. */
  async close(): Promise<void> {
    await Promise.all(this.#underWay)
  }

  /** @returns how many pieces there are. Never rejects. */
  async #load(index: AccountIndex, accountKey: string, session: GrantSession): Promise<number> {
    if (!this.#store) return 0
    try {
      const pieces = await this.#store.list(accountOf(accountKey, session))
      for (const piece of pieces) {
        const rows = unpackRows(piece.path, Buffer.from(piece.rows, 'base64'))
        index.restore({ path: piece.path, uidValidity: piece.uidValidity, rows })
      }
      return pieces.length
    } catch (error) {
      // The mailbox knows it all: a list is slower without, and nothing more.
      session.log.warn({ err: error }, 'the index of an IMAP account could not be read')
      return 0
    }
  }

  /** Never rejects. */
  async #keep(store: ImapIndexStore, entry: Entry, accountKey: string, session: GrantSession): Promise<void> {
    const { index } = entry
    const account = accountOf(accountKey, session)
    const isWhole = entry.pieces >= PIECES_LIMIT || index.size > KEPT_ROWS
    const pieces = (isWhole ? index.snapshot(KEPT_ROWS) : index.takeUnkept()).map((piece) => ({
      path: piece.path,
      uidValidity: piece.uidValidity,
      rows: packRows(piece.rows).toString('base64'),
    }))
    try {
      if (isWhole) await store.replace(account, pieces)
      else await store.add(account, pieces)
      entry.pieces = isWhole ? pieces.length : entry.pieces + pieces.length
    } catch (error) {
      // So it is when the grant was deleted meanwhile; nothing is lost but time.
      session.log.warn({ err: error }, 'the index of an IMAP account could not be kept')
    }
  }
}

function accountOf(accountKey: string, session: GrantSession): IndexedAccount {
  return { grantId: session.grantId, account: createHash('sha256').update(accountKey).digest('hex') }
}

function ignore(): void {
  // only the time matters
}
