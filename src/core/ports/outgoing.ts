import type { Readable } from 'node:stream'
import type { EmailName, FullDraft, MessageHeader } from '../../contract/message.ts'
import type { GrantSession } from './grant-session.ts'
import type { InMailbox, MessageQuery, Page } from './mail.ts'

/** A file that goes out. It can be opened more than once. */
export interface OutgoingAttachment {
  readonly filename: string
  /** full header value, parameters included */
  readonly contentType: string
  /** without angle brackets */
  readonly contentId?: string
  /** shown inside the HTML body by `cid:` */
  readonly isInline: boolean
  readonly sizeBytes: number
  open(): Readable
}

/** A message ready to go: signature, template and tracking are in its body already. */
export interface OutgoingMessage {
  /** undefined: the grant's own address and the display name the provider knows */
  readonly from?: EmailName
  readonly to: readonly EmailName[]
  readonly cc: readonly EmailName[]
  readonly bcc: readonly EmailName[]
  readonly replyTo: readonly EmailName[]
  readonly subject: string
  /** HTML; plain text where `isPlaintext` */
  readonly body: string
  readonly isPlaintext: boolean
  readonly attachments: readonly OutgoingAttachment[]
  /** further headers, in order */
  readonly headers: readonly MessageHeader[]
  /** the message this replies to: the provider's id of it, or its Message-ID in angle brackets */
  readonly replyToMessageId?: string
  /** Message-ID with angle brackets, made by core; a provider may replace it */
  readonly messageId: string
  /** `Date` header, Unix seconds */
  readonly date: number
}

/** What the provider made of a message that was sent. */
export interface SentResult {
  readonly id: string
  readonly threadId: string
  readonly folders: readonly string[]
  /** Unix seconds */
  readonly date: number
  /** Ids and sizes as they are at the provider, in the order they were given; absent where reading them back is not possible */
  readonly attachments?: FullDraft['attachments']
  /** every header as sent, where they were asked for */
  readonly headers?: readonly MessageHeader[]
}

export interface SendOptions {
  readonly withHeaders: boolean
}

/**
 * Sends. Never sends twice: where the provider may have taken the message and no answer came, it throws
 * `timeout` or `unavailable` with `answered: false`.
 * @throws ProviderError `rejected`, `send-as-denied`, `too-large`, `scope-missing`, `rate-limited`; `not-found` for
 *         an unknown `replyToMessageId`
 */
export interface SendPort {
  send(session: GrantSession, message: OutgoingMessage, options: SendOptions): Promise<SentResult>
  /** Sends a complete RFC 5322 source; recipients are those of its To, Cc and Bcc, and Bcc is not passed on. */
  sendRaw(session: GrantSession, source: Uint8Array, options: SendOptions): Promise<SentResult>
}

/** `GET /drafts`, parsed (contract/email.md 8). */
export type DraftQuery = Omit<
  MessageQuery,
  'fields' | 'receivedBefore' | 'receivedAfter' | 'searchQueryNative' | 'sharedFrom' | 'sharedFolderId'
>

export type OutgoingDraft = OutgoingMessage & { readonly starred?: boolean }

/** Changes of a draft: only given fields change, `attachments` replaces the whole list. */
export type DraftChange = Partial<Omit<OutgoingDraft, 'messageId' | 'date'>>

/** Drafts of one grant, at the provider. @throws ProviderError; `not-found` for an unknown id, or one that is no draft */
export interface DraftsPort {
  list(session: GrantSession, query: DraftQuery): Promise<Page<FullDraft>>
  find(session: GrantSession, id: string, options: InMailbox): Promise<FullDraft>
  create(session: GrantSession, draft: OutgoingDraft): Promise<FullDraft>
  /** Keeps the id. */
  update(session: GrantSession, id: string, change: DraftChange): Promise<FullDraft>
  /** For good, not into the trash. */
  delete(session: GrantSession, id: string): Promise<void>
  /** Sends it as it is; the draft is gone then. Never twice, as `SendPort`. */
  send(session: GrantSession, id: string): Promise<SentResult>
}
