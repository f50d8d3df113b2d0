import { appError } from '../../contract/errors.ts'

interface Waiter {
  proceed(): void
}

/**
 * Lets one caller at a time write to the embedded database, first come first served. It is held for the
 * length of a transaction, across its awaits, where SQLite's own lock would only answer "busy".
 */
export class WriteLock {
  readonly #maxWaitMs: number
  readonly #waiters = new Set<Waiter>()
  #held = false

  constructor(maxWaitMs: number) {
    this.#maxWaitMs = maxWaitMs
  }

  /**
   * Waits for the turn. Call `release` once for each time this resolves.
   *
   * @throws AppError `api.unavailable` when the turn did not come in time
   */
  async take(): Promise<void> {
    if (!this.#held) {
      this.#held = true
      return
    }
    await new Promise<void>((resolve, reject) => {
      const waiter = {
        proceed: () => {
          clearTimeout(timer)
          resolve()
        },
      }
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter)
        reject(
          appError('api.unavailable', 'The database is busy. Try again shortly.', {
            retryAfterSeconds: 1,
            detail: `no turn to write within ${this.#maxWaitMs} ms`,
          }),
        )
      }, this.#maxWaitMs)
      this.#waiters.add(waiter)
    })
  }

  release(): void {
    const [next] = this.#waiters
    if (!next) {
      this.#held = false
      return
    }
    this.#waiters.delete(next)
    next.proceed()
  }
}
