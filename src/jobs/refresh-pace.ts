/** How much may be taken in a window of the shared rate. */
export interface Pace {
  readonly limit: number
  readonly windowMs: number
}

const SHORT_WINDOW_MS = 100
/** By a second that begins anywhere, and one more for calls that leave up to a window late. */
const WINDOWS_TOUCHED = 1000 / SHORT_WINDOW_MS + 2

/**
 * Divides a rate into short windows, so that no second of the provider's, wherever it begins, sees more than the rate: a
 * second touches eleven windows of 100 ms, and what was allowed in the one before may arrive in it. In windows of one
 * second, twice the rate could come at their border. A small rate has one refresh in each window.
 */
export function paceOf(perSecond: number): Pace {
  if (perSecond >= 2 * WINDOWS_TOUCHED) {
    return { limit: Math.floor(perSecond / WINDOWS_TOUCHED), windowMs: SHORT_WINDOW_MS }
  }
  return { limit: 1, windowMs: Math.ceil(1000 / Math.max(1, perSecond - 2)) }
}
