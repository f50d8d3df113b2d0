import { sql } from 'kysely'
import type { Connection, Engine } from './engine.ts'

/** Runs `work` in the transaction that is open on the connection, or in one of its own. */
export function inTransaction<T>(
  connection: Connection,
  work: (transaction: Connection) => Promise<T>,
): Promise<T> {
  return connection.isTransaction ? work(connection) : connection.transaction().execute(work)
}

/**
 * Runs one statement that a unique index may refuse. A refusal undoes that statement only: on PostgreSQL it
 * would otherwise spoil the caller's whole transaction.
 *
 * @returns false when a unique index refused it
 */
export function unlessTaken(
  connection: Connection,
  engine: Engine,
  statement: (transaction: Connection) => Promise<unknown>,
): Promise<boolean> {
  return inTransaction(connection, async (transaction) => {
    await sql`savepoint unless_taken`.execute(transaction)
    try {
      await statement(transaction)
    } catch (error) {
      if (!engine.isUniqueViolation(error)) throw error
      await sql`rollback to savepoint unless_taken`.execute(transaction)
      return false
    }
    await sql`release savepoint unless_taken`.execute(transaction)
    return true
  })
}
