import type { Webhook } from '../../contract/webhook.ts'
import type { WebhookRecord } from '../ports/records.ts'

/** Turns a destination into its wire shape, which has no secret. */
export function presentWebhook(record: WebhookRecord): Webhook {
  return {
    id: record.id,
    description: record.description,
    trigger_types: [...record.triggerTypes],
    webhook_url: record.url,
    status: record.status,
    notification_email_addresses: [...record.notificationEmailAddresses],
    compressed_delivery: record.compressedDelivery,
    status_updated_at: record.statusUpdatedAt,
    created_at: record.createdAt,
    updated_at: record.updatedAt,
  }
}
