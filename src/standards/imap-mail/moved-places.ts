import { LRUCache } from 'lru-cache'
import type { MessagePlace } from './message-id.ts'

/** Moves that are remembered, of all accounts; about 200 bytes each. */
const MOVES = 20_000

/**
 * Where messages went that are named by their place: an `m.` id that a client holds is followed while this process
 * remembers the move. The answer to the move carries the new id, which needs no memory.
 */
export class MovedPlaces {
  readonly #moves = new LRUCache<string, MessagePlace>({ max: MOVES })

  note(accountKey: string, from: MessagePlace, to: MessagePlace): void {
    this.#moves.set(keyOf(accountKey, from), to)
  }

  /** The place where a message is now, as far as it is known. */
  follow(accountKey: string, place: MessagePlace): MessagePlace {
    const seen = new Set<MessagePlace>()
    let at = place
    for (
      let next = this.#moves.get(keyOf(accountKey, at));
      next;
      next = this.#moves.get(keyOf(accountKey, at))
    ) {
      // Back where it came from: a UID is never used twice, so only a lying server makes a circle.
      if (seen.has(next)) return at
      seen.add(next)
      at = next
    }
    return at
  }
}

function keyOf(accountKey: string, { path, uidValidity, uid }: MessagePlace): string {
  return JSON.stringify([accountKey, path, uidValidity, uid])
}
