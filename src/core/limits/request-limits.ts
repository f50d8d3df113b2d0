import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { appError } from '../../contract/errors.ts'
import type { Clock } from '../../kit/clock.ts'
import type { Logger } from '../../kit/logger.ts'
import type { RateStore } from '../ports/event-stores.ts'
import type { LimitName, RequestLimits } from '../ports/limits.ts'
import { type Allowance, createAllowance, type Limit } from './allowance.ts'
import { networkOf } from './network-of.ts'

export interface RequestLimitDeps {
  readonly rates: Pick<RateStore, 'take'>
  readonly clock: Clock
  readonly log: Logger
  /** Multiplies every limit; 0 switches them off. */
  readonly factor: number
}

/** As above, with what the token use-case needs. */
export interface CountingLimits extends RequestLimits {
  /** Counts one more, whether or not it was one too many. */
  count(limit: LimitName, subject: string): Promise<void>
  /** @throws AppError 429 where `count` is known to have gone too far; counts nothing */
  check(limit: LimitName, subject: string): void
}

const MINUTE_MS = 60_000

/**
 * The documented limits (contract/auth.md 1.3), and ours per address. Those are above what one application may do, whose
 * whole backend may be one address.
 */
const LIMITS: { readonly [name in LimitName]: Omit<Limit, 'name'> } = {
  admin: { most: 50, windowMs: 1000 },
  detect: { most: 20, windowMs: MINUTE_MS },
  data: { most: 200, windowMs: 1000 },
  form: { most: 10, windowMs: 1000 },
  'oauth-address': { most: 50, windowMs: 1000 },
  'detect-address': { most: 120, windowMs: MINUTE_MS },
  // An application may well learn of many grants at once that they are gone: each is a refusal.
  'token-refusals': { most: 300, windowMs: MINUTE_MS },
}

/** Who was counted longest ago is forgotten; the shared window is asked anew. */
const REMEMBERED = 50_000
/** How often the log is told that the database is away. */
const TOLD_EVERY_MS = 10_000

/** Makes the limits on requests. */
export function createRequestLimits(deps: RequestLimitDeps): CountingLimits {
  const { rates, clock, log, factor } = deps
  const allowances = new LRUCache<string, Allowance>({ maxSize: REMEMBERED, sizeCalculation: () => 1 })
  let toldMs = 0

  function onAway(error: unknown): void {
    if (Math.abs(clock.nowMs() - toldMs) < TOLD_EVERY_MS) return
    toldMs = clock.nowMs()
    log.warn({ err: error }, 'rate_limits.not_shared')
  }

  function allowanceOf(name: LimitName, subject: string): Allowance {
    const key = keyOf(name, subject)
    const known = allowances.get(key)
    if (known) return known
    const { most, windowMs } = LIMITS[name]
    const made = createAllowance({ rates, clock, onAway }, { name, most: most * factor, windowMs }, key)
    allowances.set(key, made)
    return made
  }

  return {
    async admit(name, subject) {
      if (factor > 0) refuseFor(await allowanceOf(name, subject).spend())
    },
    async count(name, subject) {
      if (factor > 0) await allowanceOf(name, subject).spend()
    },
    check(name, subject) {
      if (factor > 0) refuseFor(allowanceOf(name, subject).refusedForMs())
    },
  }
}

function refuseFor(ms: number): void {
  if (ms === 0) return
  throw appError('api.rate_limit_error', undefined, { retryAfterSeconds: Math.max(1, Math.ceil(ms / 1000)) })
}

/** Addresses are personal: only their digest is stored. */
function keyOf(name: LimitName, subject: string): string {
  if (name === 'admin' || name === 'detect' || name === 'data' || name === 'form')
    return `limit:${name}:${subject}`
  const text = name === 'token-refusals' ? subject : networkOf(subject)
  return `limit:${name}:${createHash('sha256').update(text, 'utf8').digest('base64url')}`
}
