/** What a thread knows of its oldest message. */
export interface Eldest {
  readonly date: number
  /** digest of the root that message names: the thread's own */
  readonly root: string
}

/**
 * Which Message-IDs (as digests) belong to one thread: messages are joined with every id they name in References and
 * In-Reply-To, also with those nobody has, so that a late message may link what were two threads (union by size,
 * paths halved). The thread keeps the id of its oldest message; other roots stay known as names of it.
 *
 * @see contract/email.md 14.3; the idea of containers for missing messages is that of www.jwz.org/doc/threading.html
 */
export class ThreadLinks {
  /** Only ids that are joined with another stand here. */
  readonly #parents = new Map<string, string>()
  readonly #sizes = new Map<string, number>()
  readonly #eldest = new Map<string, Eldest>()

  /** The key of the thread that an id belongs to: equal for all of its ids, and good until the next `join`. */
  keyOf(id: string): string {
    let at = id
    for (let parent = this.#parents.get(at); parent !== undefined && parent !== at; ) {
      const above = this.#parents.get(parent) ?? parent
      this.#parents.set(at, above)
      at = above
      parent = this.#parents.get(at)
    }
    return at
  }

  /** The oldest message of a thread with several ids; undefined where no message is joined. */
  eldestOf(id: string): Eldest | undefined {
    return this.#eldest.get(this.keyOf(id))
  }

  /**
   * Notes a message.
   * @param id        what it is known by
   * @param links     the ids it names
   * @param elsewhere tells of messages that carry an id which is joined only now
   */
  join(
    id: string,
    links: readonly string[],
    message: Eldest,
    elsewhere: (id: string) => readonly Eldest[],
  ): void {
    for (const link of links) if (link !== id) this.#unite(id, link, elsewhere)
    const key = this.keyOf(id)
    if (this.#parents.has(key)) this.#note(key, message)
  }

  #unite(a: string, b: string, elsewhere: (id: string) => readonly Eldest[]): void {
    for (const id of [a, b]) {
      if (this.#parents.has(id)) continue
      this.#parents.set(id, id)
      for (const message of elsewhere(id)) this.#note(id, message)
    }
    const [first, second] = [this.keyOf(a), this.keyOf(b)]
    if (first === second) return
    const [firstSize, secondSize] = [this.#sizes.get(first) ?? 1, this.#sizes.get(second) ?? 1]
    const [big, small] = firstSize >= secondSize ? [first, second] : [second, first]
    this.#parents.set(small, big)
    this.#sizes.set(big, firstSize + secondSize)
    this.#sizes.delete(small)
    const eldest = this.#eldest.get(small)
    this.#eldest.delete(small)
    if (eldest) this.#note(big, eldest)
  }

  #note(key: string, message: Eldest): void {
    const known = this.#eldest.get(key)
    const isOlder =
      !known || message.date < known.date || (message.date === known.date && message.root < known.root)
    if (isOlder) this.#eldest.set(key, { date: message.date, root: message.root })
  }
}
