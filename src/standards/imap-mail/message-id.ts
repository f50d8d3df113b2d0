import { createHash } from 'node:crypto'
import { parseJson } from '../../kit/json.ts'

/** Where a message is: a UID means nothing without its folder and that folder's UIDVALIDITY. */
export interface MessagePlace {
  readonly path: string
  readonly uidValidity: number
  readonly uid: number
}

const PLACE_PREFIX = 'm.'
const ROOT_PREFIX = 't.'
const HASH_PREFIX = 'h.'
const THREAD_ID_LIMIT = 200
const MESSAGE_ID_LIMIT = 250

/**
 * Reads a Message-ID header that can serve as a public id: brackets, printable ASCII, no `%` (which SDKs would
 * decode, contract/email.md G9), not too long. Undefined for any other.
 */
export function publicMessageId(header: string | undefined): string | undefined {
  const value = header?.trim() ?? ''
  return value.length <= MESSAGE_ID_LIMIT && /^<[!-$&-;=?-~]+>$/.test(value) ? value : undefined
}

/** Makes the id of a message whose Message-ID can't serve: it is found again without an index. */
export function encodePlaceId(place: MessagePlace): string {
  const text = JSON.stringify([place.path, place.uidValidity, place.uid])
  return PLACE_PREFIX + Buffer.from(text, 'utf8').toString('base64url')
}

/** Reads an id made by `encodePlaceId`; undefined for anything else. */
export function decodePlaceId(id: string): MessagePlace | undefined {
  if (!id.startsWith(PLACE_PREFIX)) return undefined
  const value = parseJson(Buffer.from(id.slice(PLACE_PREFIX.length), 'base64url').toString('utf8'))
  if (!Array.isArray(value)) return undefined
  const [path, uidValidity, uid]: readonly unknown[] = value
  return typeof path === 'string' && isPositive(uidValidity) && isPositive(uid)
    ? { path, uidValidity, uid }
    : undefined
}

function isPositive(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0
}

/** The headers that threads are made of. */
export interface ThreadingHeaders {
  readonly messageId?: string | undefined
  readonly inReplyTo?: string | undefined
  readonly references?: string | undefined
}

/** The oldest Message-ID that a message names, or its own; undefined where there is none. */
export function rootOf(headers: ThreadingHeaders): string | undefined {
  return idsIn(headers.references)[0] ?? idsIn(headers.inReplyTo)[0] ?? idsIn(headers.messageId)[0]
}

/** The Message-IDs of a header, in their order. */
export function idsIn(header: string | undefined): readonly string[] {
  return (header ?? '').match(/<[^\s<>]+>/g) ?? []
}

/** Twelve bytes: among a billion messages two share a digest with a chance of one in 10^10. */
export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 16)
}

/** The digest of the root that a thread id names; undefined for what is no thread id. */
export function rootDigestOf(threadId: string): string | undefined {
  const root = rootOfThread(threadId)
  if (root !== undefined) return digestOf(root)
  // the hash is the longer form of the same digest
  return isHashedThread(threadId) ? threadId.slice(HASH_PREFIX.length, HASH_PREFIX.length + 16) : undefined
}

/**
 * Makes the thread id of a message: its root Message-ID, readable back so that the members of a thread can be
 * searched for without an index. Too long ones, and messages without any id, get a hash.
 *
 * @param ownId  the message's public id, for one that names no root
 * @see RFC 5322 section 3.6.4: the first of References is the oldest ancestor
 */
export function threadIdOf(headers: ThreadingHeaders, ownId: string): string {
  const root = rootOf(headers)
  const id = root === undefined ? undefined : ROOT_PREFIX + Buffer.from(root, 'utf8').toString('base64url')
  if (id !== undefined && id.length <= THREAD_ID_LIMIT) return id
  return (
    HASH_PREFIX +
    createHash('sha256')
      .update(root ?? ownId)
      .digest('base64url')
      .slice(0, 22)
  )
}

/** Gives the root Message-ID of a thread id; undefined where it is a hash or no thread id. */
export function rootOfThread(threadId: string): string | undefined {
  if (!threadId.startsWith(ROOT_PREFIX)) return undefined
  const root = Buffer.from(threadId.slice(ROOT_PREFIX.length), 'base64url').toString('utf8')
  return /^<[^\s<>]+>$/.test(root) ? root : undefined
}

/** Tells whether an id is of the form of a thread id. */
export function isHashedThread(threadId: string): boolean {
  return /^h\.[\w-]{22}$/.test(threadId)
}
