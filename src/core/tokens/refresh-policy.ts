import { isJsonObject, numberField, type JsonObject } from '../../kit/json.ts'
import type { IssuedRefreshTokenRecord } from '../ports/oauth-stores.ts'

/** What an application's `additional_settings` say about refresh tokens (contract/auth.md 7.1); 0: no limit. */
interface RefreshPolicy {
  readonly rotates: boolean
  /** seconds since the first of a family */
  readonly absoluteSeconds: number
  /** seconds since the token was last used */
  readonly idleSeconds: number
}

/**
 * For how long a replaced token still does, in seconds: the answer that carried its successor may have been lost, and
 * two tabs may refresh at once (docs/decisions/0030).
 */
const GRACE_SECONDS = 10

export function readRefreshPolicy(settings: JsonObject): RefreshPolicy {
  const given = settings['additional_settings']
  const additional = isJsonObject(given) ? given : {}
  return {
    rotates: additional['rotate_refresh_token'] === true,
    absoluteSeconds: numberField(additional, 'refresh_token_expiration_absolute') ?? 0,
    idleSeconds: numberField(additional, 'refresh_token_expiration_idle') ?? 0,
  }
}

/** Whether the time of a token is over. */
export function isOver(record: IssuedRefreshTokenRecord, policy: RefreshPolicy, now: number): boolean {
  const { absoluteSeconds, idleSeconds } = policy
  if (absoluteSeconds > 0 && now >= record.familyIssuedAt + absoluteSeconds) return true
  return idleSeconds > 0 && now >= record.lastUsedAt + idleSeconds
}

/** Whether a token was replaced so long ago that its use is a replay. */
export function isReplay(record: IssuedRefreshTokenRecord, now: number): boolean {
  return record.replacedAt !== null && now > record.replacedAt + GRACE_SECONDS
}
