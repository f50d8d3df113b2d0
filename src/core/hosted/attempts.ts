import { createHash } from 'node:crypto'
import { appError } from '../../contract/errors.ts'
import type { HostedStep } from '../ports/oauth-services.ts'
import type { HostedDeps } from './hosted-deps.ts'
import { stop } from './refusal.ts'

/** A shared window: this many in this time, over all processes. */
interface Limit {
  readonly name: string
  readonly most: number
  readonly windowMs: number
}

const MINUTE_MS = 60_000
export const PASSWORDS_PER_SESSION = 5
/** A company's users may share one address. */
export const PASSWORDS_PER_ADDRESS: Limit = { name: 'hosted-password-ip', most: 30, windowMs: 10 * MINUTE_MS }
export const PASSWORDS_PER_MAILBOX: Limit = {
  name: 'hosted-password-box',
  most: 10,
  windowMs: 10 * MINUTE_MS,
}
export const STARTS_PER_ADDRESS: Limit = { name: 'hosted-start-ip', most: 120, windowMs: MINUTE_MS }
/** Detection asks name servers and strangers' web servers. */
export const DETECTIONS_PER_SESSION: Limit = { name: 'hosted-detect', most: 20, windowMs: 10 * MINUTE_MS }

/**
 * Counts one more.
 * @param subject  whom it is about; only its digest is stored
 * @throws AppError `api.rate_limit_error` where it was one too many
 */
export async function countOne(deps: HostedDeps, limit: Limit, subject: string): Promise<void> {
  const key = `${limit.name}:${createHash('sha256').update(subject, 'utf8').digest('base64url')}`
  const { granted, windowEndsInMs } = await deps.database.stores.rates.take(
    key,
    limit.most,
    limit.windowMs,
    1,
  )
  if (granted === 1) return
  throw appError('api.rate_limit_error', undefined, {
    retryAfterSeconds: Math.max(1, Math.ceil(windowEndsInMs / 1000)),
  })
}

export function tooManyAttempts(seconds: number): HostedStep {
  const minutes = Math.max(1, Math.ceil(seconds / 60))
  return stop(
    'api.rate_limit_error',
    `Too many attempts. Wait ${minutes === 1 ? 'a minute' : `${minutes} minutes`}, then start again from the application.`,
  )
}
