import { parseJson } from '../../kit/json.ts'
import { ProviderError } from '../../kit/provider-error.ts'

/**
 * How far a list has come in one folder. Messages are taken in windows of UIDs, newest window first, and by date
 * inside a window; the window's bounds are in the cursor so that mail that comes or goes moves nothing across.
 */
export interface FolderPosition {
  readonly path: string
  readonly uidValidity: number
  /** lowest UID of the current window */
  readonly low: number
  /** first UID above the window; null: the window is open above */
  readonly high: number | null
  /** the message that was taken last: what comes after it has a smaller (date, uid) */
  readonly date: number
  readonly uid: number
}

/** Writes a cursor. A folder without a position has not been touched yet. */
export function encodeListCursor(positions: readonly FolderPosition[]): string {
  const rows = positions.map((at) => [at.path, at.uidValidity, at.low, at.high, at.date, at.uid])
  return Buffer.from(JSON.stringify({ v: 1, at: rows }), 'utf8').toString('base64url')
}

/** @throws ProviderError `invalid-request` for anything `encodeListCursor` did not write */
export function decodeListCursor(cursor: string): readonly FolderPosition[] {
  const value = parseJson(Buffer.from(cursor, 'base64url').toString('utf8'))
  const rows = typeof value === 'object' && value !== null && 'at' in value ? value.at : undefined
  if (!Array.isArray(rows)) throw invalid()
  return rows.map(readPosition)
}

function readPosition(row: unknown): FolderPosition {
  if (!Array.isArray(row)) throw invalid()
  const [path, uidValidity, low, high, date, uid]: readonly unknown[] = row
  if (
    typeof path !== 'string' ||
    !isWhole(uidValidity) ||
    !isWhole(low) ||
    !(high === null || isWhole(high)) ||
    !isWhole(date) ||
    !isWhole(uid)
  ) {
    throw invalid()
  }
  return { path, uidValidity, low, high, date, uid }
}

function isWhole(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value)
}

function invalid(): ProviderError {
  return new ProviderError('invalid-request', 'page_token is not valid')
}
