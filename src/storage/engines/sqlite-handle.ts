import { DatabaseSync, type DatabaseSyncOptions, type SQLInputValue, type StatementSync } from 'node:sqlite'
import type { QueryResult } from 'kysely'
import { refuseNul } from '../refuse-nul.ts'
import { toSqliteStorageError } from './sqlite-errors.ts'

interface Prepared {
  readonly statement: StatementSync
  readonly returnsRows: boolean
}

/** Statements kept ready. The repositories have some hundred; a longer list of ids makes another one. */
const MAX_PREPARED = 500

/** One connection to a SQLite file with its prepared statements. Every call runs at once, to its end. */
export class SqliteHandle {
  readonly database: DatabaseSync
  readonly #prepared = new Map<string, Prepared>()

  constructor(path: string, options: DatabaseSyncOptions) {
    this.database = new DatabaseSync(path, options)
  }

  /** @throws AppError `api.unavailable` while another process holds the file, else SQLite's error */
  run<Row>(text: string, values: readonly unknown[]): QueryResult<Row> {
    refuseNul(values)
    try {
      const { statement, returnsRows } = this.#prepare(text)
      const bound = values.map(toBindable)
      if (returnsRows) {
        // Kysely's types say what a query's rows look like; nothing here could check it.
        const rows = statement.all(...bound) as Row[]
        return { rows, numAffectedRows: BigInt(rows.length) }
      }
      return { rows: [], numAffectedRows: BigInt(statement.run(...bound).changes) }
    } catch (error) {
      throw toSqliteStorageError(error)
    }
  }

  /** Rows that this connection has changed since it was opened, also those of transactions undone later. */
  changes(): number {
    const count = this.#prepare('select total_changes() as changes').statement.get()?.['changes']
    return typeof count === 'number' ? count : Number.NaN
  }

  close(): void {
    this.#prepared.clear()
    if (this.database.isOpen) this.database.close()
  }

  #prepare(text: string): Prepared {
    const known = this.#prepared.get(text)
    if (known) {
      this.#prepared.delete(text)
      this.#prepared.set(text, known)
      return known
    }
    const statement = this.database.prepare(text)
    const prepared = { statement, returnsRows: statement.columns().length > 0 }
    const [oldest] = this.#prepared.keys()
    if (oldest !== undefined && this.#prepared.size >= MAX_PREPARED) this.#prepared.delete(oldest)
    this.#prepared.set(text, prepared)
    return prepared
  }
}

function toBindable(value: unknown): SQLInputValue {
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint') {
    return value
  }
  if (value instanceof Uint8Array) return value
  throw new TypeError(`SQLite can't keep a value of type ${typeof value}`)
}
