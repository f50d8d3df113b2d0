import { parseJson } from '../../kit/json.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import type { AccountIndex, ThreadGroup } from './account-index.ts'
import type { IndexRow } from './index-rows.ts'
import type { MailboxView } from './list-messages.ts'
import { openFolder, type OpenedFolder } from './open-folder.ts'

/** Messages that threads are made of, in all folders of an account together: the newest. */
const COVERED_MESSAGES = 20_000

/** A folder that threads are made of. */
export interface CoveredFolder {
  readonly folder: OpenedFolder
  /** the newest UIDs, ascending */
  readonly uids: readonly number[]
  /** there are older ones */
  readonly isCut: boolean
}

/** Where a folder ended when a list began: what has come since waits for the next list. */
export interface FolderTop {
  readonly path: string
  readonly uidValidity: number
  readonly uidNext: number
}

/** Opens folders and learns their newest messages; those that are not there are left out. */
export async function coverFolders(
  view: MailboxView,
  paths: readonly string[],
): Promise<readonly CoveredFolder[]> {
  const opened: { readonly folder: OpenedFolder; readonly uids: readonly number[] }[] = []
  for (const path of new Set(paths)) {
    const folder = await openFolder(view.client, path)
    if (folder) opened.push({ folder, uids: await view.index.allUids(view.client, folder) })
  }
  // Small folders first, so that what they leave is the big ones'.
  const bySize = opened.toSorted((a, b) => a.uids.length - b.uids.length)
  const covered: CoveredFolder[] = []
  let left = COVERED_MESSAGES
  for (const [at, { folder, uids }] of bySize.entries()) {
    const share = Math.floor(left / (bySize.length - at))
    const newest = uids.length > share ? uids.slice(-share) : uids
    left -= newest.length
    const known = view.index.known(folder)
    if (newest.some((uid) => !known.has(uid))) {
      if (await openFolder(view.client, folder.path)) await view.index.rows(view.client, folder, newest)
    }
    covered.push({ folder, uids: newest, isCut: newest.length < uids.length })
  }
  return covered
}

/**
 * Sorts the messages of folders into threads, the thread with the newest message first. It is worked out once for each
 * state of the folders.
 */
export function groupThreads(
  index: AccountIndex,
  covered: readonly CoveredFolder[],
  tops: readonly FolderTop[],
): readonly ThreadGroup[] {
  const states = covered.map(({ folder, uids }) => [
    folder.path,
    folder.uidValidity,
    folder.uidNext,
    folder.exists,
    uids[0] ?? 0,
  ])
  const state = JSON.stringify([index.version, states, tops])
  const known = index.threadGroups.get(state)
  if (known) return known
  const byKey = new Map<string, IndexRow[]>()
  for (const { folder, uids } of covered) {
    const rows = index.known(folder)
    for (const uid of uids) {
      const row = rows.get(uid)
      if (!row) continue
      const key = index.threadKey(row)
      const group = byKey.get(key)
      if (group) group.push(row)
      else byKey.set(key, [row])
    }
  }
  const topOf = new Map(tops.map((top) => [`${top.uidValidity} ${top.path}`, top.uidNext]))
  const endOf = new Map(
    covered.map(({ folder }) => [folder.path, topOf.get(`${folder.uidValidity} ${folder.path}`) ?? Infinity]),
  )
  const groups: ThreadGroup[] = []
  for (const [key, rows] of byKey) {
    rows.sort(newestFirst)
    const place = rows.find((row) => row.uid < (endOf.get(row.path) ?? Infinity))
    if (place) groups.push({ key, rows, place })
  }
  groups.sort((a, b) => newestFirst(a.place, b.place))
  index.threadGroups.set(state, groups)
  return groups
}

/** An order that is the same in every process. */
function newestFirst(a: Place, b: Place): number {
  if (a.date !== b.date) return b.date - a.date
  return a.fingerprint < b.fingerprint ? -1 : a.fingerprint > b.fingerprint ? 1 : 0
}

type Place = Pick<IndexRow, 'date' | 'fingerprint'>

/** How far a list of threads has come. */
export interface ThreadCursor {
  readonly after: Place
  readonly tops: readonly FolderTop[]
}

/** Tells whether a thread comes after the last one of the page before. */
export function isAfter(group: ThreadGroup, cursor: ThreadCursor | undefined): boolean {
  return cursor === undefined || newestFirst(group.place, cursor.after) > 0
}

/** Writes a cursor. */
export function encodeThreadCursor({ after, tops }: ThreadCursor): string {
  const rows = tops.map((top) => [top.path, top.uidValidity, top.uidNext])
  const text = JSON.stringify({ v: 1, after: [after.date, after.fingerprint], tops: rows })
  return Buffer.from(text, 'utf8').toString('base64url')
}

/** @throws ProviderError `invalid-request` for anything `encodeThreadCursor` did not write */
export function decodeThreadCursor(cursor: string): ThreadCursor {
  const value = parseJson(Buffer.from(cursor, 'base64url').toString('utf8'))
  const after: unknown = typeof value === 'object' && value && 'after' in value ? value.after : undefined
  const tops: unknown = typeof value === 'object' && value && 'tops' in value ? value.tops : undefined
  if (!Array.isArray(after) || !Array.isArray(tops)) throw invalid()
  const [date, fingerprint]: readonly unknown[] = after
  if (typeof date !== 'number' || typeof fingerprint !== 'string') throw invalid()
  return { after: { date, fingerprint }, tops: tops.map(readTop) }
}

function readTop(row: unknown): FolderTop {
  if (!Array.isArray(row)) throw invalid()
  const [path, uidValidity, uidNext]: readonly unknown[] = row
  if (typeof path !== 'string' || typeof uidValidity !== 'number' || typeof uidNext !== 'number')
    throw invalid()
  return { path, uidValidity, uidNext }
}

function invalid(): ProviderError {
  return new ProviderError('invalid-request', 'page_token is not valid')
}
