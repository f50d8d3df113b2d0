import { LRUCache } from 'lru-cache'
import { appError } from '../../contract/errors.ts'
import type { Clock } from '../../kit/clock.ts'

const REMEMBERED = 10_000

/**
 * Counts requests per key in windows of fixed length; for a limit that protects others (name servers, strangers'
 * web servers), not for fairness. Each process counts its own.
 * @throws AppError `api.rate_limit_error` with `Retry-After`, by the function it returns
 */
export function createRequestLimit(
  clock: Clock,
  options: { readonly requests: number; readonly windowMs: number },
): (key: string) => void {
  const windows = new LRUCache<string, { readonly endsMs: number; count: number }>({ max: REMEMBERED })
  return (key) => {
    const nowMs = clock.nowMs()
    const known = windows.get(key)
    const window = known && nowMs < known.endsMs ? known : { endsMs: nowMs + options.windowMs, count: 0 }
    if (window !== known) windows.set(key, window)
    if (window.count >= options.requests) {
      throw appError('api.rate_limit_error', undefined, {
        retryAfterSeconds: Math.max(1, Math.ceil((window.endsMs - nowMs) / 1000)),
      })
    }
    window.count += 1
  }
}
