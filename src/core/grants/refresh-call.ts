import { appError } from '../../contract/errors.ts'
import type { AppError } from '../../kit/app-error.ts'
import { unixSeconds } from '../../kit/clock.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import type { GrantSecret, ProviderClient, Tokens } from '../ports/identity.ts'
import type { GrantRecord, GrantSecretRecord } from '../ports/records.ts'
import { dataFailure } from '../provider-failure.ts'
import { invalidateGrant } from './invalidate.ts'
import { storePatiently, undoUnsent } from './patient-store.ts'
import { reasonOfLostAnswer, reasonOfRefusal } from './reason.ts'
import { coolDownMs, expiredError } from './refresh-failure.ts'
import type { LiveToken, RefreshDeps } from './refresh-flight.ts'
import { seenTokenKey } from './seen-token-key.ts'

/** The attempt this process has just recorded. */
export interface OpenAttempt {
  readonly id: string
  readonly version: number
  /** an earlier attempt got no answer, from a provider whose old token dies with a refresh */
  readonly followsLostAnswer: boolean
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
export function createRefreshCall(deps: RefreshDeps) {
  const { secrets } = deps.database.stores
  const undoAttempt = createUndoAttempt(deps)

  return async function call(
    grant: GrantRecord,
    row: GrantSecretRecord,
    attempt: OpenAttempt,
  ): Promise<RefreshOutcome> {
    const secret = deps.grantVault.secret(row)
    let client: ProviderClient
    try {
      client = await clientOf(grant)
    } catch (error) {
      // Nothing was sent: the connector or credential is gone, or the database is.
      undoAttempt(grant, row, attempt)
      throw error
    }
    try {
      return await stored(grant, row, attempt, client, secret, await exchange(grant, client, secret))
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error
      return error.details.answered === false || error.kind !== 'grant-revoked'
        ? await postponed(grant, row, attempt, error)
        : await refused(grant, row, attempt, client, error)
    }
  }

  async function clientOf(grant: GrantRecord): Promise<ProviderClient> {
    const connector = await deps.database.stores.connectors.find(grant.applicationId, grant.provider)
    const client = connector && (await deps.clients.open(connector, grant.credentialId, undefined))
    if (!client) throw appError('api.provider_error', 'The connector of this grant does not exist any more.')
    return client
  }

  async function exchange(grant: GrantRecord, client: ProviderClient, secret: GrantSecret): Promise<Tokens> {
    const identity = deps.providers.get(grant.provider)?.identity
    if (!identity?.exchange) throw appError('api.internal_error')
    const signal = AbortSignal.timeout(CALL_DEADLINE_MS)
    const tokens = await identity.exchange({ client, secret, scope: grant.scope, signal })
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
    const sealed = deps.grantVault.seal(grant.id, grant.applicationId, {
      secret: next,
      tokens,
      superseded: keepsOld ? used : null,
      nowMs: deps.clock.nowMs(),
    })
    const wasStored = await storePatiently(deps.log, { grantId: grant.id }, () =>
      deps.database.transaction(async (stores) => {
        if (!(await stores.secrets.store(grant.id, attempt.version, attempt.id, sealed))) return false
        if (rotated) {
          const key = seenTokenKey(deps.vault, { ...grant, clientId: client.clientId }, rotated)
          await stores.seenTokens.setGranted(key, grant.id, attempt.version + 1)
        }
        return true
      }),
    )
    if (!wasStored) return { kind: 'moved' }
    return {
      kind: 'stored',
      token: {
        token: tokens.accessToken,
        expiresAtMs: tokens.expiresAt * 1000,
        refreshDueMs: sealed.nextRefreshAtMs ?? 0,
        version: attempt.version + 1,
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
    const outcome = { failures, coolDownMs: coolDownMs(failures, error) }
    await storePatiently(deps.log, { grantId: grant.id }, () =>
      error.details.answered === false || attempt.followsLostAnswer
        ? secrets.freeLease(grant.id, attempt.id, outcome)
        : secrets.closeAttempt(grant.id, attempt.id, outcome),
    )
    const isOurs = error.kind === 'client-misconfigured' || error.kind === 'invalid-request'
    const fields = {
      grantId: grant.id,
      provider: grant.provider,
      failures,
      kind: error.kind,
      code: error.details.providerCode,
    }
    if (isOurs) deps.log.error({ ...fields, advice: error.details.advice }, 'connector.refused')
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
    const now = await secrets.find(grant.id)
    if (!now || now.version !== attempt.version || now.attempt?.id !== attempt.id) return { kind: 'moved' }
    const superseded = deps.grantVault.superseded(row)
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
    const reason = attempt.followsLostAnswer ? reasonOfLostAnswer(error, at) : reasonOfRefusal(error, at)
    await storePatiently(deps.log, { grantId: grant.id }, () =>
      invalidateGrant(deps, grant, reason, attempt.version, async (stores) => {
        await stores.secrets.closeAttempt(grant.id, attempt.id, { failures: row.failures + 1, coolDownMs: 0 })
      }),
    )
    return { kind: 'failed', error: expiredError(reason) }
  }
}
