import type { GrantId } from '../../contract/ids.ts'
import type { JsonObject } from '../../kit/json.ts'
import type { GrantRecord, GrantSecretRecord, OutboxEvent, SeenTokenRecord } from './records.ts'
import type { ApplicationId } from '../../contract/ids.ts'
import type { Caller } from './services.ts'
import type { SeenTokenKey } from './stores.ts'
import type { StoredTokens } from './grant-secret-store.ts'

export type ImportFormat = 'ndjson' | 'csv'

/** A row as it stands in the file, or why it can't be read. `line` counts from 1. */
export type RawRow =
  | { readonly line: number; readonly value: JsonObject }
  | { readonly line: number; readonly problem: string }

export interface ImportOptions {
  /** `lazy`: a token is used for the first time when its grant is; `now`: the provider is asked at once */
  readonly verify: 'lazy' | 'now'
  /** nothing is written and no provider is asked */
  readonly dryRun: boolean
  /** whether `grant.created` and `grant.updated` are sent */
  readonly events: boolean
}

export interface RowError {
  readonly type: string
  readonly message: string
}

/** What became of a row. */
export type RowResult =
  | {
      readonly line: number
      readonly outcome: 'created' | 'updated' | 'skipped'
      /** fields of the row that mean nothing here */
      readonly ignored?: readonly string[]
    }
  | { readonly line: number; readonly outcome: 'failed'; readonly email?: string; readonly error: RowError }

export interface ImportService {
  /**
   * Imports a batch of rows. Safe to repeat after any failure or crash: what is there already is recognised.
   * @returns one result per row, in their order
   * @throws AppError 503 while the database can't be reached: the batch may be sent again
   */
  importRows(caller: Caller, rows: readonly RawRow[], options: ImportOptions): Promise<readonly RowResult[]>
}

/** A grant to be made, with all that goes with it. */
export interface NewImportedGrant {
  readonly grant: GrantRecord
  /** null: a placeholder without a secret */
  readonly secret: StoredTokens | null
  readonly event: OutboxEvent | null
}

/** Look-ups and inserts of many grants at a time. */
export interface ImportStore {
  /** Grants of these addresses, whatever the provider. */
  findByMailboxes(applicationId: ApplicationId, emailKeys: readonly string[]): Promise<readonly GrantRecord[]>
  /** Which of these ids are a grant's, of whatever application. */
  findTakenIds(ids: readonly GrantId[]): Promise<ReadonlySet<string>>
  /** Whose these account ids are. */
  findAccountIds(
    applicationId: ApplicationId,
    accountIds: readonly string[],
  ): Promise<ReadonlyMap<string, GrantId>>
  findSeenTokens(
    applicationId: ApplicationId,
    digests: readonly string[],
  ): Promise<readonly SeenTokenRecord[]>
  findSecrets(grantIds: readonly GrantId[]): Promise<readonly GrantSecretRecord[]>
  /**
   * Inserts refresh tokens as granted, version 1. Call it first in a transaction: the grants may come after.
   * @returns digests of those that were not known; the others are left as they were
   */
  insertSeenTokens(
    tokens: readonly { readonly key: SeenTokenKey; readonly grantId: GrantId }[],
  ): Promise<ReadonlySet<string>>
  deleteSeenTokens(applicationId: ApplicationId, digests: readonly string[]): Promise<void>
  /**
   * Inserts grants with their secrets and events. One whose mailbox, id or account id is taken is left out.
   * @returns ids of those that were made
   */
  insertGrants(grants: readonly NewImportedGrant[]): Promise<ReadonlySet<GrantId>>
  insertEvents(events: readonly OutboxEvent[]): Promise<void>
}
