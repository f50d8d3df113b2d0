import type { FullFolder } from '../../contract/folder.ts'
import type { FullMessage, MessageFields, RawMessage } from '../../contract/message.ts'
import type { GrantSession } from './grant-session.ts'

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
  list(session: GrantSession, query: MessageQuery): Promise<Page<FullMessage | RawMessage>>
  find(session: GrantSession, id: string, options: MessageFindOptions): Promise<FullMessage | RawMessage>
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

export interface Mail {
  readonly messages: MessagesPort
  readonly folders: FoldersPort
}
