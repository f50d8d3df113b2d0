import type { Kysely, RawBuilder, SelectQueryBuilder } from 'kysely'
import type { Tables } from './tables.ts'

/** A connection or a transaction: what repositories run their statements on. */
export type Connection = Kysely<Tables>

/** Columns by name: their type, and their values in the order of the rows. */
export interface GivenColumns {
  readonly [name: string]:
    | { readonly type: 'text'; readonly values: readonly (string | null)[] }
    | { readonly type: 'bigint'; readonly values: readonly (number | null)[] }
}

/** A list of texts as an engine takes it. */
export type ListValue = string | readonly string[]

/** Everything in which the two engines differ, by name. Repositories and migrations know no other difference. */
export interface Engine {
  /** The engine's own clock as SQL: integer milliseconds since the Unix epoch, read when the statement runs. */
  readonly nowMs: RawBuilder<number>
  /** Column type of text that compares and sorts by bytes, whatever the locale of the database. */
  readonly text: RawBuilder<unknown>
  /** Column type of bytes. */
  readonly bytes: RawBuilder<unknown>
  /** Column type of a primary key that numbers the rows in the order they came. */
  readonly sequence: RawBuilder<unknown>
  hasTable(connection: Connection, name: string): Promise<boolean>
  /** Tells whether a statement failed because a row with that key is there already. */
  isUniqueViolation(error: unknown): boolean
  /** Locks the rows of a subquery where others may claim them too, and leaves out those that are locked already. */
  skippingLocked<DB, TB extends keyof DB, O>(
    query: SelectQueryBuilder<DB, TB, O>,
  ): SelectQueryBuilder<DB, TB, O>
  /** Keeps the rows of a query from being deleted until the transaction ends; other changes of them go on. */
  keepingRows<DB, TB extends keyof DB, O>(query: SelectQueryBuilder<DB, TB, O>): SelectQueryBuilder<DB, TB, O>
  /** Keeps the rows of a query from being changed or deleted until the transaction ends. */
  lockingRows<DB, TB extends keyof DB, O>(query: SelectQueryBuilder<DB, TB, O>): SelectQueryBuilder<DB, TB, O>
  /** A list of texts as one value of a statement, however long. */
  list(values: readonly string[]): ListValue
  /** Tells whether a column is one of the texts of a list. */
  isAnyOf(column: RawBuilder<unknown>, list: ListValue): RawBuilder<boolean>
  /**
   * A table `given` of columns of values, all of one length, for `insert into … select … from`: one value per column
   * or one for all, so that a statement of many rows is as short as one of a single row.
   */
  givenRows(columns: GivenColumns): RawBuilder<unknown>
  /** Makes the database refuse to change or delete a row of the table. */
  makeAppendOnly(connection: Connection, table: string): Promise<void>
  /**
   * Makes the database refuse a row of the table whose sealed columns name a closed or deleted data key. The stores
   * throw `api.unavailable` then: sealed anew, the value goes in.
   */
  refuseClosedKeys(connection: Connection, table: string, columns: readonly string[]): Promise<void>
  /**
   * Waits until every transaction that has written to the tables is over, and holds up others until the caller's
   * transaction ends.
   * @throws AppError `api.unavailable` when that takes longer than `waitMs` for any of them
   */
  holdUpWrites(transaction: Connection, tables: readonly string[], waitMs: number): Promise<void>
  /** Runs `work` while no other process and no other call on this database migrates. */
  withMigrationLock<T>(work: (connection: Connection) => Promise<T>): Promise<T>
}
