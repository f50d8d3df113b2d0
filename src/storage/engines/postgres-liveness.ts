import { createHash } from 'node:crypto'
import pg from 'pg'
import { type RawBuilder, sql } from 'kysely'
import type { Liveness } from '../../core/ports/stores.ts'
import { patientDeadline, sleep } from '../../kit/deadline.ts'
import type { Logger } from '../../kit/logger.ts'
import type { Connection } from '../engine.ts'
import { NOBODY } from '../nobody.ts'
import { toPostgresStorageError } from './postgres-errors.ts'
import { connectionOptions } from './postgres-pool.ts'

export const HEARTBEAT_MS = 10_000
const FIRST_RETRY_MS = 200
const MAX_RETRY_MS = 5_000
const END_WAIT_MS = 2_000
/**
 * How long an attempt may be answered after it began, whatever its holder's lock says: twice the deadline of a token
 * call. In that time who lost only the connection has long taken the lock again.
 */
const ANSWER_MS = 30_000
/** How long after a loss of this process's own lock other living processes may still be retaking theirs. */
const SETTLE_MS = 2 * MAX_RETRY_MS + 5_000

/**
 * Shows other processes that this one lives: a session advisory lock on a connection of its own, named after
 * the holder id. It falls with the process or its connection, not with a pause. A lost connection is made
 * anew and the lock taken again. A restart of the server takes every process's lock at once: one who has just lost its
 * own therefore believes for a while that the others live, so that no request of theirs is sent a second time.
 */
export class PostgresLiveness implements Liveness {
  readonly self: string
  readonly #connection: Connection
  readonly #nowMs: RawBuilder<number>
  readonly #url: string
  readonly #logger: Logger
  readonly #heartbeatMs: number
  #client: pg.Client | undefined
  #timer: NodeJS.Timeout | undefined
  #closed = false
  /** on the clock of `performance` */
  #lostAtMs = Number.NEGATIVE_INFINITY

  /**
   * @param connection  where the locks of others are asked about
   * @param nowMs       the database's clock
   * @param heartbeatMs how often it is looked whether the connection still stands, and how long an answer may take
   */
  constructor(options: {
    readonly self: string
    readonly connection: Connection
    readonly nowMs: RawBuilder<number>
    readonly url: string
    readonly logger: Logger
    readonly heartbeatMs: number
  }) {
    this.self = options.self
    this.#connection = options.connection
    this.#nowMs = options.nowMs
    this.#url = options.url
    this.#logger = options.logger
    this.#heartbeatMs = options.heartbeatMs
  }

  /** Takes the lock for the first time. @throws AppError `api.unavailable` */
  async start(): Promise<void> {
    try {
      await this.#hold()
    } catch (error) {
      throw toPostgresStorageError(error)
    }
  }

  async isAlive(holder: string): Promise<boolean> {
    if (holder === this.self) return true
    if (holder === NOBODY) return false
    // Shared, so that two who ask at once don't take each other for the holder; free again with the statement.
    const free = sql<{
      free: boolean
    }>`select pg_try_advisory_xact_lock_shared(${lockKey(holder)}::bigint) as free`
    const { rows } = await free.execute(this.#connection)
    return rows[0]?.free !== true || performance.now() - this.#lostAtMs < SETTLE_MS
  }

  async mayAnswer({ holder, startedAtMs }: Parameters<Liveness['mayAnswer']>[0]): Promise<boolean> {
    if (await this.isAlive(holder)) return true
    if (holder === NOBODY) return false
    const ages = sql<{ age: number }>`select ${this.#nowMs} - ${startedAtMs}::bigint as age`
    const { rows } = await ages.execute(this.#connection)
    return (rows[0]?.age ?? 0) < ANSWER_MS
  }

  async stop(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    const client = this.#client
    this.#client = undefined
    if (client) await discard(client)
  }

  async #hold(): Promise<void> {
    const client = new pg.Client(connectionOptions(this.#url))
    client.on('error', () => this.#lose(client))
    client.on('end', () => this.#lose(client))
    this.#client = client
    try {
      await client.connect()
      // The server notices within half a minute when the machine of this process vanishes.
      await this.#answerOf(
        client.query(
          'set tcp_keepalives_idle = 10; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 3; ' +
            'set statement_timeout = 0',
        ),
      )
      await this.#answerOf(client.query('select pg_advisory_lock($1::bigint)', [lockKey(this.self)]))
    } catch (error) {
      this.#client = undefined
      await discard(client)
      throw error
    }
    if (this.#closed) return discard(client)
    this.#later(this.#heartbeatMs, () => this.#beat(client))
  }

  async #beat(client: pg.Client): Promise<void> {
    try {
      await this.#answerOf(client.query('select 1'))
      this.#later(this.#heartbeatMs, () => this.#beat(client))
    } catch {
      this.#lose(client) // whatever it is, this connection can't be relied on
    }
  }

  #lose(client: pg.Client): void {
    if (this.#closed || this.#client !== client) return
    this.#client = undefined
    this.#lostAtMs = performance.now()
    this.#logger.warn({ holder: this.self }, 'liveness-lock-lost')
    void discard(client)
    this.#later(0, () => this.#retake(FIRST_RETRY_MS))
  }

  async #retake(nextRetryMs: number): Promise<void> {
    try {
      await this.#hold()
      this.#lostAtMs = performance.now()
      this.#logger.info({ holder: this.self }, 'liveness-lock-retaken')
    } catch (error) {
      this.#logger.debug({ err: error }, 'liveness-lock-not-retaken')
      this.#later(nextRetryMs, () => this.#retake(Math.min(2 * nextRetryMs, MAX_RETRY_MS)))
    }
  }

  /**
   * Waits only so long for an answer. Not by pg's own `query_timeout`: a process that was stopped while it waited would
   * find that over before it has read the answer, and drop its lock just when it wakes.
   */
  async #answerOf(query: Promise<unknown>): Promise<void> {
    const deadline = patientDeadline(this.#heartbeatMs)
    const tooLate = new Promise<never>((_, reject) => {
      deadline.addEventListener('abort', () => reject(deadline.reason), { once: true })
    })
    await Promise.race([query, tooLate])
  }

  #later(ms: number, work: () => Promise<void>): void {
    clearTimeout(this.#timer)
    if (this.#closed) return
    this.#timer = setTimeout(() => void work(), ms)
    this.#timer.unref()
  }
}

/** Ends a connection, and waits for its end only so long: the other side may have vanished. */
async function discard(client: pg.Client): Promise<void> {
  const enough = new AbortController()
  const ended = client.end().catch(() => undefined) // broken already: there is nothing left to end
  const waited = sleep(END_WAIT_MS, enough.signal).catch(() => undefined) // it ended before
  await Promise.race([ended, waited])
  enough.abort()
}

/** An advisory lock is named by a number of 64 bits. */
function lockKey(holder: string): string {
  return createHash('sha256').update(`grantway holder ${holder}`).digest().readBigInt64BE(0).toString()
}
