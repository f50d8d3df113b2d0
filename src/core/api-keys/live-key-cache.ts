import { LRUCache } from 'lru-cache'
import type { Clock } from '../../kit/clock.ts'
import type { Caller } from '../ports/services.ts'

const MAX_KEYS = 2_000
/** How long another process may still accept a revoked key. */
const TTL_MS = 4_000

interface LiveKey {
  readonly caller: Caller
  readonly untilMs: number
}

/**
 * Remembers callers of live keys for a few seconds. `forgetAll` takes effect at once, also for look-ups that
 * are under way: what they found before it is not remembered.
 */
export class LiveKeyCache {
  readonly #keys = new LRUCache<string, LiveKey>({ max: MAX_KEYS })
  readonly #clock: Clock
  #generation = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get(hash: string): Caller | null {
    const found = this.#keys.get(hash)
    if (!found) return null
    if (found.untilMs > this.#clock.nowMs()) return found.caller
    this.#keys.delete(hash)
    return null
  }

  /** Begins a look-up; the returned function remembers its result unless keys were forgotten meanwhile. */
  startLookup(): (hash: string, caller: Caller) => void {
    const generation = this.#generation
    // Counted from before the look-up: what it reads can't be newer than that.
    const untilMs = this.#clock.nowMs() + TTL_MS
    return (hash, caller) => {
      if (generation === this.#generation) this.#keys.set(hash, { caller, untilMs })
    }
  }

  forgetAll(): void {
    this.#generation += 1
    this.#keys.clear()
  }
}
