/**
 * Runs one piece of work per key at a time: callers that come while it runs get the same promise.
 * The key is free again when the work has settled, or after `boundMs`, so that a hung call pins nothing.
 */
export class SingleFlight<T> {
  readonly #flights = new Map<string, Promise<T>>()
  readonly #boundMs: number

  constructor(boundMs: number) {
    this.#boundMs = boundMs
  }

  run(key: string, work: () => Promise<T>): Promise<T> {
    const running = this.#flights.get(key)
    if (running) return running
    const flight = work()
    this.#flights.set(key, flight)
    const free = () => {
      clearTimeout(timer)
      if (this.#flights.get(key) === flight) this.#flights.delete(key)
    }
    const timer = setTimeout(free, this.#boundMs)
    timer.unref()
    flight.then(free, free)
    return flight
  }
}
