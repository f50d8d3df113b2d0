import { appError } from '../../contract/errors.ts'
import type { GrantId } from '../../contract/ids.ts'
import type { Clock } from '../../kit/clock.ts'
import type { GrantSessions } from '../grants/sessions.ts'
import type { GrantSession } from '../ports/grant-session.ts'
import type { GrantRecord } from '../ports/records.ts'
import type { RequestContext } from '../ports/services.ts'

/** A read that hangs is left alone after this long: whoever comes later asks anew. */
const JOINABLE_MS = 15_000

/**
 * Reads and changes of grants. Identical reads that overlap are one, so a burst of clients costs the provider one
 * call; whoever came first has it on its bill, and the others none.
 */
export interface SharedReads extends GrantSessions {
  /**
   * Runs `work` with a session, or joins the same read of the same grant under way. The read ends early only when
   * everybody who waits for it has gone. Its result is shared: nobody changes it.
   *
   * @param query  all that decides the answer, as JSON values in a fixed order
   */
  read<T>(
    grant: GrantRecord,
    query: readonly [route: string, ...rest: unknown[]],
    context: RequestContext,
    work: (session: GrantSession) => Promise<T>,
  ): Promise<T>
  /**
   * Runs a change, as `GrantSessions.use`. Reads that began before it has ended are joined by nobody afterwards: who
   * has the answer to a change sees it in each read that follows. (Among the reads of this process: another one has
   * reads of its own.)
   */
  use<T>(grant: GrantRecord, context: RequestContext, work: (session: GrantSession) => Promise<T>): Promise<T>
}

interface Flight {
  readonly result: Promise<unknown>
  readonly controller: AbortController
  readonly startedAtMs: number
  waiting: number
}

export function createSharedReads(deps: {
  readonly sessions: GrantSessions
  readonly clock: Clock
}): SharedReads {
  const flights = new Map<GrantId, Map<string, Flight>>()
  return {
    async read<T>(
      grant: GrantRecord,
      query: readonly unknown[],
      context: RequestContext,
      work: (session: GrantSession) => Promise<T>,
    ) {
      // The record is part of the question: another state, or other settings, may have another answer.
      const key = JSON.stringify([query, grant])
      const running = flights.get(grant.id)?.get(key)
      const flight = running && isJoinable(running) ? running : take(grant, key, context, work)
      // The boundary of the key: it names the route, and a route has one type of answer.
      return (await join(flight, context.signal)) as T
    },
    async use(grant, context, work) {
      const forget = () => flights.delete(grant.id)
      // Whoever gave up waiting has had an answer, too.
      context.signal.addEventListener('abort', forget, { once: true })
      try {
        return await deps.sessions.use(grant, context, work)
      } finally {
        context.signal.removeEventListener('abort', forget)
        forget()
      }
    },
  }

  function isJoinable({ controller, startedAtMs }: Flight): boolean {
    return !controller.signal.aborted && deps.clock.nowMs() - startedAtMs < JOINABLE_MS
  }

  function take<T>(
    grant: GrantRecord,
    key: string,
    context: RequestContext,
    work: (session: GrantSession) => Promise<T>,
  ): Flight {
    const controller = new AbortController()
    const flight: Flight = {
      result: deps.sessions.use(grant, { ...context, signal: controller.signal }, work),
      controller,
      startedAtMs: deps.clock.nowMs(),
      waiting: 0,
    }
    const ofGrant = flights.get(grant.id) ?? new Map<string, Flight>()
    flights.set(grant.id, ofGrant.set(key, flight))
    const land = () => {
      if (ofGrant.get(key) === flight) ofGrant.delete(key)
      if (ofGrant.size === 0 && flights.get(grant.id) === ofGrant) flights.delete(grant.id)
    }
    flight.result.then(land, land)
    return flight
  }

  /** Waits for a flight as long as the waiter's own signal allows; the last to leave ends it. */
  async function join(flight: Flight, signal: AbortSignal): Promise<unknown> {
    flight.waiting += 1
    const leave = () => {
      flight.waiting -= 1
      if (flight.waiting === 0) flight.controller.abort(signal.reason)
    }
    let stop: (() => void) | undefined
    const gone = new Promise<never>((_resolve, reject) => {
      stop = () => {
        leave()
        reject(appError('api.provider_error', 'The request ended before the provider answered.'))
      }
      if (signal.aborted) stop()
      else signal.addEventListener('abort', stop, { once: true })
    })
    try {
      return await Promise.race([flight.result, gone])
    } finally {
      if (stop) signal.removeEventListener('abort', stop)
    }
  }
}
