import type { ImapSession } from '../../protocols/imap/open-session.ts'
import type { AccountIndex } from './account-index.ts'
import type { IndexRow } from './index-rows.ts'
import type { FolderPosition } from './list-cursor.ts'
import type { MessageFilter } from './message-filter.ts'
import type { OpenedFolder } from './open-folder.ts'
import { searchByFilter } from './search-uids.ts'

/**
 * UIDs that are put in order of date at once. Inside a window the order is exact; a message that is older than
 * its neighbours by UID by more than a window comes with its window.
 */
export const DEFAULT_WINDOW = 2000

/** A message of a folder that matches so far, in its place in the order. */
export interface Candidate {
  readonly folder: OpenedFolder
  readonly row: IndexRow
}

/** Gives the matching messages of one folder, newest first, from a position on. */
export class FolderStream {
  readonly #index: AccountIndex
  readonly #filter: MessageFilter
  readonly #window: number
  readonly folder: OpenedFolder
  #rows: readonly IndexRow[] = []
  #at = 0
  #low: number
  #high: number | null
  #hasMoreBelow = true
  #position: FolderPosition | undefined

  private constructor(
    index: AccountIndex,
    filter: MessageFilter,
    folder: OpenedFolder,
    position: FolderPosition | undefined,
    window: number,
  ) {
    this.#window = window
    this.#index = index
    this.#filter = filter
    this.folder = folder
    this.#position = position
    this.#low = position?.low ?? 0
    this.#high = position?.high ?? null
  }

  /** Starts at a position. The folder must be open on the session. */
  static async start(
    client: ImapSession,
    index: AccountIndex,
    filter: MessageFilter,
    folder: OpenedFolder,
    from: {
      readonly position: FolderPosition | undefined
      readonly frontier: number | undefined
      readonly window: number
    },
  ): Promise<FolderStream> {
    const { position, frontier } = from
    // Under another UIDVALIDITY the UIDs mean nothing any more; the date alone tells what was seen.
    const isSame = position?.uidValidity === folder.uidValidity
    const stream = new FolderStream(index, filter, folder, isSame ? position : undefined, from.window)
    await stream.#loadWindow(client, isSame ? position : undefined)
    if (position && !isSame) stream.#keep((row) => row.date < position.date)
    if (!position && frontier !== undefined) stream.#keep((row) => row.date <= frontier)
    return stream
  }

  /** The next message without taking it; undefined while a further window has to be loaded, or at the end. */
  peek(): Candidate | undefined {
    const row = this.#rows[this.#at]
    return row && { folder: this.folder, row }
  }

  /** The next messages of the window, without taking them. */
  upcoming(count: number): Candidate[] {
    return this.#rows.slice(this.#at, this.#at + count).map((row) => ({ folder: this.folder, row }))
  }

  /** Takes the message that `peek` shows. */
  take(): void {
    const row = this.#rows[this.#at]
    if (!row) return
    this.#at += 1
    this.#position = {
      path: this.folder.path,
      uidValidity: this.folder.uidValidity,
      low: this.#low,
      high: this.#high,
      date: row.date,
      uid: row.uid,
    }
  }

  get hasWindowBelow(): boolean {
    return this.#hasMoreBelow
  }

  get position(): FolderPosition | undefined {
    return this.#position
  }

  /** Loads the next window. The folder must be open on the session. */
  async loadNext(client: ImapSession): Promise<void> {
    this.#high = this.#low
    await this.#loadWindow(client, undefined)
  }

  async #loadWindow(client: ImapSession, resume: FolderPosition | undefined): Promise<void> {
    const below = await this.#matchingUids(client, this.#high)
    const window = resume ? below.filter((uid) => uid >= resume.low) : below.slice(-this.#window)
    this.#low = resume?.low ?? window[0] ?? 1
    this.#hasMoreBelow = below.length > window.length
    const rows = await this.#index.rows(client, this.folder, window)
    this.#rows = window
      .flatMap((uid) => rows.get(uid) ?? [])
      .filter((row) => this.#filter.matchesDate(row.date) && (!resume || compare(row, resume) > 0))
      .sort(compare)
    this.#at = 0
  }

  #keep(isWanted: (row: IndexRow) => boolean): void {
    this.#rows = this.#rows.filter(isWanted)
  }

  async #matchingUids(client: ImapSession, high: number | null): Promise<readonly number[]> {
    const { search } = this.#filter
    if (this.#filter.isEmpty || this.folder.exists === 0) return []
    if (!search) {
      const all = await this.#index.allUids(client, this.folder)
      return high === null ? all : all.filter((uid) => uid < high)
    }
    if (high !== null && high <= 1) return []
    const bound = high === null ? undefined : { uid: `1:${high - 1}` }
    return searchByFilter(client, this.#index, this.folder, this.#filter, bound)
  }
}

/** Newest first; equal dates by UID. */
function compare(
  a: { readonly date: number; readonly uid: number },
  b: { readonly date: number; readonly uid: number },
): number {
  return b.date - a.date || b.uid - a.uid
}
