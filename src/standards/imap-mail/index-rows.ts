import { headerValue, parseHeaderBlock } from '../../formats/mime/headers.ts'
import { digestOf, encodePlaceId, idsIn, type MessagePlace, rootOf } from './message-id.ts'

/** What is remembered of a message: nothing that changes, nothing that can be read. */
export interface IndexRow {
  readonly path: string
  readonly uid: number
  /** INTERNALDATE, Unix seconds */
  readonly date: number
  /** digest of the Message-ID; `""` where there is none */
  readonly idDigest: string
  /** digest of what two copies of one mail share: Message-ID, Date, From, Subject, size */
  readonly fingerprint: string
  /** digest of the root that the message names, for its thread */
  readonly root: string
}

/** A row before it is kept. */
export interface NewRow {
  readonly row: IndexRow
  /** digests of the ids it names */
  readonly links: readonly string[]
}

/** A row as it is kept in the database. */
export interface KeptRow extends NewRow {
  /** it is the one that may carry its Message-ID as public id */
  readonly holdsId: boolean
}

/** Headers that a row is made of. */
export const ROW_HEADERS: readonly string[] = [
  'Message-ID',
  'Date',
  'From',
  'Subject',
  'In-Reply-To',
  'References',
]

/** The first ids of References tell the root, the last ones the parents: servers and clients cut between them. */
const FIRST_LINKS = 2
const LAST_LINKS = 8

/** Makes the row of a fetched message; never throws. */
export function makeRow(
  place: MessagePlace,
  internalDate: Date | string | undefined,
  size: number | undefined,
  header: Uint8Array | undefined,
): NewRow {
  const fields = parseHeaderBlock(header ?? new Uint8Array())
  const messageId = headerValue(fields, 'message-id')?.trim() ?? ''
  const shared = [messageId, ...['date', 'from', 'subject'].map((name) => headerValue(fields, name) ?? '')]
  const inReplyTo = headerValue(fields, 'in-reply-to')
  const references = headerValue(fields, 'references')
  const root = rootOf({ messageId, inReplyTo, references }) ?? encodePlaceId(place)
  const named = [
    ...chosen(idsIn(references)),
    ...idsIn(inReplyTo).slice(0, 1),
    ...idsIn(messageId).slice(0, 1),
    root,
  ]
  const idDigest = messageId === '' ? '' : digestOf(messageId)
  const rootDigest = digestOf(root)
  return {
    row: {
      path: place.path,
      uid: place.uid,
      date: unixSecondsOf(internalDate),
      idDigest,
      fingerprint: digestOf(JSON.stringify([...shared, size ?? 0])),
      // one string less in memory for what starts a thread
      root: rootDigest === idDigest ? idDigest : rootDigest,
    },
    links: [...new Set(named.map(digestOf))].filter((link) => link !== idDigest),
  }
}

function chosen(ids: readonly string[]): readonly string[] {
  return ids.length <= FIRST_LINKS + LAST_LINKS
    ? ids
    : [...ids.slice(0, FIRST_LINKS), ...ids.slice(-LAST_LINKS)]
}

/** INTERNALDATE as Unix seconds; 0 where the server gives none that can be read. */
export function unixSecondsOf(date: Date | string | undefined): number {
  const ms = date instanceof Date ? date.getTime() : Date.parse(date ?? '')
  return Number.isNaN(ms) ? 0 : Math.floor(ms / 1000)
}

const DIGEST_BYTES = 12
const FIXED_BYTES = 4 + 8 + 1 + 1 + DIGEST_BYTES
const HOLDS_ID = 1
const HAS_ID = 2
const IS_ROOT = 4

/** Packs rows of one folder, about 40 bytes each. */
export function packRows(rows: readonly KeptRow[]): Buffer {
  const pieces: Buffer[] = []
  for (const { row, links, holdsId } of rows) {
    const isRoot = row.root === row.idDigest
    const fixed = Buffer.alloc(4 + 8 + 1 + 1)
    fixed.writeUInt32LE(row.uid, 0)
    fixed.writeDoubleLE(row.date, 4)
    fixed.writeUInt8(
      (holdsId ? HOLDS_ID : 0) | (row.idDigest === '' ? 0 : HAS_ID) | (isRoot ? IS_ROOT : 0),
      12,
    )
    fixed.writeUInt8(links.length, 13)
    const digests = [row.fingerprint, row.idDigest, isRoot ? '' : row.root, ...links]
    pieces.push(fixed, ...digests.map((digest) => Buffer.from(digest, 'base64url')))
  }
  return Buffer.concat(pieces)
}

/** Reads what `packRows` wrote; what can't be read ends the list. */
export function unpackRows(path: string, bytes: Buffer): readonly KeptRow[] {
  const rows: KeptRow[] = []
  let at = 0
  const digest = () => bytes.toString('base64url', at, (at += DIGEST_BYTES))
  while (at + FIXED_BYTES <= bytes.length) {
    const uid = bytes.readUInt32LE(at)
    const date = bytes.readDoubleLE(at + 4)
    const flags = bytes.readUInt8(at + 12)
    const count = bytes.readUInt8(at + 13)
    at += 14
    const digests = 1 + Math.sign(flags & HAS_ID) + (flags & IS_ROOT ? 0 : 1) + count
    if (at + digests * DIGEST_BYTES > bytes.length) break
    const fingerprint = digest()
    const idDigest = flags & HAS_ID ? digest() : ''
    const root = flags & IS_ROOT ? idDigest : digest()
    const links = Array.from({ length: count }, digest)
    rows.push({
      row: { path, uid, date, idDigest, fingerprint, root },
      links,
      holdsId: (flags & HOLDS_ID) !== 0,
    })
  }
  return rows
}
