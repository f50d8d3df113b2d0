import { appError } from '../../contract/errors.ts'
import type { WebhookRecord } from '../ports/records.ts'
import type { Caller } from '../ports/services.ts'
import type { Stores } from '../ports/stores.ts'

/** Finds a destination of the caller's application. @throws AppError 404 `70000` */
export async function findWebhook(stores: Stores, caller: Caller, id: string): Promise<WebhookRecord> {
  const record = await stores.webhooks.find(caller.applicationId, id)
  if (!record) throw appError('webhook.not_found')
  return record
}
