import { LRUCache } from 'lru-cache'
import type { FetchQueryObject } from 'imapflow'
import { parseHeaderBlock, type HeaderField } from '../../formats/mime/headers.ts'
import type { ImapSession } from '../../protocols/imap/open-session.ts'
import { type FetchedRow, fetchRows } from './fetch-rows.ts'
import type { OpenedFolder } from './open-folder.ts'
import { bodyPartOf, HEAD_HEADERS, type MessageBody, type MessageHead, toBody, toHead } from './to-wire.ts'

/** A message of a page: what never changes, and its flags as they are now. */
export interface LoadedMessage {
  readonly uid: number
  readonly head: MessageHead
  readonly unread: boolean
  readonly starred: boolean
  readonly draft: boolean
  /** Marked for removal: as good as gone. */
  readonly deleted: boolean
  /** Every header, where they were asked for. */
  readonly allHeaders?: readonly HeaderField[]
}

/** Texts are cut here, in bytes as transferred: nobody reads more, and the page must fit into memory. */
const BODY_BYTES_LIMIT = 4 * 1024 * 1024
/** All accounts together, in bytes of text. */
const CACHE_BYTES = 64 * 1024 * 1024

interface CachedMessage {
  readonly head: MessageHead
  readonly body?: MessageBody
}

/**
 * Loads heads and bodies, and keeps them for a while: under (folder, UIDVALIDITY, UID) they never change
 * (RFC 9051 section 2.3.1.1). Flags are always fresh. Nothing is marked as read: every fetch is a PEEK.
 */
export class MessageContent {
  readonly #cache = new LRUCache<string, CachedMessage>({ maxSize: CACHE_BYTES })

  /** Loads heads and flags in one or two FETCHes. Messages that are gone are missing in the answer. */
  async heads(
    client: ImapSession,
    accountKey: string,
    folder: OpenedFolder,
    uids: readonly number[],
    withAllHeaders: boolean,
  ): Promise<ReadonlyMap<number, LoadedMessage>> {
    const loaded = new Map<number, LoadedMessage>()
    if (uids.length === 0) return loaded
    const isKnown = (uid: number) => !withAllHeaders && this.#cache.has(cacheKey(accountKey, folder, uid))
    const known = uids.filter(isKnown)
    const unknown = uids.filter((uid) => !isKnown(uid))
    for (const message of await fetchRows(client, known, { uid: true, flags: true })) {
      const head = this.#cache.get(cacheKey(accountKey, folder, message.uid))?.head
      if (head) loaded.set(message.uid, { uid: message.uid, head, ...flagsOf(message) })
      else unknown.push(message.uid) // evicted between the two looks
    }
    const query: FetchQueryObject = {
      uid: true,
      flags: true,
      bodyStructure: true,
      headers: withAllHeaders ? true : [...HEAD_HEADERS],
    }
    for (const message of await fetchRows(client, unknown, query)) {
      // A row with neither is about something else, or worthless.
      if (!message.headers && !message.bodyStructure) continue
      const headers = parseHeaderBlock(message.headers ?? new Uint8Array())
      const head = toHead(headers, message.bodyStructure ?? { type: 'text/plain' })
      if (!withAllHeaders) this.#keep(cacheKey(accountKey, folder, message.uid), { head })
      loaded.set(message.uid, {
        uid: message.uid,
        head,
        ...flagsOf(message),
        ...(withAllHeaders ? { allHeaders: headers } : {}),
      })
    }
    return loaded
  }

  /** Loads the text part of each message, one FETCH per part number. */
  async bodies(
    client: ImapSession,
    accountKey: string,
    folder: OpenedFolder,
    messages: readonly LoadedMessage[],
  ): Promise<ReadonlyMap<number, MessageBody>> {
    const bodies = new Map<number, MessageBody>()
    const byPart = new Map<string, LoadedMessage[]>()
    for (const message of messages) {
      const cached = this.#cache.get(cacheKey(accountKey, folder, message.uid))?.body
      const leaf = bodyPartOf(message.head)
      if (cached) bodies.set(message.uid, cached)
      else if (leaf) byPart.set(leaf.part, [...(byPart.get(leaf.part) ?? []), message])
    }
    for (const [part, wanted] of byPart) {
      const heads = new Map(wanted.map((message) => [message.uid, message.head]))
      const query = { uid: true, bodyParts: [{ key: part, maxLength: BODY_BYTES_LIMIT }] }
      for (const message of await fetchRows(client, [...heads.keys()], query)) {
        const head = heads.get(message.uid)
        const leaf = head && bodyPartOf(head)
        if (!head || !leaf) continue
        const bytes = message.bodyParts.get(part)
        if (!bytes) continue
        const body = toBody(leaf.node, bytes)
        bodies.set(message.uid, body)
        this.#keep(cacheKey(accountKey, folder, message.uid), { head, body })
      }
    }
    return bodies
  }

  #keep(key: string, message: CachedMessage): void {
    const headers = message.head.headers.reduce((sum, field) => sum + field.value.length, 0)
    const size = 2000 + 3 * headers + 2 * (message.body?.body.length ?? 0)
    this.#cache.set(key, message, { size })
  }
}

function flagsOf(message: FetchedRow): Pick<LoadedMessage, 'unread' | 'starred' | 'draft' | 'deleted'> {
  const flags = new Set([...(message.flags ?? [])].map((flag) => flag.toLowerCase()))
  return {
    unread: !flags.has('\\seen'),
    starred: flags.has('\\flagged'),
    draft: flags.has('\\draft'),
    deleted: flags.has('\\deleted'),
  }
}

function cacheKey(accountKey: string, folder: OpenedFolder, uid: number): string {
  return `${uid} ${folder.uidValidity} ${accountKey} ${folder.path}`
}
