import { appError } from '../../contract/errors.ts'
import type { AppError } from '../../kit/app-error.ts'
import { unixSeconds } from '../../kit/clock.ts'
import { patientDeadline } from '../../kit/deadline.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import type { GrantSecret, ProviderClient, Tokens } from '../ports/identity.ts'
import type { ConnectorRecord, GrantRecord, GrantSecretRecord } from '../ports/records.ts'
import type { RefreshResult } from '../ports/telemetry.ts'
import { dataFailure } from '../provider-failure.ts'
import { invalidateGrant } from './invalidate.ts'
import type { IdentityLearner } from './learn-identity.ts'
import { storePatiently, undoUnsent } from './patient-store.ts'
import { inTenantOf } from './provider-clients.ts'
import { reasonOfLostAnswer, reasonOfRefusal } from './reason.ts'
import { coolDownMs, expiredError, isConfigurationFault } from './refresh-failure.ts'
import type { LiveToken, RefreshDeps } from './refresh-flight.ts'
import { IN_USE_MS, keepAliveDueMs, retryAheadMs } from './refresh-schedule.ts'
import { seenTokenKey } from './seen-token-key.ts'

/** The attempt this process has just recorded. */
export interface OpenAttempt {
  readonly id: string
  readonly version: number
  /** an earlier attempt got no answer, from a provider whose old token dies with a refresh */
  readonly followsLostAnswer: boolean
  /** of a refresh in the background: no use of the grant */
  readonly unasked: boolean
}

export type RefreshOutcome =
  | { readonly kind: 'stored'; readonly token: LiveToken }
  /** somebody else stored a newer secret meanwhile: start over */
  | { readonly kind: 'moved' }
  | { readonly kind: 'failed'; readonly error: AppError }

/**
 * The token call is never tied to a client's request: nobody hangs up early on a slow answer, the token may be
 * spent already.
 */
const CALL_DEADLINE_MS = 15_000

/** Makes the undoing of an attempt that was recorded, or may have been, and not sent. */
export function createUndoAttempt({ database, log }: RefreshDeps) {
  const { secrets } = database.stores
  return (grant: GrantRecord, { failures }: GrantSecretRecord, attempt: OpenAttempt): void => {
    const asBefore = { failures, coolDownMs: 0 }
    undoUnsent(log, { grantId: grant.id }, () =>
      attempt.followsLostAnswer
        ? secrets.freeLease(grant.id, attempt.id, asBefore)
        : secrets.closeAttempt(grant.id, attempt.id, asBefore),
    )
  }
}

/** Makes the one token call of a held lease, and writes down whatever came of it. */
export function createRefreshCall(deps: RefreshDeps, identities: IdentityLearner) {
  const { secrets } = deps.database.stores
  const undoAttempt = createUndoAttempt(deps)

  return async function call(
    grant: GrantRecord,
    row: GrantSecretRecord,
    attempt: OpenAttempt,
  ): Promise<RefreshOutcome> {
    let secret: GrantSecret
    let connector: ConnectorRecord
    let client: ProviderClient
    try {
      secret = await deps.grantVault.secret(row)
      connector = await connectorOf(grant)
      client = await clientOf(grant, connector)
    } catch (error) {
      // Nothing was sent: the connector or credential is gone, or the database is.
      undoAttempt(grant, row, attempt)
      throw error
    }
    try {
      const tokens = await exchange(grant, client, secret)
      const outcome = await stored(grant, row, attempt, client, secret, tokens)
      await deps.alarms.settle(connector, client)
      return outcome
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error
      if (isConfigurationFault(error)) await deps.alarms.raise(connector, client, error)
      return error.details.answered === false || error.kind !== 'grant-revoked'
        ? await postponed(grant, row, attempt, error)
        : await refused(grant, row, attempt, client, error)
    }
  }

  async function connectorOf(grant: GrantRecord): Promise<ConnectorRecord> {
    const connector = await deps.database.stores.connectors.find(grant.applicationId, grant.provider)
    if (connector) return connector
    throw appError('api.provider_error', 'The connector of this grant does not exist any more.')
  }

  async function clientOf(grant: GrantRecord, connector: ConnectorRecord): Promise<ProviderClient> {
    const client = await deps.clients.open(connector, grant.credentialId, undefined)
    if (client) return inTenantOf(client, grant.settings)
    throw appError('api.provider_error', 'The connector of this grant has no credentials any more.')
  }

  async function exchange(grant: GrantRecord, client: ProviderClient, secret: GrantSecret): Promise<Tokens> {
    const identity = deps.providers.get(grant.provider)?.identity
    if (!identity?.exchange) throw appError('api.internal_error')
    const signal = patientDeadline(CALL_DEADLINE_MS)
    const sentMs = deps.clock.nowMs()
    const report = (result: RefreshResult) => {
      const durationMs = deps.clock.nowMs() - sentMs
      deps.telemetry.refreshed({ provider: grant.provider, result, durationMs })
    }
    const call = { client, secret, scope: grant.scope, signal }
    const tokens = await identity.exchange(call).catch((error: unknown) => {
      if (error instanceof ProviderError) report(resultOf(error))
      throw error
    })
    report(tokens.refreshToken ? 'rotated' : 'kept')
    deps.log.info(
      { grantId: grant.id, provider: grant.provider, rotated: !!tokens.refreshToken },
      'grant.refreshed',
    )
    return tokens
  }

  /** Stored before anybody uses it. A version that moved means a re-authentication won: its secret counts. */
  async function stored(
    grant: GrantRecord,
    row: GrantSecretRecord,
    attempt: OpenAttempt,
    client: ProviderClient,
    used: GrantSecret,
    tokens: Tokens,
  ): Promise<RefreshOutcome> {
    const rotated = tokens.refreshToken
    const next: GrantSecret = rotated ? { kind: 'refresh-token', refreshToken: rotated } : used
    const keepsOld = rotated && deps.providers.get(grant.provider)?.facts.supersededTokenStaysValid
    // Sealed anew at each try: a data key may be closed meanwhile.
    const wasStored = await storePatiently(deps.log, { grantId: grant.id }, () =>
      deps.database.transaction(async (stores) => {
        const sealed = deps.grantVault.seal(grant.id, grant.applicationId, {
          secret: next,
          tokens,
          superseded: keepsOld ? used : null,
          nowMs: deps.clock.nowMs(),
        })
        const unasked = attempt.unasked
          ? { inUseMs: IN_USE_MS, idleRefreshAtMs: keepAliveDueMs(deps.clock.nowMs(), Math.random()) }
          : undefined
        if (!(await stores.grants.hold(grant.id))) return null
        const isStored = await stores.secrets.store(grant.id, attempt.version, attempt.id, sealed, unasked)
        if (!isStored) return null
        if (rotated) {
          const key = seenTokenKey(deps.vault, { ...grant, clientId: client.clientId }, rotated)
          await stores.seenTokens.setGranted(key, grant.id, attempt.version + 1)
        }
        return sealed
      }),
    )
    if (!wasStored) return { kind: 'moved' }
    const version = attempt.version + 1
    identities.learn({ grant, client, secret: next, tokens, version })
    return {
      kind: 'stored',
      token: {
        token: tokens.accessToken,
        expiresAtMs: tokens.expiresAt * 1000,
        refreshDueMs: wasStored.nextRefreshAtMs ?? 0,
        version,
      },
    }
  }

  /** Not the user's fault: the grant stays valid. An attempt stays open while it or an earlier one has no answer. */
  async function postponed(
    grant: GrantRecord,
    row: GrantSecretRecord,
    attempt: OpenAttempt,
    error: ProviderError,
  ): Promise<RefreshOutcome> {
    const failures = row.failures + 1
    const coolDown = coolDownMs(failures, error)
    const nextRefreshInMs = retryAheadMs(failures, coolDown, Math.random())
    const outcome = { failures, coolDownMs: coolDown, nextRefreshInMs }
    await storePatiently(deps.log, { grantId: grant.id }, () =>
      error.details.answered === false || attempt.followsLostAnswer
        ? secrets.freeLease(grant.id, attempt.id, outcome)
        : secrets.closeAttempt(grant.id, attempt.id, outcome),
    )
    const fields = {
      grantId: grant.id,
      provider: grant.provider,
      failures,
      kind: error.kind,
      code: error.details.providerCode,
    }
    if (isConfigurationFault(error))
      deps.log.error({ ...fields, advice: error.details.advice }, 'connector.refused')
    else deps.log.warn(fields, 'grant.refresh_failed')
    const failure =
      error.kind === 'invalid-request'
        ? new ProviderError('client-misconfigured', error.message, error.details)
        : error
    return { kind: 'failed', error: dataFailure(failure) }
  }

  /** `invalid_grant`: the row is read again, the superseded token gets its one try, then the grant is dead. */
  async function refused(
    grant: GrantRecord,
    row: GrantSecretRecord,
    attempt: OpenAttempt,
    client: ProviderClient,
    error: ProviderError,
  ): Promise<RefreshOutcome> {
    const now = await storePatiently(deps.log, { grantId: grant.id }, () => secrets.find(grant.id))
    if (!now || now.version !== attempt.version || now.attempt?.id !== attempt.id) return { kind: 'moved' }
    const superseded = await deps.grantVault.superseded(row)
    if (superseded) {
      try {
        return await stored(
          grant,
          row,
          attempt,
          client,
          superseded,
          await exchange(grant, client, superseded),
        )
      } catch (second) {
        if (!(second instanceof ProviderError)) throw second
        if (second.kind !== 'grant-revoked') return await postponed(grant, row, attempt, second)
      }
    }
    const at = unixSeconds(deps.clock)
    const about = { grant, module: deps.providers.get(grant.provider) }
    const explain = attempt.followsLostAnswer ? reasonOfLostAnswer : reasonOfRefusal
    const reason = explain(error, at, about)
    await storePatiently(deps.log, { grantId: grant.id }, () =>
      invalidateGrant(deps, grant, reason, attempt.version, async (stores) => {
        await stores.secrets.closeAttempt(grant.id, attempt.id, { failures: row.failures + 1, coolDownMs: 0 })
      }),
    )
    return { kind: 'failed', error: expiredError(reason) }
  }
}

function resultOf(error: ProviderError): RefreshResult {
  if (error.details.answered === false) return 'unanswered'
  if (error.kind === 'grant-revoked') return 'refused'
  return isConfigurationFault(error) ? 'misconfigured' : 'failed'
}
