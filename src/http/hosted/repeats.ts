import { createHmac } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Branding, HostedStep, SessionHandle } from '../../core/ports/oauth-services.ts'
import { SingleFlight } from '../../kit/single-flight.ts'
import type { Parameters } from './form-parameters.ts'

export interface Shown {
  readonly step: HostedStep
  readonly branding: Branding | null
}

const REMEMBERED = 1_000
const REMEMBERED_MS = 30_000

/**
 * Makes a double click harmless. A browser that sends a form twice drops the answer to the first, and only that one has
 * the code: so the second gets it too, for a short while, in the process that gave it. What was typed is kept as a
 * digest under the browser's secret.
 *
 * @param boundMs  longer than any answer takes
 */
export function createRepeats(boundMs: number) {
  const flights = new SingleFlight<Shown>(boundMs)
  const answered = new LRUCache<string, Shown>({ max: REMEMBERED, ttl: REMEMBERED_MS })

  /** Does the work unless the same form of the same session is being worked at, or has just led away from here. */
  return async function once(
    session: SessionHandle,
    action: string,
    fields: Parameters,
    work: () => Promise<Shown>,
  ): Promise<Shown> {
    const key = createHmac('sha256', session.browserSecret)
      .update(JSON.stringify([session.id, action, fields]))
      .digest('base64url')
    return (
      answered.get(key) ??
      flights.run(key, async () => {
        const shown = await work()
        if (shown.step.kind === 'redirect') answered.set(key, shown)
        return shown
      })
    )
  }
}
