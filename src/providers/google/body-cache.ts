import { LRUCache } from 'lru-cache'
import type { FullMessage, MessageHeader } from '../../contract/message.ts'

/** Over all grants of a process. */
const MAX_BYTES = 48 * 1024 * 1024
/** A larger message is cheap beside its own transfer, and would push out many others. */
const MAX_MESSAGE_BYTES = 512 * 1024
/** What an entry takes besides its texts. */
const OVERHEAD_BYTES = 600

/** Whose cache is asked: what was read with other permissions is not shown. */
export interface CacheOwner {
  readonly grantId: string
  readonly scope: readonly string[]
}

/** What of a message never changes: all but its labels and what they tell. */
export interface KeptMessage {
  readonly message: Omit<FullMessage, 'folders' | 'unread' | 'starred' | 'headers'>
  /** every header, as `include_headers` shows them */
  readonly headers: readonly MessageHeader[]
}

/** The kept content of one grant's messages. */
export interface KeptMessages {
  find(messageId: string): KeptMessage | undefined
  keep(messageId: string, kept: KeptMessage): void
  /** Forgets a message that is gone. */
  drop(messageId: string): void
}

/**
 * Content of messages by grant and message. Gmail's messages are immutable but for their labels (messages resource,
 * checked 2026-11), so content that was read once is good as long as Google still answers the message's labels. An entry
 * alone is never an answer.
 */
export interface MessageCache {
  of(owner: CacheOwner): KeptMessages
}

/** Makes a cache that holds at most that many bytes; what was not asked for the longest goes first. */
export function createMessageCache(maxBytes: number = MAX_BYTES): MessageCache {
  const entries = new LRUCache<string, { readonly scope: string; readonly kept: KeptMessage }>({
    maxSize: maxBytes,
    maxEntrySize: Math.min(maxBytes, MAX_MESSAGE_BYTES),
    sizeCalculation: ({ kept }, key) => OVERHEAD_BYTES + 2 * key.length + sizeOf(kept),
  })
  return {
    of(owner) {
      const keyOf = (messageId: string) => `${owner.grantId} ${messageId}`
      const scope = owner.scope.join(' ')
      return {
        find(messageId) {
          const entry = entries.get(keyOf(messageId))
          return entry?.scope === scope ? entry.kept : undefined
        },
        keep: (messageId, kept) => void entries.set(keyOf(messageId), { scope, kept }),
        drop: (messageId) => void entries.delete(keyOf(messageId)),
      }
    },
  }
}

/** Two bytes for each character, as texts beyond Latin-1 take; small objects count by their texts. */
function sizeOf({ message, headers }: KeptMessage): number {
  const { from, to, cc, bcc, reply_to, attachments, body, snippet, subject } = message
  const texts = [
    ...[...from, ...to, ...cc, ...bcc, ...reply_to].flatMap(({ email, name }) => [email, name ?? '']),
    ...attachments.flatMap((file) => [
      file.id,
      file.filename,
      file.content_type,
      file.content_disposition ?? '',
    ]),
    ...headers.flatMap(({ name, value }) => [name, value]),
  ]
  const small = texts.reduce((sum, text) => sum + text.length + 16, 0)
  return 2 * (body.length + snippet.length + subject.length + small)
}
