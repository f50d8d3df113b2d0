import { appError } from '../../contract/errors.ts'
import { patientDeadline, sleep } from '../../kit/deadline.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import type { ProviderClient, Tokens } from '../ports/identity.ts'
import type { PendingSecretRecord } from '../ports/records.ts'
import type { SeenTokenKey } from '../ports/stores.ts'
import { connectFailure } from '../provider-failure.ts'
import type { ConnectInput } from './connect-input.ts'
import { storePatiently, undoUnsent } from './patient-store.ts'
import { openPending, type PendingSecret, sealPending } from './pending.ts'
import { seenTokenKey } from './seen-token-key.ts'
import type { RefreshDeps } from './refresh-flight.ts'

interface Renewal {
  readonly input: ConnectInput
  readonly client: ProviderClient
  readonly key: SeenTokenKey
  readonly scope: readonly string[]
  /** what an access token must have left */
  readonly usableMs: number
  readonly lostNote: string
}

/** A pending secret that is good to use, and the version of its row: it counts only while that stands. */
type Renewed = PendingSecret & { readonly version: number }

const CALL_DEADLINE_MS = 15_000
const WAIT_MS = 20_000
const POLL_MS = 75

/**
 * Brings a pending secret to a usable access token: as stored while it is fresh, else by exchanging its own
 * (newest) refresh token, with the attempt recorded in the pending row before it is sent.
 *
 * @returns null when the pending secret is gone: look at the seen token again
 */
export function createPendingRenewal(deps: RefreshDeps) {
  const { pendingSecrets } = deps.database.stores

  return async function renew(first: PendingSecretRecord, renewal: Renewal): Promise<Renewed | null> {
    const waitUntilMs = deps.clock.nowMs() + WAIT_MS
    const { id } = first
    for (let record: PendingSecretRecord | null = first; record; ) {
      const pending = await openPending(deps.vault, record)
      if (pending.tokens.expiresAt * 1000 - deps.clock.nowMs() > renewal.usableMs) {
        return { ...pending, version: record.version }
      }
      if (pending.attempt && (await deps.database.liveness.mayAnswer(pending.attempt))) {
        if (deps.clock.nowMs() >= waitUntilMs) {
          throw appError(
            'api.provider_error',
            'An earlier request with this refresh token has not been answered yet.',
            {
              retryAfterSeconds: 5,
            },
          )
        }
        await sleep(POLL_MS + Math.random() * POLL_MS)
      } else {
        const startedAtMs = deps.clock.nowMs()
        const attempt = { id: deps.ids.uuid(), holder: deps.database.liveness.self, startedAtMs }
        const sealed = sealPending(deps.vault, record, { ...pending, attempt })
        const isOurs = await pendingSecrets
          .update(record.id, record.version, sealed)
          .catch((error: unknown) => {
            undoUnsent(deps.log, { provider: record?.provider }, () => undoAttempt(id, attempt.id, pending))
            throw error
          })
        if (isOurs) {
          return exchangeAgain({ ...record, version: record.version + 1 }, pending, renewal)
        }
      }
      record = await pendingSecrets.find(record.id)
    }
    return null
  }

  async function undoAttempt(id: string, attemptId: string, before: PendingSecret): Promise<void> {
    const record = await pendingSecrets.find(id)
    if (!record || (await openPending(deps.vault, record)).attempt?.id !== attemptId) return
    const { secret, tokens, attempt } = before
    const restored = { secret, tokens, ...(attempt ? { attempt: { ...attempt, holder: '' } } : {}) }
    await pendingSecrets.update(id, record.version, sealPending(deps.vault, record, restored))
  }

  async function exchangeAgain(
    record: PendingSecretRecord,
    pending: PendingSecret,
    { input, client, key, scope, lostNote }: Renewal,
  ): Promise<Renewed> {
    const { secret } = pending
    const followsLostAnswer = pending.attempt !== undefined
    const signal = patientDeadline(CALL_DEADLINE_MS)
    let tokens: Tokens
    try {
      if (!input.module.identity.exchange) throw appError('api.internal_error')
      tokens = await input.module.identity.exchange({ client, secret, scope, signal })
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error
      await storePatiently(deps.log, { provider: key.provider }, () => settleFailure(record, pending, error))
      const isLost = error.kind === 'grant-revoked' && followsLostAnswer
      throw connectFailure(error, secret.kind, isLost ? lostNote : '')
    }
    const rotated = tokens.refreshToken
    const next: PendingSecret = {
      secret: rotated ? { kind: 'refresh-token', refreshToken: rotated } : secret,
      tokens,
    }
    await storePatiently(deps.log, { provider: key.provider }, () =>
      deps.database.transaction(async (stores) => {
        const sealed = sealPending(deps.vault, record, next)
        // Stored by the try before, whose confirmation got lost; a grant may have been made of it since.
        if (!(await stores.pendingSecrets.update(record.id, record.version, sealed))) return
        if (rotated) await stores.seenTokens.setPending(seenTokenKey(deps.vault, key, rotated), record.id)
      }),
    )
    return { ...next, version: record.version + 1 }
  }

  async function settleFailure(
    record: PendingSecretRecord,
    pending: PendingSecret,
    error: ProviderError,
  ): Promise<void> {
    if (error.kind === 'grant-revoked') {
      await deps.database.transaction(async (stores) => {
        await stores.seenTokens.deleteOfPending(record.id)
        await stores.pendingSecrets.delete(record.id)
      })
      return
    }
    // Unanswered, now or earlier: the attempt stays, given up by its holder, so that the next request tries once
    // more and a refusal then says why.
    const settled: PendingSecret =
      error.details.answered === false || pending.attempt !== undefined
        ? { ...pending, attempt: { id: deps.ids.uuid(), holder: '', startedAtMs: 0 } }
        : { secret: pending.secret, tokens: pending.tokens }
    await pendingSecrets.update(record.id, record.version, sealPending(deps.vault, record, settled))
  }
}
