import type { FetchMessageObject, FetchQueryObject } from 'imapflow'
import type { ImapSession } from '../../protocols/imap/open-session.ts'
import { uidSet } from './uid-set.ts'

/** What a FETCH told of one message. */
export interface FetchedRow {
  readonly uid: number
  readonly flags?: ReadonlySet<string> | undefined
  readonly internalDate?: Date | string | undefined
  readonly size?: number | undefined
  readonly bodyStructure?: FetchMessageObject['bodyStructure']
  /** the header block, or the fields that were asked for */
  readonly headers?: Uint8Array | undefined
  readonly bodyParts: ReadonlyMap<string, Uint8Array>
}

/**
 * Fetches by UID and gives one row per message. A server may tell of one message in several answers, and slip in
 * what was not asked for, such as another client's change of flags: the newest flags count, and of the rest what
 * came first. NIL and values of wrong types are taken for absent.
 * @see RFC 9051 sections 5.2 and 7.5.2
 */
export async function fetchRows(
  client: ImapSession,
  uids: readonly number[],
  query: FetchQueryObject,
): Promise<readonly FetchedRow[]> {
  if (uids.length === 0) return []
  const wanted = new Set(uids)
  const rows = new Map<number, FetchedRow>()
  for (const message of await client.fetchAll(uidSet(uids), query, { uid: true })) {
    if (!wanted.has(message.uid)) continue
    const known = rows.get(message.uid)
    const row = toRow(message)
    rows.set(message.uid, known ? merged(known, row) : row)
  }
  return [...rows.values()]
}

function toRow(message: FetchMessageObject): FetchedRow {
  const { uid, flags, internalDate, size, bodyStructure } = message
  const parts = [...(message.bodyParts ?? [])].filter(([, bytes]) => isBytes(bytes))
  return {
    uid,
    flags,
    internalDate,
    size,
    bodyStructure,
    headers: isBytes(message.headers) ? message.headers : undefined,
    bodyParts: new Map(parts),
  }
}

function merged(one: FetchedRow, other: FetchedRow): FetchedRow {
  return {
    uid: one.uid,
    flags: other.flags ?? one.flags,
    internalDate: one.internalDate ?? other.internalDate,
    size: one.size ?? other.size,
    bodyStructure: one.bodyStructure ?? other.bodyStructure,
    headers: one.headers ?? other.headers,
    bodyParts: new Map([...other.bodyParts, ...one.bodyParts]),
  }
}

/** imapflow's types promise bytes, its values are what the server sent. */
function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array
}
