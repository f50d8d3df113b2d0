import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { ApplicationId } from '../../src/contract/ids.ts'
import { grantId } from '../../src/contract/ids.ts'
import type { OutboxEvent } from '../../src/core/ports/records.ts'
import type { Database } from '../../src/core/ports/stores.ts'
import { deliveryJob } from '../../src/core/webhooks/delivery-job.ts'

/** Gives an application a paused destination and a dead delivery of it. @returns ids by their names in routes */
export async function plantWebhook(
  { stores }: Database,
  applicationId: ApplicationId,
): Promise<{ readonly webhook: string; readonly delivery_id: string }> {
  const webhook = randomUUID()
  await stores.webhooks.insert({
    id: webhook,
    applicationId,
    description: 'planted',
    triggerTypes: ['grant.expired'],
    url: 'https://receiver.example/hook',
    sealedSecret: 'planted',
    status: 'pause',
    notificationEmailAddresses: [],
    compressedDelivery: false,
    statusUpdatedAt: 1,
    createdAt: 1,
    updatedAt: 1,
  })
  const event: OutboxEvent = {
    id: randomUUID(),
    applicationId,
    grantId: grantId(randomUUID()),
    trigger: 'grant.expired',
    source: '/nylas/system',
    data: { object: {} },
    createdAt: 1,
  }
  await stores.jobs.enqueue([deliveryJob(event, { id: webhook })])
  await stores.jobs.buryLane('webhook.delivery', webhook, { error: 'planted' }, 1)
  const [delivery] = await stores.jobs.list({ kind: 'webhook.delivery', lane: webhook, limit: 1 })
  assert.equal(delivery?.state, 'dead')
  return { webhook, delivery_id: delivery.id }
}
