import type { Grant, ListMessagesQueryParams, Message, SendMessageRequest } from 'nylas'
import type { Sdk } from './sdk-client.ts'

/** A whole server with a mailbox behind it. */
export interface SuiteWorld {
  readonly url: string
  readonly key: string
  readonly nylas: Sdk
  readonly grant: Grant
  /** What narrows a list to mail that nothing else touches; nothing where all of the mailbox is the suite's. */
  readonly scope: ListMessagesQueryParams
  /** Of the seeded mail, a search in the provider's own language and what it finds. */
  readonly native: { readonly query: string; readonly keeps: (message: Message) => boolean }
  /** Checks what the world saw, and ends it. */
  stop(): Promise<void>
}

/** How providers differ in what the API promises of them. */
export interface SuiteFacts {
  readonly name: string
  readonly start: () => Promise<SuiteWorld>
  /** `use_draft` keeps a scheduled message as a draft at the provider. */
  readonly schedulesDrafts: boolean
  /** Upload sessions (contract/email.md 9.4). */
  readonly takesLargeUploads: boolean
  /** A message may be in several folders. */
  readonly hasLabels: boolean
  /** Folders have a parent by id. */
  readonly hasParents: boolean
}

/** What the tests of a suite share; `mail` is all seeded mail in scope, by one request, newest first. */
export interface Suite extends SuiteFacts {
  readonly world: () => SuiteWorld
  readonly mail: () => readonly Message[]
  readonly list: (queryParams?: ListMessagesQueryParams) => ReturnType<Sdk['messages']['list']>
  readonly find: (messageId: string) => Promise<Message>
  readonly send: (
    requestBody: Partial<SendMessageRequest> & { readonly metadata?: object },
  ) => Promise<Message>
}

/** Someone who is no user of any of the mailboxes. */
export const BEN = { name: 'Ben Itō', email: 'ben@globex.example' }
