import { appError } from '../../contract/errors.ts'
import { AppError } from '../../kit/app-error.ts'
import { patientDeadline, sleep } from '../../kit/deadline.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import type { GrantSecret, ProviderClient, Tokens } from '../ports/identity.ts'
import type { GrantRecord, SeenTokenState } from '../ports/records.ts'
import type { SeenTokenKey } from '../ports/stores.ts'
import { connectFailure } from '../provider-failure.ts'
import type { AccessTokens } from './access-tokens.ts'
import type { ConnectInput } from './connect-input.ts'
import { storePatiently, undoUnsent } from './patient-store.ts'
import type { PendingSecret } from './pending.ts'
import { createPendingRenewal } from './renew-pending.ts'
import { seenTokenKey } from './seen-token-key.ts'
import { storePending } from './store-pending.ts'
import type { RefreshDeps } from './refresh-flight.ts'

/** What is in hand before the account is asked for. Whatever was spent for it is stored already. */
export type Acquired =
  /** nothing was spent: a mailbox login, a service account */
  | { readonly kind: 'direct'; readonly secret: GrantSecret; readonly tokens: Tokens | null }
  /** an exchange, stored as pending */
  | {
      readonly kind: 'pending'
      readonly pendingId: string
      /** of the row: once it moved, another request has made a grant of it or renewed it */
      readonly pendingVersion: number
      readonly secret: GrantSecret
      readonly tokens: Tokens
    }
  /** the token belongs to a grant; its newest secret was refreshed under the grant's lease */
  | {
      readonly kind: 'granted'
      readonly grant: GrantRecord
      readonly secret: GrantSecret
      readonly tokens: Tokens
    }

const WAIT_MS = 20_000
const POLL_MS = 75
const CALL_DEADLINE_MS = 15_000
/** A pending access token with less left is renewed before the account is asked for. */
const USABLE_MS = 60_000
const LOST_NOTE =
  ' An earlier answer for this refresh token was lost on its way, so the provider may have replaced it: send the user through consent again.'

/**
 * Turns what the client posted into an access token, without ever spending a refresh token twice
 * (design.md section 4, "Nothing that rotates is ever dropped or sent twice").
 *
 * A token that was never seen is exchanged behind its `seen_tokens` row, and the answer is committed as a
 * pending secret before anything else. A token that was seen is never exchanged again: its pending secret or
 * its grant's newest secret is used.
 */
export function createAcquireTokens(deps: RefreshDeps & { readonly accessTokens: AccessTokens }) {
  const { seenTokens, pendingSecrets, grants, secrets } = deps.database.stores
  const renewPending = createPendingRenewal(deps)

  /** @param again  another request has just finished the work with this token */
  return async function acquire(
    input: ConnectInput,
    scope: readonly string[],
    again: boolean,
  ): Promise<Acquired> {
    const { secret } = input.material
    const { exchange } = input.module.identity
    if (!exchange || !input.client) return { kind: 'direct', secret, tokens: null }
    if (secret.kind !== 'refresh-token') {
      const signal = patientDeadline(CALL_DEADLINE_MS)
      const call = { client: input.client, secret, scope, signal }
      const tokens = await exchange(call).catch((error: unknown) => {
        throw error instanceof ProviderError ? connectFailure(error, secret.kind) : error
      })
      return { kind: 'direct', secret, tokens }
    }
    const owner = { ...input.connector, provider: input.module.id, clientId: input.client.clientId }
    return acquireByRefreshToken(
      input,
      input.client,
      seenTokenKey(deps.vault, owner, secret.refreshToken),
      scope,
      again,
    )
  }

  async function acquireByRefreshToken(
    input: ConnectInput,
    client: ProviderClient,
    key: SeenTokenKey,
    scope: readonly string[],
    again: boolean,
  ): Promise<Acquired> {
    const waitUntilMs = deps.clock.nowMs() + WAIT_MS
    let waited = again
    // Most tokens are new: the first look is the attempt to take the row.
    for (let isFirstLook = !again; ; isFirstLook = false) {
      const state = isFirstLook ? undefined : (await seenTokens.find(key))?.state
      const found = state && (await acquireSeen(input, client, key, state, scope, waited))
      if (found) return found
      const attempt = { id: deps.ids.uuid(), holder: deps.database.liveness.self }
      if (!state) {
        const isOurs = await seenTokens.insertAttempt(key, attempt).catch((error: unknown) => {
          undoUnsent(deps.log, { provider: key.provider }, () => seenTokens.deleteAttempt(key, attempt.id))
          throw error
        })
        if (isOurs) return exchangeFirst(input, client, key, attempt.id, 1, scope)
        if (isFirstLook) continue
      } else if (state.kind === 'attempted' && !(await deps.database.liveness.mayAnswer(state.attempt))) {
        const isOurs = await seenTokens
          .retakeAttempt(key, state.attempt.id, attempt)
          .catch((error: unknown) => {
            undoUnsent(deps.log, { provider: key.provider }, () => seenTokens.abandonAttempt(key, attempt.id))
            throw error
          })
        if (isOurs) return exchangeFirst(input, client, key, attempt.id, state.tries + 1, scope)
      } else if (deps.clock.nowMs() >= waitUntilMs) {
        throw appError(
          'api.provider_error',
          'An earlier request with this refresh token has not been answered yet.',
          {
            retryAfterSeconds: 5,
          },
        )
      }
      await sleep(POLL_MS + Math.random() * POLL_MS)
      waited = true
    }
  }

  /** @returns null when the row leads nowhere (any more): look again */
  async function acquireSeen(
    input: ConnectInput,
    client: ProviderClient,
    key: SeenTokenKey,
    state: SeenTokenState,
    scope: readonly string[],
    waited: boolean,
  ): Promise<Acquired | null> {
    if (state.kind === 'attempted') return null
    if (state.kind === 'granted') return acquireGranted(key, state.grantId, waited)
    const record = await pendingSecrets.find(state.pendingId)
    if (!record) return null
    const pending = await renewPending(record, {
      input,
      client,
      key,
      scope,
      usableMs: USABLE_MS,
      lostNote: LOST_NOTE,
    })
    if (!pending) return null
    const { version: pendingVersion, ...acquired } = pending
    return {
      kind: 'pending',
      pendingId: record.id,
      pendingVersion,
      secret: acquired.secret,
      tokens: acquired.tokens,
    }
  }

  /** @param waited  the provider has just answered another request with this token, so it need not be asked again */
  async function acquireGranted(
    key: SeenTokenKey,
    id: GrantRecord['id'],
    waited: boolean,
  ): Promise<Acquired | null> {
    const grant = await grants.find(key.applicationId, id)
    if (!grant) return null
    const { accessTokens } = deps
    // Of a dead grant only the provider's word counts, not a token that happens to live on.
    const isAnswered = waited && grant.status === 'valid'
    const asked = isAnswered ? accessTokens.current(grant) : accessTokens.renew(grant)
    const live = await asked.catch((error: unknown) => {
      throw asConnectFailure(error)
    })
    const row = await secrets.find(grant.id)
    if (!row) return null
    const tokens = { accessToken: live.token, expiresAt: Math.floor(live.expiresAtMs / 1000) }
    return { kind: 'granted', grant, secret: await deps.grantVault.secret(row), tokens }
  }

  /** The first exchange of a refresh token. Its answer is committed before any other await. */
  async function exchangeFirst(
    input: ConnectInput,
    client: ProviderClient,
    key: SeenTokenKey,
    attemptId: string,
    tries: number,
    scope: readonly string[],
  ): Promise<Acquired> {
    const { secret } = input.material
    const signal = patientDeadline(CALL_DEADLINE_MS)
    let tokens: Tokens
    try {
      if (!input.module.identity.exchange) throw appError('api.internal_error')
      tokens = await input.module.identity.exchange({ client, secret, scope, signal })
    } catch (error) {
      await storePatiently(deps.log, { provider: key.provider }, async () => {
        if (error instanceof ProviderError && leavesAnAnswerOpen(error, tries)) {
          await seenTokens.abandonAttempt(key, attemptId)
        } else await seenTokens.deleteAttempt(key, attemptId)
      })
      if (!(error instanceof ProviderError)) throw error
      throw connectFailure(error, secret.kind, tries > 1 && error.kind === 'grant-revoked' ? LOST_NOTE : '')
    }
    const rotated = tokens.refreshToken
    const pending: PendingSecret = {
      secret: rotated ? { kind: 'refresh-token', refreshToken: rotated } : secret,
      tokens,
    }
    const keys: readonly [SeenTokenKey, ...SeenTokenKey[]] = rotated
      ? [key, seenTokenKey(deps.vault, key, rotated)]
      : [key]
    const id = await storePending(deps, keys, pending)
    return { kind: 'pending', pendingId: id, pendingVersion: 1, ...pending }
  }
}

/** Whether an answer of this or an earlier try may be lost, so that the row must say so at a later refusal. */
function leavesAnAnswerOpen(error: ProviderError, tries: number): boolean {
  return error.details.answered === false || (tries > 1 && error.kind !== 'grant-revoked')
}

/** A grant whose stored secret is refused is, to the one who posts it, a refused refresh token. */
function asConnectFailure(error: unknown): unknown {
  if (!(error instanceof AppError) || error.type !== 'grant.expired') return error
  return appError('grant.refresh_token_invalid', undefined, { ...error.extras, cause: error })
}
