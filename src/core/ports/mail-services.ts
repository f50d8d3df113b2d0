import type { Readable } from 'node:stream'
import type { DraftBody, SendBody, TemplateUse, TrackingRequest } from '../../contract/outgoing.ts'
import type { WireDraft, WireSentMessage } from '../../contract/message.ts'
import type { WireSchedule } from '../../contract/schedule.ts'
import type { CompletedUpload, UploadBody, WireUpload } from '../../contract/upload.ts'
import type { JsonObject } from '../../kit/json.ts'
import type { Page } from './mail.ts'
import type { ClaimedSend, SendUnderWay } from './mail-stores-scheduled.ts'
import type { DraftQuery, OutgoingAttachment, OutgoingMessage } from './outgoing.ts'
import type { GrantRecord } from './records.ts'
import type { RequestContext } from './services.ts'

/** A message as it will leave: everything of the request is settled, nothing of it is asked for again. */
export interface PreparedMessage {
  readonly message: OutgoingMessage
  readonly metadata?: JsonObject
  readonly tracking?: PreparedTracking
}

/** Tracking whose links and image are in the body already; it counts once the message has gone. */
export interface PreparedTracking {
  readonly id: string
  readonly options: TrackingRequest
  /** links in the order of their index */
  readonly links: readonly string[]
}

/** Makes a request into a message, and sends it. Used by requests, and by scheduled sends when they are due. */
export interface MessageSender {
  /**
   * Sends, keeps its metadata and tracking under the message's id.
   * @returns the message as answered to the client
   */
  send(
    grant: GrantRecord,
    prepared: PreparedMessage,
    context: RequestContext,
    options: { readonly withHeaders: boolean },
  ): Promise<WireSentMessage>
}

/** Files that came with a request in a form (contract/email.md 4.3). */
export interface SendRequest {
  readonly body: SendBody
  readonly files: readonly OutgoingAttachment[]
  readonly fields: 'standard' | 'include_headers' | 'include_basic_headers'
}
export interface DraftRequest {
  readonly body: DraftBody
  readonly files: readonly OutgoingAttachment[]
}

/** Message-like answers of sending; `scheduled` decides the status (202) and the top-level copies. */
export interface SendAnswer {
  readonly data: WireSentMessage
  readonly scheduled: boolean
}

/** Takes a message to send later (contract/email.md 5.1). */
export interface MessageScheduler {
  /**
   * Stores the message, or makes it a draft at the provider (`useDraft`), to be sent at `sendAt` (Unix seconds): at
   * most once, and never silently dropped.
   * @returns the schedule's id
   */
  schedule(
    grant: GrantRecord,
    prepared: PreparedMessage,
    when: { readonly sendAt: number; readonly useDraft: boolean },
    context: RequestContext,
  ): Promise<string>
  /** Ids of drafts that are being sent, or will be within ten seconds: they can't be changed any more. */
  leavingDrafts(grant: GrantRecord): Promise<ReadonlySet<string>>
}

/** Large uploads that wait to be sent. */
export interface UploadedFiles {
  /** Finds a completed upload of this grant. @throws AppError 400 that names `field` and the id when there is none */
  take(grant: GrantRecord, attachmentId: string, field: string): Promise<OutgoingAttachment>
}

/** Renders stored templates into messages. */
export interface TemplateRenderer {
  /** @throws AppError 400: unknown template, or (strict) a variable that is not given */
  render(grant: GrantRecord, use: TemplateUse): Promise<{ readonly subject: string; readonly body: string }>
}

/** Reads signatures of a grant. */
export interface SignatureReader {
  /** @returns sanitized HTML. @throws AppError 400 that names signature_id when there is none */
  html(grant: GrantRecord, signatureId: string): Promise<string>
}

/** Prepares and records tracking (contract/email.md 5.4). */
export interface MessageTracking {
  /** Refuses what can't be tracked, before a draft takes it. @throws AppError `api.tracking_error` */
  check(options: TrackingRequest): void
  /** Puts the image and the links into an HTML body. @throws AppError `api.tracking_error` */
  prepare(
    grant: GrantRecord,
    content: { readonly body: string; readonly isPlaintext: boolean },
    options: TrackingRequest,
  ): Promise<{ readonly body: string; readonly tracking: PreparedTracking | undefined }>
  /** Notes which message carries it; from then on opens, clicks and replies count. Idempotent. */
  sent(
    grant: GrantRecord,
    tracking: PreparedTracking,
    message: { readonly id: string; readonly threadId: string; readonly wire: WireSentMessage },
  ): Promise<void>
  /** `tracking_options` of messages, for `fields=include_tracking_options`. */
  optionsOf(grant: GrantRecord, messageIds: readonly string[]): Promise<ReadonlyMap<string, TrackingRequest>>
}

/** A request for the image or a link of a tracked message: who it came from, and whether somebody is behind it. */
export interface TrackingVisit {
  readonly ip: string
  readonly userAgent: string | null
  /** values of the headers by which a prefetch is announced */
  readonly purpose: readonly string[]
  /** HEAD: answered, never counted */
  readonly isProbe: boolean
}

/** Answers recipients of tracked messages. What they do is counted behind the answer. */
export interface TrackingService {
  /** Never tells whether the token is known. */
  opened(token: string, visit: TrackingVisit): void
  /** @returns where the link leads: an address of the message that was sent; null for an unknown one */
  clicked(token: string, visit: TrackingVisit): Promise<string | null>
  /** Resolves when everything so far has been counted. */
  idle(): Promise<void>
}

/** Metadata of provider objects, kept by this server. */
export interface MetadataKeeper {
  /** @throws AppError 400 for more than 50 pairs or a value that is no text of at most 500 characters */
  check(metadata: JsonObject): void
  put(grant: GrantRecord, kind: MetadataKind, objectId: string, metadata: JsonObject): Promise<void>
  of(
    grant: GrantRecord,
    kind: MetadataKind,
    objectIds: readonly string[],
  ): Promise<ReadonlyMap<string, JsonObject>>
  /** Object ids with that pair, newest first. @param pair  `key1:value` */
  withPair(
    grant: GrantRecord,
    kind: MetadataKind,
    pair: string,
    page: { readonly limit: number; readonly cursor?: string },
  ): Promise<{ readonly items: readonly string[]; readonly nextCursor?: string }>
  remove(grant: GrantRecord, kind: MetadataKind, objectId: string): Promise<void>
}
export type MetadataKind = 'message' | 'draft'

/** `GET /drafts`: core opens the page token. */
export type DraftListRequest = Omit<DraftQuery, 'cursor'> & {
  readonly pageToken?: string
  readonly metadataPair?: string
}

/** `POST /messages/send` and drafts. */
export interface OutgoingService {
  listDrafts(grant: GrantRecord, request: DraftListRequest, context: RequestContext): Promise<Page<WireDraft>>
  findDraft(grant: GrantRecord, id: string, context: RequestContext): Promise<WireDraft>
  /** For good, with what this server keeps about it. */
  deleteDraft(grant: GrantRecord, id: string, context: RequestContext): Promise<void>
  send(grant: GrantRecord, request: SendRequest, context: RequestContext): Promise<SendAnswer>
  sendRaw(
    grant: GrantRecord,
    source: Uint8Array,
    fields: SendRequest['fields'],
    context: RequestContext,
  ): Promise<SendAnswer>
  createDraft(grant: GrantRecord, request: DraftRequest, context: RequestContext): Promise<WireDraft>
  updateDraft(
    grant: GrantRecord,
    id: string,
    request: DraftRequest,
    context: RequestContext,
  ): Promise<WireDraft>
  sendDraft(
    grant: GrantRecord,
    id: string,
    options: { readonly signatureId?: string },
    context: RequestContext,
  ): Promise<WireSentMessage>
}

/** What is to be known of bytes that are kept. */
export interface NewContent {
  readonly id: string
  /** the schedule or upload they belong to */
  readonly ownerId: string
  /** from now on, unless their owner keeps them for longer */
  readonly expiresInMs: number
  readonly maxBytes: number
}

/** Bytes kept for a while, sealed, in pieces (uploads, files of scheduled messages). */
export interface ContentKeeper {
  /**
   * Reads to the end; what could not be read whole is not kept.
   * @returns how many bytes
   * @throws AppError 413 over `maxBytes`; whatever the bytes fail with
   */
  store(grant: GrantRecord, content: NewContent, bytes: AsyncIterable<Uint8Array>): Promise<number>
  /** Opens them; may be called again. Bytes that are gone make the stream fail. */
  open(contentId: string): Readable
  remove(contentId: string): Promise<void>
}

/** Scheduled messages of a grant (contract/email.md 5.1). */
export interface ScheduleService {
  /** Those that wait, and those closed within 72 hours; the soonest first. */
  list(grant: GrantRecord): Promise<readonly WireSchedule[]>
  /** @throws AppError 404 */
  find(grant: GrantRecord, id: string): Promise<WireSchedule>
  /** @throws AppError 404; 400 when it is too late */
  stop(grant: GrantRecord, id: string): Promise<void>
}

/** Sends what is due; jobs call it. */
export interface ScheduledSending {
  /**
   * Sends a claimed message, or puts it off, or gives it up, and writes down which.
   * @returns when it is written down
   */
  send(claimed: ClaimedSend): Promise<void>
  /** Closes a message whose process ended while it was sending: nobody knows whether it went. */
  abandon(send: SendUnderWay): Promise<void>
}

/** Large uploads (contract/email.md 9.4). */
export interface UploadService {
  /** @throws AppError 400; 401 where the grant's provider takes none */
  create(grant: GrantRecord, body: UploadBody): Promise<WireUpload>
  /**
   * Takes the bytes; others may follow until the upload is completed.
   * @throws AppError 404 for an unknown id or token; 409, 410, 413, 422
   */
  receive(id: string, token: string, bytes: AsyncIterable<Uint8Array>): Promise<void>
  /** @throws AppError 404, 409, 410, 422 */
  complete(grant: GrantRecord, id: string): Promise<CompletedUpload>
}

/** An answer as its bytes went out. */
export interface KeptAnswer {
  readonly status: number
  /** JSON */
  readonly body: string
  readonly requestId: string
}

/** Requests with an `Idempotency-Key` (contract/email.md 5.5). */
export interface IdempotencyService {
  /**
   * Does `work` the first time, and gives its answer again for an hour. `work` turns every documented error into an
   * answer; what it throws is a fault.
   * @param payload  digest of what is asked for
   * @throws AppError 400 for a bad key, 409 for another payload or while the first is under way, 504 when the first ended
   *         without an answer
   */
  once(
    grant: GrantRecord,
    request: { readonly key: string; readonly payload: string },
    work: () => Promise<KeptAnswer>,
  ): Promise<KeptAnswer & { readonly isRepeated: boolean }>
}
