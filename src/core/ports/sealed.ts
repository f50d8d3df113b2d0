import type { ApplicationId } from '../../contract/ids.ts'

/** A table that holds sealed values; its rows name their application in `application_id`. */
export interface SealedTable {
  readonly table:
    | 'credentials'
    | 'webhooks'
    | 'signing_keys'
    | 'oauth_sessions'
    | 'pending_secrets'
    | 'idempotency_keys'
    | 'tracked_messages'
    | 'scheduled_sends'
    | 'contents'
    | 'grant_secrets'
  /** its primary key, and the `rowId` of the seals */
  readonly id: 'id' | 'kid' | 'grant_id'
  readonly columns: readonly string[]
}

/**
 * Every column that holds a sealed value, in the order in which a rotation walks them: the small tables first. A
 * column that is missing here would lose its data key; a test compares this with the database's own columns. A new
 * one also needs the fence of migration 0003 (`Engine.refuseClosedKeys`).
 */
export const SEALED_TABLES: readonly SealedTable[] = [
  { table: 'credentials', id: 'id', columns: ['sealed_data'] },
  { table: 'webhooks', id: 'id', columns: ['sealed_secret'] },
  { table: 'signing_keys', id: 'kid', columns: ['sealed_private'] },
  { table: 'oauth_sessions', id: 'id', columns: ['sealed_verifier'] },
  { table: 'pending_secrets', id: 'id', columns: ['sealed'] },
  { table: 'idempotency_keys', id: 'id', columns: ['sealed_answer'] },
  { table: 'tracked_messages', id: 'id', columns: ['sealed_links'] },
  { table: 'scheduled_sends', id: 'id', columns: ['sealed_message'] },
  { table: 'contents', id: 'id', columns: ['sealed_key'] },
  {
    table: 'grant_secrets',
    id: 'grant_id',
    columns: ['sealed_secret', 'sealed_access_token', 'sealed_superseded'],
  },
]

/** A row's sealed values by column; null where there is none. */
export interface SealedRow {
  readonly id: string
  readonly applicationId: ApplicationId
  readonly values: { readonly [column: string]: string | null }
}

/** Values of a row, sealed anew. */
export interface Resealed {
  readonly id: string
  /** the columns that change, as they were read */
  readonly before: { readonly [column: string]: string }
  readonly after: { readonly [column: string]: string }
}

/** The sealed values of all tables, as a key rotation walks them. */
export interface SealedStore {
  count(table: SealedTable): Promise<number>
  /** The next rows in the order of their ids. */
  list(table: SealedTable, afterId: string, limit: number): Promise<readonly SealedRow[]>
  /**
   * Puts newly sealed values in place of the old ones, in one transaction, where the old ones still stand. Versions
   * and times of the rows stay. Waits for no lock: a row that somebody is changing is left out.
   * @returns how many rows it changed
   */
  replace(table: SealedTable, rows: readonly Resealed[]): Promise<number>
}
