import { ProviderError } from '../../kit/provider-error.ts'

/**
 * One change of a draft at a time in this process: changes wait for each other, and while a draft is being sent
 * whatever else wants it is refused.
 */
export class DraftLocks {
  readonly #last = new Map<string, Promise<void>>()
  readonly #sending = new Set<string>()

  /** Runs a change when those before it are done. @throws ProviderError `conflict` while the draft is being sent */
  async changing<T>(key: string, work: () => Promise<T>): Promise<T> {
    if (this.#sending.has(key)) throw beingSent()
    return this.#inTurn(key, work)
  }

  /** As `changing`, and refuses every other use until it is done. */
  async sending<T>(key: string, work: () => Promise<T>): Promise<T> {
    if (this.#sending.has(key)) throw beingSent()
    this.#sending.add(key)
    try {
      return await this.#inTurn(key, work)
    } finally {
      this.#sending.delete(key)
    }
  }

  async #inTurn<T>(key: string, work: () => Promise<T>): Promise<T> {
    const mine = (this.#last.get(key) ?? Promise.resolve()).then(work)
    const done = mine.then(ignore, ignore)
    this.#last.set(key, done)
    try {
      return await mine
    } finally {
      if (this.#last.get(key) === done) this.#last.delete(key)
    }
  }
}

function beingSent(): ProviderError {
  return new ProviderError('conflict', 'The draft is being sent by another request.')
}

/** Whoever waits needs to know that it is over, not how it ended. */
function ignore(): void {}
