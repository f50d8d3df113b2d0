// When a delivery that failed is tried again (docs/decisions: webhook retries).

/** How an attempt failed: the status that was answered, or no answer. */
export type DeliveryFailure = number | 'timeout' | 'unreachable'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

/** A receiver that was only out for a moment (contract/webhooks.md 4) gets these first. */
const FAST_MS = [MINUTE_MS, 15 * MINUTE_MS]
/** Then, and for every other failure, ever longer; the last one again and again. */
const SLOW_MS = [HOUR_MS, 2 * HOUR_MS, 4 * HOUR_MS, 8 * HOUR_MS]
/** The longest wait that a receiver may ask for. */
const MAX_RETRY_AFTER_MS = 8 * HOUR_MS
/** A delivery is given up only with a try that failed this long after the first one, or later. */
export const GIVE_UP_AFTER_MS = 72 * HOUR_MS
const JITTER = 0.1

const PASSING: ReadonlySet<DeliveryFailure> = new Set([
  'timeout',
  'unreachable',
  408,
  429,
  502,
  503,
  504,
  507,
])

/**
 * Tells how long to wait before the next try.
 *
 * @param failed.attempt            the failed one; 1 is the first
 * @param failed.sinceFirstMs       from the first attempt to this one
 * @param failed.retryAfterSeconds  what the receiver asked for; waiting longer than it asks is allowed, sooner not
 * @param failed.random             in [0, 1): spreads the tries by a tenth to either side
 * @returns milliseconds; null when it is to be given up
 */
export function nextTryAfterMs(failed: {
  readonly attempt: number
  readonly sinceFirstMs: number
  readonly failure: DeliveryFailure
  readonly retryAfterSeconds?: number | undefined
  readonly random: number
}): number | null {
  if (failed.sinceFirstMs >= GIVE_UP_AFTER_MS) return null
  const steps = PASSING.has(failed.failure) ? [...FAST_MS, ...SLOW_MS] : SLOW_MS
  const stepMs = steps[Math.min(failed.attempt, steps.length) - 1] ?? HOUR_MS
  const waitMs = Math.round(stepMs * (1 - JITTER + 2 * JITTER * failed.random))
  const askedMs = Math.min((failed.retryAfterSeconds ?? 0) * 1000, MAX_RETRY_AFTER_MS)
  return Math.max(waitMs, askedMs)
}
