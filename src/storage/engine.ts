import type { Kysely, RawBuilder, SelectQueryBuilder } from 'kysely'
import type { Tables } from './tables.ts'

/** A connection or a transaction: what repositories run their statements on. */
export type Connection = Kysely<Tables>

/** Everything in which the two engines differ, by name. Repositories and migrations know no other difference. */
export interface Engine {
  /** The engine's own clock as SQL: integer milliseconds since the Unix epoch, read when the statement runs. */
  readonly nowMs: RawBuilder<number>
  /** Column type of text that compares and sorts by bytes, whatever the locale of the database. */
  readonly text: RawBuilder<unknown>
  /** Column type of a primary key that numbers the rows in the order they came. */
  readonly sequence: RawBuilder<unknown>
  hasTable(connection: Connection, name: string): Promise<boolean>
  /** Tells whether a statement failed because a row with that key is there already. */
  isUniqueViolation(error: unknown): boolean
  /** Locks the rows of a subquery where others may claim them too, and leaves out those that are locked already. */
  skippingLocked<DB, TB extends keyof DB, O>(
    query: SelectQueryBuilder<DB, TB, O>,
  ): SelectQueryBuilder<DB, TB, O>
  /** Makes the database refuse to change or delete a row of the table. */
  makeAppendOnly(connection: Connection, table: string): Promise<void>
  /** Runs `work` while no other process and no other call on this database migrates. */
  withMigrationLock<T>(work: (connection: Connection) => Promise<T>): Promise<T>
}
