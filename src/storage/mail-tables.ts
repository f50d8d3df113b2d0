import type { Generated } from 'kysely'
import type { ApplicationId, GrantId } from '../contract/ids.ts'
import type { TemplateEngine } from '../contract/template.ts'
import type { MetadataKind } from '../core/ports/mail-services.ts'

/* The rows of mail; tables.ts says how they are written. */

interface MetadataRow {
  readonly seq: Generated<number>
  readonly application_id: ApplicationId
  readonly grant_id: GrantId
  readonly kind: MetadataKind
  /** SHA-256 of the id, hex: an id may be longer than a PostgreSQL index entry can be. */
  readonly object_hash: string
  readonly object_id: string
  readonly pairs: string
}

/** The pairs of key1 to key5, hashed likewise. */
interface MetadataPairRow {
  readonly grant_id: GrantId
  readonly kind: MetadataKind
  readonly pair_hash: string
  readonly seq: number
}

interface IdempotencyKeyRow {
  readonly id: string
  readonly application_id: ApplicationId
  readonly grant_id: GrantId
  readonly attempt_id: string
  readonly payload_hash: string
  readonly sealed_answer: string | null
  readonly created_at_ms: number
}

interface DraftTrackingRow {
  readonly grant_id: GrantId
  /** SHA-256 of the id, hex */
  readonly draft_hash: string
  readonly draft_id: string
  readonly options: string
}

export interface SignatureRow {
  readonly seq: Generated<number>
  readonly id: string
  readonly application_id: ApplicationId
  readonly grant_id: GrantId
  readonly name: string
  readonly body: string
  readonly created_at: number
  readonly updated_at: number
}

export interface TemplateRow {
  readonly seq: Generated<number>
  readonly id: string
  readonly application_id: ApplicationId
  /** null: the application's own */
  readonly grant_id: GrantId | null
  readonly engine: TemplateEngine
  readonly name: string
  readonly subject: string
  readonly body: string
  readonly created_at: number
  readonly updated_at: number
}

interface ScheduledSendRow {
  readonly id: string
  readonly application_id: ApplicationId
  readonly grant_id: GrantId
  readonly state: 'waiting' | 'sending' | 'success' | 'failed'
  readonly description: string
  readonly send_at: number
  readonly use_draft: number
  /** null once it is closed */
  readonly sealed_message: string | null
  /** when it is tried next; while it is claimed: when the claim is over */
  readonly due_at_ms: number
  readonly attempts: number
  readonly first_tried_at_ms: number | null
  readonly sending_at_ms: number | null
  readonly lease: string | null
  readonly holder: string | null
  readonly created_at_ms: number
  readonly closed_at_ms: number | null
}

interface ContentRow {
  readonly id: string
  readonly application_id: ApplicationId
  readonly grant_id: GrantId
  readonly owner_id: string
  readonly sealed_key: string
  readonly size_bytes: number | null
  readonly expires_at_ms: number | null
}

interface ContentPieceRow {
  readonly content_id: string
  readonly position: number
  readonly box: Uint8Array
}

interface UploadRow {
  readonly id: string
  readonly application_id: ApplicationId
  readonly grant_id: GrantId
  readonly filename: string
  readonly content_type: string
  readonly announced_bytes: number
  readonly state: 'uploading' | 'ready'
  readonly content_id: string | null
  readonly size_bytes: number | null
  readonly token_hash: string
  readonly expires_at_ms: number
}

interface TrackedMessageRow {
  readonly id: string
  readonly application_id: ApplicationId
  readonly grant_id: GrantId
  /** SHA-256 of the id, hex; null until it has been sent */
  readonly message_hash: string | null
  readonly message_id: string | null
  readonly options: string
  readonly sealed_links: string
  readonly activity: string | null
  readonly created_at_ms: number
}

interface ReplyWatchRow {
  readonly id: string
  readonly application_id: ApplicationId
  readonly grant_id: GrantId
  /** SHA-256 of the id, hex */
  readonly thread_hash: string
  readonly thread_id: string
  readonly message_id: string
  readonly label: string
  readonly sent_at: number
  readonly replies: number
  readonly began_at_ms: number
  /** of the last reply */
  readonly stirred_at_ms: number
  readonly due_at_ms: number
}

interface WatchedReplyRow {
  readonly watch_id: string
  /** SHA-256 of the id, hex */
  readonly message_hash: string
}

interface ImapIndexRow {
  readonly seq: Generated<number>
  readonly grant_id: GrantId
  readonly account: string
  readonly path: string
  readonly uid_validity: number
  readonly rows: string
}

/** Tables of mail. */
export interface MailTables {
  readonly metadata: MetadataRow
  readonly idempotency_keys: IdempotencyKeyRow
  readonly draft_tracking: DraftTrackingRow
  readonly metadata_pairs: MetadataPairRow
  readonly signatures: SignatureRow
  readonly templates: TemplateRow
  readonly scheduled_sends: ScheduledSendRow
  readonly contents: ContentRow
  readonly content_pieces: ContentPieceRow
  readonly uploads: UploadRow
  readonly tracked_messages: TrackedMessageRow
  readonly reply_watches: ReplyWatchRow
  readonly watched_replies: WatchedReplyRow
  readonly imap_index: ImapIndexRow
}
