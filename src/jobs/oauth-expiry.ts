import { RETIRED_KEY_LIFE_MS } from '../core/tokens/signing-keys.ts'
import { unixSeconds } from '../kit/clock.ts'
import type { JobDeps } from './job-deps.ts'
import { type Loop, startLoop } from './loop.ts'

const EVERY_MS = 60 * 60 * 1000
/** Rows that one statement deletes; a run that found that many goes on at once. */
const BATCH = 1_000
/** A code that comes again within a day revokes what it gave; later its tokens are over or known to be in use. */
const USED_CODE_LIFE_MS = 24 * 60 * 60 * 1000
/** So long a replaced refresh token that comes again revokes its family; after that it is just unknown. */
const REPLACED_TOKEN_LIFE_SECONDS = 30 * 24 * 60 * 60

/**
 * Deletes what is over of hosted authentication, once an hour: access tokens, codes, sessions, replaced refresh tokens
 * and retired signing keys. Idempotent, and harmless in several processes at once.
 */
export function startOAuthExpiry({
  database,
  clock,
  log,
}: Pick<JobDeps, 'database' | 'clock' | 'log'>): Loop {
  return startLoop({
    name: 'oauth-expiry',
    log,
    everyMs: EVERY_MS,
    async run() {
      const { stores } = database
      const now = unixSeconds(clock)
      const deleted = {
        accessTokens: await stores.issuedTokens.deleteExpiredAccess(now, BATCH),
        refreshTokens: await stores.issuedTokens.deleteReplacedRefresh(
          now - REPLACED_TOKEN_LIFE_SECONDS,
          BATCH,
        ),
        codes: await stores.authorizationCodes.deleteExpired(USED_CODE_LIFE_MS, BATCH),
        sessions: await stores.oauthSessions.deleteExpired(BATCH),
        signingKeys: await stores.signingKeys.deleteRetiredBefore(RETIRED_KEY_LIFE_MS),
      }
      const counts = Object.values(deleted)
      if (counts.some((count) => count > 0)) log.info(deleted, 'oauth.expired')
      return counts.some((count) => count >= BATCH)
    },
  })
}
