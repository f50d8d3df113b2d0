import {
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  type QueryResult,
  SelectQueryNode,
} from 'kysely'
import type { SharedSync } from './shared-sync.ts'
import type { SqliteHandle } from './sqlite-handle.ts'
import type { WriteLock } from './write-lock.ts'

interface Handles {
  readonly writer: SqliteHandle
  readonly reader: SqliteHandle
  readonly lock: WriteLock
  readonly sync: SharedSync
}

/**
 * Kysely's driver over two connections to one file: one writes, under a lock held for the length of a
 * transaction; the other serves SELECTs outside transactions and waits for nobody (WAL). Kysely's own SQLite
 * driver sends a deferred `begin`, whose later upgrade to a write fails at once when somebody else writes.
 *
 * A write or a transaction that is over has its effect, and lets the next one begin; its caller hears of it when it is on
 * the disk, together with others (shared-sync.ts).
 */
export class SqliteDriver implements Driver {
  readonly #handles: Handles

  constructor(handles: Handles) {
    this.#handles = handles
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return new SqliteConnection(this.#handles)
  }

  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await ours(connection).begin()
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await ours(connection).commit()
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await ours(connection).rollback()
  }

  async releaseConnection(connection: DatabaseConnection): Promise<void> {
    ours(connection).release()
  }

  async destroy(): Promise<void> {
    await this.#handles.sync.idle()
    this.#handles.reader.close()
    this.#handles.writer.close()
  }
}

function ours(connection: DatabaseConnection): SqliteConnection {
  if (connection instanceof SqliteConnection) return connection
  throw new TypeError('a connection of another driver')
}

class SqliteConnection implements DatabaseConnection {
  readonly #handles: Handles
  #holdsLock = false

  constructor(handles: Handles) {
    this.#handles = handles
  }

  async executeQuery<Row>({ sql, parameters, query }: CompiledQuery): Promise<QueryResult<Row>> {
    const { writer, reader, lock, sync } = this.#handles
    if (this.#holdsLock) return writer.run(sql, parameters)
    if (SelectQueryNode.is(query)) return reader.run(sql, parameters)
    await lock.take()
    let result: QueryResult<Row>
    try {
      sync.refuseAfterFailure()
      result = writer.run(sql, parameters)
    } finally {
      lock.release()
    }
    await sync.settled(writer.changes())
    return result
  }

  async *streamQuery<Row>(query: CompiledQuery): AsyncIterableIterator<QueryResult<Row>> {
    yield await this.executeQuery<Row>(query)
  }

  async begin(): Promise<void> {
    const { lock, sync } = this.#handles
    await lock.take()
    this.#holdsLock = true
    sync.refuseAfterFailure()
    this.#control('begin immediate')
  }

  async commit(): Promise<void> {
    this.#control('commit')
    this.#letNext()
    await this.#settled()
  }

  /** Does nothing after a `commit` that got through: what it waits for may fail still. */
  async rollback(): Promise<void> {
    if (!this.#holdsLock) return
    this.#undo()
    this.#letNext()
    // What made the caller give up may be something it has read a moment before that reached the disk.
    await this.#settled()
  }

  #control(statement: 'begin immediate' | 'commit' | 'rollback'): void {
    this.#handles.writer.run(statement, [])
  }

  /** SQLite ends a transaction by itself after some errors (a full disk): then there is nothing to undo. */
  #undo(): void {
    if (this.#handles.writer.database.isTransaction) this.#control('rollback')
  }

  #letNext(): void {
    this.#holdsLock = false
    this.#handles.lock.release()
  }

  #settled(): Promise<void> {
    return this.#handles.sync.settled(this.#handles.writer.changes())
  }

  /** Kysely calls this last, however the transaction went: also after a `begin` or `commit` that failed. */
  release(): void {
    if (!this.#holdsLock) return
    try {
      this.#undo()
    } finally {
      this.#letNext()
    }
  }
}
