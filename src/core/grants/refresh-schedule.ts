// When a grant's token is refreshed (design.md section 4, "What is refreshed when"). Times are Unix milliseconds;
// `random` is a number in [0, 1): it spreads grants that were connected or imported together.

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS
/** A grant used within this time has its token refreshed ahead of its end. */
export const IN_USE_MS = DAY_MS
/** Others only often enough that no provider drops them (Microsoft after 90 idle days, Google after 6 months). */
const KEEP_ALIVE_MS = 7 * DAY_MS
const KEEP_ALIVE_JITTER = 0.1
/** Share of the way to the ahead time by which a refresh may come earlier. */
const AHEAD_JITTER = 0.05
const FIRST_RETRY_MS = 10_000
const LONGEST_RETRY_MS = 15 * MINUTE_MS
const RETRY_JITTER = 0.25

/**
 * When the token of a grant in use is refreshed: with min(half its life, max(5 min, 10 % of its life)) left, or a
 * little earlier. Without the half, a token that lives five minutes would be due on every read.
 *
 * @param nowMs  when the token was issued, or the earliest moment it is known of
 */
export function aheadDueMs(expiresAtMs: number, nowMs: number, random: number): number {
  const lifeMs = Math.max(0, expiresAtMs - nowMs)
  const aheadMs = Math.min(lifeMs / 2, Math.max(5 * MINUTE_MS, lifeMs / 10))
  const waitMs = (lifeMs - aheadMs) * (1 - AHEAD_JITTER * random)
  // A token that outlives the keep-alive interval still shows by then that its grant is alive.
  return Math.floor(nowMs + Math.min(waitMs, KEEP_ALIVE_MS))
}

/** When a grant that nobody uses is refreshed: in 7 days, up to a tenth more or less. */
export function keepAliveDueMs(nowMs: number, random: number): number {
  return Math.floor(nowMs + KEEP_ALIVE_MS * (1 + KEEP_ALIVE_JITTER * (2 * random - 1)))
}

/** When a grant that came without an access token (an imported one) is first refreshed: spread over 7 days. */
export function firstRefreshDueMs(nowMs: number, random: number): number {
  return Math.floor(nowMs + KEEP_ALIVE_MS * random)
}

/**
 * How long after the nth failure in a row the background tries again: exponentially later up to 15 minutes, never
 * before the cool-down is over, so that a provider's outage costs few calls however many grants are due.
 */
export function retryAheadMs(failures: number, coolDownMs: number, random: number): number {
  const backOffMs = Math.min(FIRST_RETRY_MS * 2 ** Math.min(failures - 1, 10), LONGEST_RETRY_MS)
  return Math.floor(Math.max(backOffMs, coolDownMs) * (1 + RETRY_JITTER * random))
}
