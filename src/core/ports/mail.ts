import type { Readable } from 'node:stream'
import type { FolderCreateBody, FolderUpdateBody, FullFolder } from '../../contract/folder.ts'
import type { Attachment, FullMessage, MessageFields, RawMessage } from '../../contract/message.ts'
import type { FullThread } from '../../contract/thread.ts'
import type { GrantSession } from './grant-session.ts'
import type { DraftsPort, SendPort } from './outgoing.ts'

/** A page from a provider. `nextCursor` is the provider's own token (never a URL); core MACs and wraps it. */
export interface Page<T> {
  readonly items: readonly T[]
  readonly nextCursor?: string
}

/** `GET /messages`, parsed (contract/email.md 3.2). Absent means not asked for. */
export interface MessageQuery {
  /** 1 to 200 */
  readonly limit: number
  readonly cursor?: string
  readonly fields: MessageFields
  /** Top-level field names the client wants; a provider may use it to ask for less. */
  readonly select?: readonly string[]
  readonly subject?: string
  readonly from?: string
  readonly to?: string
  readonly cc?: string
  readonly bcc?: string
  /** 1 to 25 addresses, any of them in From, To, Cc or Bcc */
  readonly anyEmail?: readonly string[]
  /** a folder id */
  readonly in?: string
  readonly unread?: boolean
  readonly starred?: boolean
  readonly hasAttachment?: boolean
  readonly threadId?: string
  /** Unix seconds, strict */
  readonly receivedBefore?: number
  readonly receivedAfter?: number
  readonly searchQueryNative?: string
  readonly queryImap?: boolean
  /** Microsoft only: address of a shared mailbox, and a folder id in it */
  readonly sharedFrom?: string
  readonly sharedFolderId?: string
  /** The caller heeds `inBytes` of the page; no page has it otherwise. */
  readonly takesBytes?: boolean
}

/** A page of messages. */
export interface MessagePage<T> extends Page<T> {
  /** All texts of the items are in bytes (kit/text-form.ts). */
  readonly inBytes?: boolean
}

export interface MessageFindOptions {
  readonly fields: MessageFields
  readonly select?: readonly string[]
  readonly queryImap?: boolean
  readonly sharedFrom?: string
}

/**
 * Messages of one grant, live. Newest first by `date`. Never more than `limit` items; a cursor only when
 * more can exist. A filter the provider lacks: ProviderError `unsupported`, the message names the parameter.
 * Both throw ProviderError; `not-found` for an unknown id.
 */
export interface MessagesPort {
  list(session: GrantSession, query: MessageQuery): Promise<MessagePage<FullMessage | RawMessage>>
  find(session: GrantSession, id: string, options: MessageFindOptions): Promise<FullMessage | RawMessage>
}

/** Whose mailbox a change is about: the grant's own, or a shared one (Microsoft only). */
export interface InMailbox {
  readonly sharedFrom?: string
}

/** `PUT /messages/{id}` and `PUT /threads/{id}`: only given fields change; `folders` replaces the whole set. */
export interface MessageChange extends InMailbox {
  readonly unread?: boolean
  readonly starred?: boolean
  readonly folders?: readonly string[]
}

/** Deleting: into the trash, or for good. */
export interface DeleteOptions extends InMailbox {
  readonly hard: boolean
}

/** Changes of messages. Ids stay what they were, also when the message moves. */
export interface MessageChangesPort {
  /** @returns the message as it stands after the change. Idempotent. */
  update(session: GrantSession, id: string, change: MessageChange): Promise<FullMessage>
  delete(session: GrantSession, id: string, options: DeleteOptions): Promise<void>
}

/** `GET /threads`, parsed (contract/email.md 6.1). A thread matches when any of its messages does. */
export interface ThreadQuery
  extends Omit<MessageQuery, 'fields' | 'receivedBefore' | 'receivedAfter' | 'queryImap'> {
  /** Unix seconds, strict, of the newest message */
  readonly latestMessageBefore?: number
  readonly latestMessageAfter?: number
  /** Unix seconds: threads whose earliest message is not older */
  readonly earliestMessageDate?: number
}

/**
 * Threads of one grant, live; by their newest message, newest first. The list carries the newest message of each
 * thread only. @throws ProviderError; `not-found` for an unknown id
 */
export interface ThreadsPort {
  list(session: GrantSession, query: ThreadQuery): Promise<Page<FullThread>>
  find(session: GrantSession, id: string, options: InMailbox): Promise<FullThread>
  /** Changes every message of the thread. @returns the thread after it. Idempotent. */
  update(session: GrantSession, id: string, change: MessageChange): Promise<FullThread>
  /** Moves the whole thread into the trash. */
  delete(session: GrantSession, id: string, options: InMailbox): Promise<void>
}

/** `GET /folders`, parsed (contract/email.md 7.1). */
export interface FolderQuery {
  readonly limit: number
  readonly cursor?: string
  readonly parentId?: string
  readonly includeHiddenFolders: boolean
  readonly singleLevel: boolean
  readonly sharedFrom?: string
}

export interface FoldersPort {
  list(session: GrantSession, query: FolderQuery): Promise<Page<FullFolder>>
  find(session: GrantSession, id: string, options: { readonly sharedFrom?: string }): Promise<FullFolder>
}

/** Changes of folders. */
export interface FolderChangesPort {
  create(session: GrantSession, folder: FolderCreateBody): Promise<FullFolder>
  update(session: GrantSession, id: string, change: FolderUpdateBody): Promise<FullFolder>
  /** Removes the folder with its messages (Google: the label alone). @throws ProviderError `invalid-request` for a system folder */
  delete(session: GrantSession, id: string): Promise<void>
}

/** Names an attachment: its own id means something inside its message (or draft) only. */
export interface AttachmentRef extends InMailbox {
  readonly messageId: string
  readonly attachmentId: string
}

/** An attachment with its bytes, decoded, as they arrive: never whole in memory. */
export interface OpenedAttachment {
  readonly attachment: Attachment
  /** The exact number of bytes, where it is known beforehand. */
  readonly sizeBytes?: number
  /** Whoever opened it reads it to its end or destroys it. It fails with a ProviderError. */
  readonly content: Readable
}

/** Attachments (contract/email.md 9). @throws ProviderError `not-found` for an unknown message or attachment */
export interface AttachmentsPort {
  find(session: GrantSession, ref: AttachmentRef): Promise<Attachment>
  open(session: GrantSession, ref: AttachmentRef): Promise<OpenedAttachment>
}

/** Differences between mail providers that core needs to know, as facts. */
export interface MailFacts {
  /** Largest message, in bytes as sent (base64 counted); for Microsoft with upload sessions the largest attachment. */
  readonly maxMessageBytes: number
  /** A scheduled message may wait as a draft at the provider (`use_draft`). */
  readonly schedulesDrafts: boolean
  /** Takes attachments of up to 150 MB by upload sessions (contract/email.md 9.4). */
  readonly takesLargeUploads: boolean
}

/** What a provider's mail can do; what it lacks is absent, and core answers the documented error. */
export interface Mail {
  readonly facts?: MailFacts
  readonly messages: MessagesPort
  readonly messageChanges?: MessageChangesPort
  readonly threads?: ThreadsPort
  readonly folders: FoldersPort
  readonly folderChanges?: FolderChangesPort
  readonly attachments?: AttachmentsPort
  readonly drafts?: DraftsPort
  readonly send?: SendPort
}
