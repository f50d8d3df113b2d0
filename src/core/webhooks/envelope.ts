import type { JsonObject } from '../../kit/json.ts'
import type { OutboxEvent } from '../ports/records.ts'

/** What a receiver gets as JSON (contract/webhooks.md 5). */
export interface WebhookEnvelope {
  readonly specversion: '1.0'
  readonly type: string
  readonly source: string
  readonly id: string
  /** Unix seconds, not the text that plain CloudEvents wants */
  readonly time: number
  readonly webhook_delivery_attempt: number
  readonly data: JsonObject
}

/**
 * Puts an event into its envelope. `id`, `time` and `data` are the same at each attempt.
 *
 * @param attempt  1 for the first
 */
export function envelopeOf(event: OutboxEvent, attempt: number): WebhookEnvelope {
  return {
    specversion: '1.0',
    type: event.trigger,
    source: event.source,
    id: event.id,
    time: event.createdAt,
    webhook_delivery_attempt: attempt,
    data: { application_id: event.applicationId, ...event.data },
  }
}
