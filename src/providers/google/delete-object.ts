import { sleep } from '../../kit/deadline.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import type { GoogleApi } from './api.ts'

/** Waits before the second and third try; none after the last. */
const PAUSES_MS: readonly (number | undefined)[] = [150, 450, undefined]

/**
 * Deletes for good. A try without a clear answer is made again, and then "not found" means that the first one did it.
 * @throws ProviderError `not-found` for what was not there at the first try
 */
export async function deleteObject(api: GoogleApi, url: string): Promise<void> {
  let mayBeDone = false
  for (const pauseMs of PAUSES_MS) {
    try {
      await api.send({ method: 'DELETE', url, isRepeatable: false })
      return
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error
      const { kind, details } = error
      if (kind === 'not-found' && mayBeDone) return
      if (kind !== 'unavailable' || details.retryAfterSeconds !== undefined || pauseMs === undefined)
        throw error
      mayBeDone ||= details.answered === false || (details.httpStatus ?? 0) >= 500
      await sleep(pauseMs, api.signal).catch(() => {
        throw error // the deadline came first: what happened is the better answer
      })
    }
  }
}
