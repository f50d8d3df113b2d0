import { appError } from '../../contract/errors.ts'
import type { AppError } from '../../kit/app-error.ts'
import type { Clock } from '../../kit/clock.ts'
import { sleep } from '../../kit/deadline.ts'
import type { Ids } from '../../kit/ids.ts'
import type { Logger } from '../../kit/logger.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import type { Secret } from '../../kit/secret.ts'
import type { GrantRecord, GrantSecretRecord } from '../ports/records.ts'
import type { ProviderModule } from '../ports/provider.ts'
import type { ProviderName } from '../../contract/providers.ts'
import type { Database } from '../ports/stores.ts'
import type { Telemetry } from '../ports/telemetry.ts'
import type { Vault } from '../ports/vault.ts'
import type { ConnectorAlarms } from '../connectors/connector-alarms.ts'
import { alarmError, dataFailure } from '../provider-failure.ts'
import type { GrantVault } from './grant-vault.ts'
import type { IdentityLearner } from './learn-identity.ts'
import type { ProviderClients } from './provider-clients.ts'
import { createRefreshCall, createUndoAttempt, type OpenAttempt } from './refresh-call.ts'
import { expiredError, tokensAreDead } from './refresh-failure.ts'
import { aheadDueMs } from './refresh-schedule.ts'

export interface RefreshDeps {
  readonly database: Database
  readonly vault: Vault
  readonly grantVault: GrantVault
  readonly clients: ProviderClients
  readonly alarms: ConnectorAlarms
  readonly providers: ReadonlyMap<ProviderName, ProviderModule>
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Logger
  readonly telemetry: Telemetry
}

/** An access token and its times, in this process's clock. */
export interface LiveToken {
  readonly token: Secret
  readonly expiresAtMs: number
  /** when it is refreshed ahead of its end, if it is used */
  readonly refreshDueMs: number
  /** version of the secret it came from */
  readonly version: number
}

export type RefreshDemand =
  /** a token that is good for `usableMs`; refresh only when due */
  | { readonly kind: 'due'; readonly usableMs: number }
  /** another token than this one */
  | { readonly kind: 'rejected'; readonly rejected: Secret }
  /** ask the provider, whatever is stored */
  | { readonly kind: 'renew' }
  /** in the background, unless the secret is no longer at this version; waits for nobody */
  | { readonly kind: 'ahead'; readonly version: number }

interface Waiting {
  sinceMs: number | null
}

/** Longer than a token call: nobody takes over while an answer may still come. */
const LEASE_MS = 30_000
/** How long a caller waits for another process's refresh before it is told to come back. */
const WAIT_MS = 20_000
const POLL_MS = 75

/**
 * Makes the refresh of design.md section 4, steps 2 to 6: reads the secret row, uses what another process has
 * stored, takes the lease with a recorded attempt, calls, stores by compare-and-swap, classifies a refusal.
 *
 * @throws AppError for the client; the grant is invalidated where the refusal is the user's
 */
export function createRefreshFlight(deps: RefreshDeps, identities: IdentityLearner) {
  const call = createRefreshCall(deps, identities)
  const undoAttempt = createUndoAttempt(deps)

  return async function refresh(grant: GrantRecord, demand: RefreshDemand): Promise<LiveToken> {
    const waiting: Waiting = { sinceMs: null }
    try {
      return await fly(grant, demand, waiting)
    } finally {
      if (waiting.sinceMs !== null) {
        const durationMs = deps.clock.nowMs() - waiting.sinceMs
        deps.telemetry.waitedForLease({ provider: grant.provider, durationMs })
      }
    }
  }

  async function fly(grant: GrantRecord, demand: RefreshDemand, waiting: Waiting): Promise<LiveToken> {
    const waitUntilMs = deps.clock.nowMs() + WAIT_MS
    const startedAfter = demand.kind === 'renew' ? (await read(grant)).version : 0
    for (;;) {
      const row = await read(grant)
      const stored = await liveToken(row)
      if (stored && isEnough(stored, row, demand, startedAfter)) return stored
      const usable = stored && !isRejected(stored, demand) ? stored : null

      if (isCoolingDown(row) && demand.kind !== 'renew') {
        if (usable) return usable
        throw await coolDownError(grant, row)
      }
      const opened = await openAttemptState(grant, row)
      if (opened === 'may-be-answered') {
        if (usable) return usable
        if (demand.kind === 'ahead' || deps.clock.nowMs() >= waitUntilMs) throw waitedTooLong()
        waiting.sinceMs ??= deps.clock.nowMs()
        await sleep(POLL_MS + Math.random() * POLL_MS)
        continue
      }
      const attempt: OpenAttempt = {
        id: deps.ids.uuid(),
        version: row.version,
        followsLostAnswer: row.attempt !== null && !supersededStaysValid(grant),
        unasked: demand.kind === 'ahead',
      }
      const lease = deps.database.stores.secrets.takeLease({
        grantId: grant.id,
        version: row.version,
        expectedAttempt: row.attempt?.id ?? null,
        attempt: { id: attempt.id, holder: deps.database.liveness.self },
        leaseMs: LEASE_MS,
        holderIsGone: opened === 'holder-is-gone',
      })
      const taken = await lease.catch((error: unknown) => {
        undoAttempt(grant, row, attempt)
        throw error
      })
      if (!taken) {
        if (deps.clock.nowMs() >= waitUntilMs) throw waitedTooLong()
        await sleep(Math.random() * POLL_MS)
        continue
      }
      const outcome = await call(grant, row, attempt)
      if (outcome.kind === 'stored') return outcome.token
      if (outcome.kind === 'moved') continue
      // The current token lives until its end, whatever the token endpoint is doing.
      if (usable && usable.expiresAtMs > deps.clock.nowMs() && !tokensAreDead(outcome.error)) return usable
      throw outcome.error
    }
  }

  async function read(grant: GrantRecord): Promise<GrantSecretRecord> {
    const row = await deps.database.stores.secrets.find(grant.id)
    if (!row) throw appError('grant.not_found')
    return row
  }

  async function liveToken(row: GrantSecretRecord): Promise<LiveToken | null> {
    const expiresAtMs = (row.accessExpiresAt ?? 0) * 1000
    if (expiresAtMs <= deps.clock.nowMs()) return null
    const token = await deps.grantVault.accessToken(row)
    const next = row.nextRefreshAtMs
    // A grant that was idle is scheduled past the end of its token: from what is left, when it is due now.
    const isAhead = next !== null && next <= expiresAtMs
    const refreshDueMs = isAhead ? next : aheadDueMs(expiresAtMs, deps.clock.nowMs(), 0)
    return token && { token, expiresAtMs, refreshDueMs, version: row.version }
  }

  function isEnough(
    stored: LiveToken,
    row: GrantSecretRecord,
    demand: RefreshDemand,
    startedAfter: number,
  ): boolean {
    switch (demand.kind) {
      case 'due':
        return (
          deps.clock.nowMs() < stored.refreshDueMs &&
          stored.expiresAtMs - deps.clock.nowMs() > demand.usableMs
        )
      case 'rejected':
        return !isRejected(stored, demand)
      case 'renew':
        return row.version > startedAfter
      case 'ahead':
        return row.version !== demand.version
    }
  }

  function isRejected(stored: LiveToken, demand: RefreshDemand): boolean {
    return demand.kind === 'rejected' && stored.token.open() === demand.rejected.open()
  }

  /**
   * What is known of a refresh that was sent and has no stored answer. One without a lease was given up by its
   * holder. Where the old token stays good, one whose lease is over or whose holder is gone is taken over; where it
   * does not, only when both are so: a paused process, or one that lost its connection, may still bring the answer.
   */
  async function openAttemptState(
    grant: GrantRecord,
    row: GrantSecretRecord,
  ): Promise<'none' | 'may-be-answered' | 'holder-is-gone'> {
    if (!row.attempt || row.leaseUntilMs === null) return 'none'
    const { liveness } = deps.database
    if (!supersededStaysValid(grant)) {
      return (await liveness.mayAnswer(row.attempt)) ? 'may-be-answered' : 'holder-is-gone'
    }
    if (row.leaseUntilMs <= row.readAtMs) return 'none'
    return (await liveness.isAlive(row.attempt.holder)) ? 'may-be-answered' : 'holder-is-gone'
  }

  function supersededStaysValid(grant: GrantRecord): boolean {
    return deps.providers.get(grant.provider)?.facts.supersededTokenStaysValid ?? false
  }

  async function coolDownError(grant: GrantRecord, row: GrantSecretRecord): Promise<AppError> {
    const current = await deps.database.stores.grants.find(grant.applicationId, grant.id)
    if (current?.status === 'invalid') return expiredError(current.reason)
    const alarm = (await deps.database.stores.connectors.find(grant.applicationId, grant.provider))?.alarm
    const waitMs = (row.coolDownUntilMs ?? row.readAtMs) - row.readAtMs
    const retryAfterSeconds = Math.max(1, Math.ceil(waitMs / 1000))
    return alarm
      ? alarmError(alarm, retryAfterSeconds)
      : appError('api.provider_error', 'The provider failed to refresh this grant a moment ago.', {
          retryAfterSeconds,
        })
  }
}

function isCoolingDown(row: GrantSecretRecord): boolean {
  return row.coolDownUntilMs !== null && row.coolDownUntilMs > row.readAtMs
}

function waitedTooLong(): AppError {
  return dataFailure(
    new ProviderError('timeout', 'Another refresh of this grant has not been answered yet.', {
      retryAfterSeconds: 5,
    }),
  )
}
