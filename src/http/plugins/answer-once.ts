import { createHash } from 'node:crypto'
import type { TSchema } from 'typebox'
import { Value } from 'typebox/value'
import type { IdempotencyService, KeptAnswer } from '../../core/ports/mail-services.ts'
import type { GrantRecord } from '../../core/ports/records.ts'
import { type Answer, AnswerWithStatus, type AnyAnswer, ByteAnswer } from '../route.ts'
import { bodyOf, toAppError } from './errors.ts'

/** A request that may carry an `Idempotency-Key`. */
export interface OnceRequest {
  readonly key: string | undefined
  /** what is asked for, in words that are equal for equal requests */
  readonly payload: readonly string[]
  readonly requestId: string
  /** Body of the success answer: nothing else of it is kept or sent. */
  readonly response: TSchema
}

/**
 * Answers a request, once for each key: a repeated one gets the first answer byte for byte, its request id included,
 * with `Idempotent-Response: true`; errors are answers, too.
 */
export async function answerOnce(
  idempotency: IdempotencyService,
  grant: GrantRecord,
  request: OnceRequest,
  work: () => Promise<Answer | AnswerWithStatus>,
): Promise<AnyAnswer> {
  if (request.key === undefined) return await work()
  const failure: { error?: unknown } = {}
  const answer = await idempotency.once(
    grant,
    { key: request.key, payload: digestOf(request.payload) },
    async (): Promise<KeptAnswer> => {
      try {
        return kept(request, await work())
      } catch (error) {
        failure.error = error
        return keptError(request, error)
      }
    },
  )
  // The first time an error goes the way of all errors, with its headers and its line in the log.
  if ('error' in failure) return await Promise.reject(failure.error)
  return new ByteAnswer(
    Buffer.from(answer.body, 'utf8'),
    {
      'content-type': 'application/json',
      ...(answer.isRepeated ? { 'idempotent-response': 'true', 'x-request-id': answer.requestId } : {}),
    },
    answer.status,
  )
}

function kept({ requestId, response }: OnceRequest, answered: Answer | AnswerWithStatus): KeptAnswer {
  const hasStatus = answered instanceof AnswerWithStatus
  const body = { request_id: requestId, ...(hasStatus ? answered.answer : answered) }
  return {
    status: hasStatus ? answered.status : 200,
    body: JSON.stringify(Value.Clean(response, body)),
    requestId,
  }
}

function keptError({ requestId }: OnceRequest, error: unknown): KeptAnswer {
  const known = toAppError(error)
  return { status: known.status, body: bodyOf({ id: requestId, url: '' }, known), requestId }
}

function digestOf(texts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(texts)).digest('hex')
}
