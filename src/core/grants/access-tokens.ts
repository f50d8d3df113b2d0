import { LRUCache } from 'lru-cache'
import { SingleFlight } from '../../kit/single-flight.ts'
import type { Secret } from '../../kit/secret.ts'
import type { GrantId } from '../../contract/ids.ts'
import type { GrantRecord } from '../ports/records.ts'
import { createIdentityLearner } from './learn-identity.ts'
import { createRefreshFlight, type LiveToken, type RefreshDeps } from './refresh-flight.ts'
import { createUseNotes } from './use-notes.ts'

/** Access tokens of grants: cached, refreshed ahead, and exactly one token call however many ask. */
export interface AccessTokens {
  /**
   * Gives a token that works now. From the cache without a database write or a provider call; in the
   * background a token whose refresh is due is refreshed while the old one still works.
   * @throws AppError `grant.expired`, `api.provider_error`, `rate_limit_error`, `grant.not_found`
   */
  current(grant: GrantRecord): Promise<LiveToken>
  /** Gives another token than the one the provider's API refused. */
  replaceRejected(grant: GrantRecord, rejected: Secret): Promise<Secret>
  /** Asks the provider for a new token whatever is cached, also during a cool-down (re-authentication). */
  renew(grant: GrantRecord): Promise<LiveToken>
  /**
   * Refreshes in the background a grant whose claimed secret has this version, once more or not at all: nobody is
   * waited for, and a cool-down is respected. It is no use of the grant.
   * @throws AppError as `current` does; what came of it is written down, with the time of the next try
   */
  refreshAhead(grant: GrantRecord, version: number): Promise<void>
  /** Writes down which grants were used, in batches. What could not be written is kept for the next time. */
  flushUses(): Promise<void>
  /** Forgets what is cached of a grant after its secret was replaced. */
  forget(grantId: GrantId): void
  /** Resolves when no refresh is under way; answers that came are stored by then. */
  idle(): Promise<void>
}

/** A token with less left than this may die on its way to the provider: callers wait for the next one. */
const USABLE_MS = 5_000
const CACHED_GRANTS = 20_000
/** A flight holds a token call of 15 s, waiting for another process's, and storing. */
const FLIGHT_BOUND_MS = 60_000

export function createAccessTokens(deps: RefreshDeps): AccessTokens {
  // By size: a cache by number alone reserves its room when it is made.
  const cache = new LRUCache<GrantId, LiveToken>({ maxSize: CACHED_GRANTS, sizeCalculation: () => 1 })
  const flights = new SingleFlight<LiveToken>(FLIGHT_BOUND_MS)
  const running = new Set<Promise<unknown>>()
  const identities = createIdentityLearner(deps)
  const refresh = createRefreshFlight(deps, identities)
  const uses = createUseNotes(deps.database.stores.secrets)

  const fly = (grant: GrantRecord, demand: Parameters<typeof refresh>[1]): Promise<LiveToken> => {
    const kind = demand.kind === 'rejected' ? `rejected:${demand.rejected.open()}` : demand.kind
    return flights.run(`${grant.id}:${kind}`, () => {
      const flight = refresh(grant, demand).then((token) => {
        const cached = cache.get(grant.id)
        // Refreshed in the background, it takes no place from grants that are used.
        const isWanted = demand.kind === 'ahead' ? cached && cached.version < token.version : true
        if (isWanted) cache.set(grant.id, token)
        return token
      })
      running.add(flight)
      const settled = () => running.delete(flight)
      flight.then(settled, settled)
      return flight
    })
  }

  return {
    async current(grant) {
      const nowMs = deps.clock.nowMs()
      const cached = cache.get(grant.id)
      if (cached && cached.expiresAtMs - nowMs > USABLE_MS) {
        if (nowMs >= cached.refreshDueMs) refreshBehind(grant)
        uses.note(grant.id, cached, nowMs)
        return cached
      }
      const token = await fly(grant, { kind: 'due', usableMs: USABLE_MS })
      uses.note(grant.id, token, nowMs)
      return token
    },
    async replaceRejected(grant, rejected) {
      const cached = cache.get(grant.id)
      if (cached?.token.open() === rejected.open()) cache.delete(grant.id)
      const token = await fly(grant, { kind: 'rejected', rejected })
      return token.token
    },
    renew: (grant) => fly(grant, { kind: 'renew' }),
    async refreshAhead(grant, version) {
      await fly(grant, { kind: 'ahead', version })
    },
    flushUses: () => uses.flush(),
    forget(grantId) {
      cache.delete(grantId)
    },
    async idle() {
      while (running.size > 0) await Promise.allSettled(running)
      await identities.idle()
    },
  }

  /** The old token still works, so nobody waits; a failure is noted by the flight and tried again later. */
  function refreshBehind(grant: GrantRecord): void {
    fly(grant, { kind: 'due', usableMs: USABLE_MS }).catch((error: unknown) => {
      cache.delete(grant.id)
      deps.log.debug({ grantId: grant.id, err: error }, 'grant.refresh_behind_failed')
    })
  }
}
