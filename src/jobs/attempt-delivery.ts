import { envelopeOf } from '../core/webhooks/envelope.ts'
import { openWebhookSecret } from '../core/webhooks/secret.ts'
import { prepareBody } from '../core/webhooks/sign-body.ts'
import type { JobOutcome } from '../core/ports/event-stores.ts'
import type { JobRecord, OutboxEvent, WebhookRecord } from '../core/ports/records.ts'
import { retryAfterSeconds } from '../kit/outbound/http-client.ts'
import { ProviderError } from '../kit/provider-error.ts'
import type { JobDeps } from './job-deps.ts'
import { type DeliveryFailure, nextTryAfterMs } from './retry-schedule.ts'

/** A claimed job with what it delivers and where. */
export interface Delivery {
  readonly job: JobRecord & { readonly lease: string }
  readonly event: OutboxEvent
  readonly webhook: WebhookRecord
}

/** What came of an attempt. */
export interface Attempt {
  readonly webhookId: string
  readonly settled: JobOutcome
  /** null: a fault of ours, which says nothing about the destination's health */
  readonly succeeded: boolean | null
}

interface Answer {
  readonly status: number | 'timeout' | 'unreachable'
  readonly error?: string
  readonly retryAfterSeconds?: number | undefined
}

/** For the whole answer (contract/webhooks.md 4). */
const TIMEOUT_MS = 10_000
/** Of the answer's body, of which nothing is used. */
const MAX_ANSWER_BYTES = 64 * 1024

/**
 * Posts an event to a destination once: `id`, `time` and `data` are the same at each attempt, the attempt's number
 * is in the body, so each is signed anew. Redirects are not followed; the address is checked when connecting.
 *
 * @returns null when the signal fired: nobody knows whether it arrived
 */
export async function attemptDelivery(
  delivery: Delivery,
  deps: JobDeps,
  signal: AbortSignal,
): Promise<Attempt | null> {
  const { job, event, webhook } = delivery
  const startedAtMs = performance.now()
  const answer = await post(delivery, deps, signal).catch((error: unknown) => {
    // The seal, the body: a fault of ours. It is tried again, and the destination is not blamed.
    if (!signal.aborted) deps.log.error({ err: error, webhookId: webhook.id }, 'webhook.delivery_broken')
    return null
  })
  if (signal.aborted && typeof answer?.status !== 'number') return null
  const durationMs = Math.round(performance.now() - startedAtMs)
  const firstAtMs = firstAttemptAtMs(job)
  const result = resultOf(answer, {
    attempt: job.attempts,
    sinceFirstMs: job.readAtMs - firstAtMs,
    outcome: {
      ...(answer === null ? { error: 'The delivery could not be prepared.' } : reportOf(answer)),
      latency_ms: durationMs,
      at: Math.floor(job.readAtMs / 1000),
      first_at: Math.floor(firstAtMs / 1000),
    },
  })
  if (answer !== null) {
    deps.telemetry.delivered({
      result: RESULT_NAMES[result.kind],
      status: answer.status,
      durationMs,
      lagMs: Math.max(0, job.readAtMs - event.createdAt * 1000),
    })
  }
  return {
    webhookId: webhook.id,
    settled: { id: job.id, lease: job.lease, result },
    succeeded: answer === null ? null : result.kind === 'done',
  }
}

const RESULT_NAMES = { done: 'delivered', retry: 'retried', dead: 'dead' } as const

async function post({ job, event, webhook }: Delivery, deps: JobDeps, signal: AbortSignal): Promise<Answer> {
  const secret = await openWebhookSecret(deps.vault, webhook)
  const { body, headers } = prepareBody(envelopeOf(event, job.attempts), {
    secret,
    compressed: webhook.compressedDelivery,
  })
  try {
    const response = await deps.userHosts.request({
      method: 'POST',
      url: webhook.url,
      headers,
      body,
      signal,
      timeoutMs: TIMEOUT_MS,
      maxBytes: MAX_ANSWER_BYTES,
    })
    return {
      status: response.status,
      retryAfterSeconds: retryAfterSeconds(response, deps.clock.nowMs()),
    }
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error
    // An answer with a long body is an answer.
    if (error.details.httpStatus !== undefined) return { status: error.details.httpStatus }
    return { status: error.kind === 'timeout' ? 'timeout' : 'unreachable', error: error.message }
  }
}

function resultOf(
  answer: Answer | null,
  attempt: {
    readonly attempt: number
    readonly sinceFirstMs: number
    readonly outcome: JobOutcome['result']['outcome']
  },
): JobOutcome['result'] {
  const { outcome } = attempt
  if (answer !== null && isSuccess(answer.status)) return { kind: 'done', outcome }
  const afterMs = nextTryAfterMs({
    attempt: attempt.attempt,
    sinceFirstMs: attempt.sinceFirstMs,
    failure: answer === null ? 500 : answer.status,
    retryAfterSeconds: answer?.retryAfterSeconds,
    random: Math.random(),
  })
  return afterMs === null ? { kind: 'dead', outcome } : { kind: 'retry', afterMs, outcome }
}

/** Every 2xx: what hosted does with those other than 200 is not known. */
function isSuccess(status: DeliveryFailure): boolean {
  return typeof status === 'number' && status >= 200 && status < 300
}

function reportOf({ status, error }: Answer) {
  return {
    ...(typeof status === 'number' ? { status } : {}),
    ...(error === undefined ? {} : { error }),
  }
}

/**
 * When the first attempt of this round was made: noted in the outcomes. An older note is of the round before a replay;
 * without one (the process died before it could be written) the round begins now, which only makes it longer.
 */
function firstAttemptAtMs(job: JobRecord): number {
  const noted = job.outcome?.['first_at']
  if (job.attempts <= 1 || typeof noted !== 'number') return job.readAtMs
  return noted * 1000 + 999 >= job.createdAtMs ? noted * 1000 : job.readAtMs
}
