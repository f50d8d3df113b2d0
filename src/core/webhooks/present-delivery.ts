import type { Delivery, DeliveryStatus } from '../../contract/webhook.ts'
import { type JsonObject, numberField, stringField } from '../../kit/json.ts'
import type { JobRecord, JobState } from '../ports/records.ts'

const STATUSES = {
  waiting: 'pending',
  done: 'delivered',
  dead: 'dead',
} as const satisfies Record<JobState, DeliveryStatus>

const STATES = { pending: 'waiting', delivered: 'done', dead: 'dead' } as const satisfies Record<
  DeliveryStatus,
  JobState
>

/** The state of a job whose delivery has this status. */
export function stateOf(status: DeliveryStatus): JobState {
  return STATES[status]
}

/** Turns the job of a delivery into its wire shape. */
export function presentDelivery(job: JobRecord): Delivery {
  const grantId = stringField(job.payload, 'grant_id')
  // While it is claimed its due time is only the end of the claim: the attempt is being made now.
  const isWaiting = job.state === 'waiting' && job.lease === null
  return {
    id: job.id,
    event_id: eventIdOf(job),
    trigger: stringField(job.payload, 'trigger') ?? '',
    ...(grantId === undefined ? {} : { grant_id: grantId }),
    status: STATUSES[job.state],
    attempts: job.attempts,
    ...(job.outcome === null ? {} : { last_attempt: lastAttempt(job.outcome) }),
    ...(isWaiting ? { next_attempt_at: Math.ceil(job.dueAtMs / 1000) } : {}),
    created_at: Math.floor(job.createdAtMs / 1000),
    ...(job.finishedAtMs === null ? {} : { finished_at: Math.floor(job.finishedAtMs / 1000) }),
  }
}

/** The event that a job delivers. */
export function eventIdOf(job: JobRecord): string {
  return stringField(job.payload, 'event_id') ?? ''
}

function lastAttempt(outcome: JsonObject): NonNullable<Delivery['last_attempt']> {
  const status = numberField(outcome, 'status')
  const error = stringField(outcome, 'error')
  const latencyMs = numberField(outcome, 'latency_ms')
  const at = numberField(outcome, 'at')
  return {
    ...(status === undefined ? {} : { status }),
    ...(error === undefined ? {} : { error }),
    ...(latencyMs === undefined ? {} : { latency_ms: Math.round(latencyMs) }),
    ...(at === undefined ? {} : { at: Math.floor(at) }),
  }
}
