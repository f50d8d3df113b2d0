import type { NewJob } from '../ports/event-stores.ts'
import type { OutboxEvent, WebhookRecord } from '../ports/records.ts'

/** What finds the delivery of an event to a destination: there is one at most. */
export function deliveryKey(event: OutboxEvent, webhookId: string): string {
  return `${event.id}:${webhookId}`
}

/** The job that delivers an event to a destination. Its lane is the destination: a slow one holds up nobody else. */
export function deliveryJob(event: OutboxEvent, webhook: Pick<WebhookRecord, 'id'>): NewJob {
  return {
    kind: 'webhook.delivery',
    lane: webhook.id,
    dedupeKey: deliveryKey(event, webhook.id),
    applicationId: event.applicationId,
    payload: { event_id: event.id, trigger: event.trigger, grant_id: event.grantId },
  }
}
