const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

/** When a thread is looked at first. */
export const FIRST_LOOK_MS = 2 * MINUTE_MS
const RAREST_MS = 6 * HOUR_MS
/** A thread is watched so long. */
export const WATCHED_MS = 30 * 24 * HOUR_MS

/**
 * When to look at a thread again: rarer the longer it is quiet, so that a watch costs less than 200 looks in its whole
 * time, and a quick answer is still told quickly.
 * @param quietMs  since the message, or the last reply
 */
export function nextLookMs(quietMs: number): number {
  return Math.min(RAREST_MS, Math.max(FIRST_LOOK_MS, quietMs / 10))
}
