import { close, fdatasync, open } from 'node:fs'
import { promisify } from 'node:util'
import { appError } from '../../contract/errors.ts'
import type { Logger } from '../../kit/logger.ts'

/** Brings what has been written to a file onto the disk. */
export type SyncFile = (path: string) => Promise<void>

/**
 * Makes commits durable together (docs/decisions/0019): whoever has committed waits for a sync that began later, and all
 * who come while one runs share the next. The event loop goes on meanwhile.
 */
export class SharedSync {
  readonly #path: string
  readonly #syncFile: SyncFile
  readonly #logger: Logger
  #changes = 0
  #running: Promise<void> | undefined
  #next: Promise<void> | undefined
  #failure: unknown

  /** @param path  the write-ahead log, which is there from the first commit on */
  constructor(path: string, syncFile: SyncFile, logger: Logger) {
    this.#path = path
    this.#syncFile = syncFile
    this.#logger = logger
  }

  /**
   * After a sync that failed nobody knows what is on the disk, and a second one may succeed without it (the kernel drops
   * the pages that it could not write): nothing is written any more until the process starts again.
   *
   * @throws AppError `api.unavailable`
   */
  refuseAfterFailure(): void {
    if (this.#failure !== undefined) throw unavailable(this.#failure)
  }

  /**
   * Waits until everything that was committed before this call is on the disk.
   *
   * @param changes  how many rows the connection has changed so far: the same as at the last call, and there is nothing
   *                 new to bring there
   * @throws AppError `api.unavailable` when the disk failed: whether it is there is not known
   */
  async settled(changes: number): Promise<void> {
    this.refuseAfterFailure()
    if (changes !== this.#changes) {
      this.#changes = changes
      this.#next ??= this.#after(this.#running)
    }
    // What a caller without changes has read may be on its way still.
    await (this.#next ?? this.#running)
  }

  /** Waits until nothing is under way. */
  async idle(): Promise<void> {
    while (this.#next ?? this.#running) await (this.#next ?? this.#running)?.catch(() => undefined) // its callers know
  }

  async #after(previous: Promise<void> | undefined): Promise<void> {
    // The rest of this turn of the event loop joins in.
    await (previous?.catch(() => undefined) ?? new Promise((resolve) => setImmediate(resolve)))
    this.#running = this.#next
    this.#next = undefined
    try {
      this.refuseAfterFailure()
      await this.#syncFile(this.#path)
    } catch (error) {
      this.#failure ??= error
      this.#logger.error({ err: error }, 'database.sync_failed')
      throw unavailable(error)
    } finally {
      this.#running = undefined
    }
  }
}

function unavailable(cause: unknown): Error {
  return appError('api.unavailable', undefined, {
    detail: 'a sync of the database to the disk failed; restart once the disk is sound',
    cause,
    retryAfterSeconds: 5,
  })
}

/** Opens the file at the first call; `close` after the last. */
export function createFileSync(): { readonly sync: SyncFile; close(): Promise<void> } {
  let opening: Promise<number> | undefined
  return {
    async sync(path) {
      opening ??= promisify(open)(path, 'r+')
      await promisify(fdatasync)(await opening)
    },
    async close() {
      if (opening) await promisify(close)(await opening)
    },
  }
}
