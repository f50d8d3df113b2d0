import { createHash } from 'node:crypto'
import { appError } from '../../contract/errors.ts'
import type { Ids } from '../../kit/ids.ts'
import type { Logger } from '../../kit/logger.ts'
import { isJsonObject, parseJson } from '../../kit/json.ts'
import type { IdempotencyClaim } from '../ports/mail-stores-sending.ts'
import type { IdempotencyService, KeptAnswer } from '../ports/mail-services.ts'
import type { GrantRecord } from '../ports/records.ts'
import type { Database } from '../ports/stores.ts'
import type { Vault } from '../ports/vault.ts'

/** From the first request (contract/email.md 5.5). */
export const IDEMPOTENCY_LIFE_MS = 60 * 60 * 1000
const MAX_KEY_CHARS = 256
/** Longer than any send takes: a key without an answer after this belongs to a process that has ended. */
const UNDER_WAY_MS = 180_000
const RETRY_AFTER_SECONDS = 5

/**
 * Answers that say "later" and are not kept: nothing was sent, and the same request is expected again once the grant
 * works, the provider has room or the server is back.
 */
const NOT_KEPT = [401, 423, 429, 503]

/**
 * Carries requests out once for each key. The first answer is kept for an hour, sealed, a success and an error alike.
 *
 * A process that ends during the first request leaves the key without an answer, and nobody knows whether the message
 * has gone. Such a key is "under way" for three minutes; from then on it is answered with a 504 that says so, until the
 * hour is over. The message is never sent twice for one key: whoever wants to try again takes a new one.
 */
export function createIdempotency(deps: {
  readonly database: Database
  readonly vault: Vault
  readonly ids: Ids
  readonly log: Logger
}): IdempotencyService {
  const { idempotency } = deps.database.stores
  return {
    async once(grant, { key, payload }, work) {
      if (key === '' || key.length > MAX_KEY_CHARS) throw appError('api.invalid_idempotency_key')
      const claim: IdempotencyClaim = {
        id: digest(grant.id, key),
        applicationId: grant.applicationId,
        grantId: grant.id,
        attemptId: deps.ids.uuid(),
        payloadHash: payload,
      }
      const known = await idempotency.claim(claim, IDEMPOTENCY_LIFE_MS)
      if (!known) return { ...(await first(grant, claim, work)), isRepeated: false }
      if (known.payloadHash !== payload) throw appError('api.invalid_idempotent_request')
      if (known.sealedAnswer !== null) {
        return { ...(await open(grant, claim.id, known.sealedAnswer)), isRepeated: true }
      }
      if (known.ageMs < UNDER_WAY_MS) {
        throw appError('api.concurrent_idempotent_request', undefined, {
          retryAfterSeconds: RETRY_AFTER_SECONDS,
        })
      }
      throw appError(
        'api.provider_error',
        'The first request with this Idempotency-Key ended without an answer: the message may have been sent. ' +
          'Look for it in the Sent folder before you send it again with another key.',
      )
    },
  }

  async function first(
    grant: GrantRecord,
    claim: IdempotencyClaim,
    work: () => Promise<KeptAnswer>,
  ): Promise<KeptAnswer> {
    let answer: KeptAnswer
    try {
      answer = await work()
    } catch (error) {
      // Not an answer at all: a fault of ours. What it has done is not known, so the key stays as it is.
      deps.log.error({ grantId: grant.id, err: error }, 'idempotency.no_answer')
      throw error
    }
    try {
      if (NOT_KEPT.includes(answer.status)) await idempotency.release(claim.id, claim.attemptId)
      else await keep(grant, claim, answer)
    } catch (error) {
      // The message may be out: its sender hears of that, whatever becomes of the key.
      deps.log.error({ grantId: grant.id, err: error }, 'idempotency.answer_lost')
    }
    return answer
  }

  async function keep(grant: GrantRecord, claim: IdempotencyClaim, answer: KeptAnswer): Promise<void> {
    const seal = () => deps.vault.seal(placeOf(grant, claim.id), JSON.stringify(answer))
    try {
      await idempotency.finish(claim.id, claim.attemptId, seal())
    } catch {
      // The data key may have been closed meanwhile, or the database been away for a moment: sealed anew it goes in.
      await idempotency.finish(claim.id, claim.attemptId, seal())
    }
  }

  async function open(grant: GrantRecord, id: string, sealed: string): Promise<KeptAnswer> {
    const kept = parseJson(await deps.vault.open(placeOf(grant, id), sealed))
    if (isJsonObject(kept)) {
      const { status, body, requestId } = kept
      if (typeof status === 'number' && typeof body === 'string' && typeof requestId === 'string') {
        return { status, body, requestId }
      }
    }
    throw new Error('a kept answer cannot be read')
  }
}

function placeOf(grant: GrantRecord, rowId: string) {
  return { table: 'idempotency_keys', column: 'sealed_answer', rowId, applicationId: grant.applicationId }
}

function digest(grantId: string, key: string): string {
  return createHash('sha256').update(`${grantId}\0${key}`).digest('hex')
}
