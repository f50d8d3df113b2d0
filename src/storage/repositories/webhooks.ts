import { sql, type Updateable } from 'kysely'
import type { WebhookChange, WebhookStore } from '../../core/ports/event-stores.ts'
import type { WebhookRecord } from '../../core/ports/records.ts'
import { readBoolean, readStrings, wholeNumber, writeBoolean, writeJson } from '../column.ts'
import type { Connection, Engine } from '../engine.ts'
import type { WebhookRow } from '../tables.ts'

const MINUTE_MS = 60_000

export function createWebhookStore(connection: Connection, engine: Engine): WebhookStore {
  const webhooks = () => connection.selectFrom('webhooks').selectAll()
  const minute = sql<number>`(${engine.nowMs}) / ${sql.lit(MINUTE_MS)}`
  return {
    async find(applicationId, id) {
      const row = await webhooks()
        .where('id', '=', id)
        .where('application_id', '=', applicationId)
        .executeTakeFirst()
      return row ? toRecord(row) : null
    },
    async findMany(ids) {
      if (ids.length === 0) return []
      return (await webhooks().where('id', 'in', ids).execute()).map(toRecord)
    },
    async list(applicationId) {
      const rows = await webhooks()
        .where('application_id', '=', applicationId)
        .orderBy('created_at')
        .orderBy('id')
        .execute()
      return rows.map(toRecord)
    },
    async listReceiving(applicationIds) {
      if (applicationIds.length === 0) return []
      const rows = await webhooks()
        .where('application_id', 'in', applicationIds)
        .where('status', 'in', ['active', 'failing'])
        .orderBy('created_at')
        .orderBy('id')
        .execute()
      return rows.map(toRecord)
    },
    async insert(record) {
      await connection
        .insertInto('webhooks')
        .values({
          id: record.id,
          application_id: record.applicationId,
          description: record.description,
          trigger_types: writeJson(record.triggerTypes),
          url: record.url,
          sealed_secret: record.sealedSecret,
          status: record.status,
          notification_email_addresses: writeJson(record.notificationEmailAddresses),
          compressed_delivery: writeBoolean(record.compressedDelivery),
          status_updated_at: record.statusUpdatedAt,
          created_at: record.createdAt,
          updated_at: record.updatedAt,
          told_status: null,
        })
        .execute()
    },
    async update(applicationId, id, change) {
      const result = await connection
        .updateTable('webhooks')
        .set(changedColumns(change))
        .where('id', '=', id)
        .where('application_id', '=', applicationId)
        .executeTakeFirst()
      return result.numUpdatedRows === 1n
    },
    async delete(applicationId, id) {
      const result = await connection
        .deleteFrom('webhooks')
        .where('id', '=', id)
        .where('application_id', '=', applicationId)
        .executeTakeFirst()
      return result.numDeletedRows === 1n
    },
    async changeStatus(id, from, to, at) {
      const result = await connection
        .updateTable('webhooks')
        // Each time it becomes failing is told anew.
        .set({ status: to, status_updated_at: at, told_status: null })
        .where('id', '=', id)
        .where('status', '=', from)
        .executeTakeFirst()
      return result.numUpdatedRows === 1n
    },
    async countDeliveries(counts) {
      for (const { webhookId, succeeded, failed } of counts) {
        await connection
          .insertInto('webhook_counts')
          .values({ webhook_id: webhookId, minute, succeeded, failed })
          .onConflict((conflict) =>
            conflict.columns(['minute', 'webhook_id']).doUpdateSet({
              succeeded: sql<number>`webhook_counts.succeeded + excluded.succeeded`,
              failed: sql<number>`webhook_counts.failed + excluded.failed`,
            }),
          )
          .execute()
      }
    },
    async deliveriesOf(minutes) {
      const rows = await connection
        .selectFrom('webhook_counts')
        .select((eb) => [
          'webhook_id',
          eb.fn.sum<number>('succeeded').as('succeeded'),
          eb.fn.sum<number>('failed').as('failed'),
        ])
        .where('minute', '>', sql<number>`${minute} - ${wholeNumber(minutes)}`)
        .groupBy('webhook_id')
        .execute()
      return rows.map((row) => ({
        webhookId: row.webhook_id,
        succeeded: Number(row.succeeded),
        failed: Number(row.failed),
      }))
    },
    async deleteCountsOlderThan(minutes) {
      const result = await connection
        .deleteFrom('webhook_counts')
        .where('minute', '<', sql<number>`${minute} - ${wholeNumber(minutes)}`)
        .executeTakeFirst()
      return Number(result.numDeletedRows)
    },
    async listByStatus(statuses) {
      if (statuses.length === 0) return []
      const rows = await webhooks().where('status', 'in', statuses).orderBy('id').execute()
      return rows.map(toRecord)
    },
    async countByStatus() {
      const rows = await connection
        .selectFrom('webhooks')
        .select((eb) => ['status', eb.fn.countAll<number>().as('count')])
        .groupBy('status')
        .execute()
      return rows.map((row) => ({ status: row.status, count: Number(row.count) }))
    },
    async listUntold(limit) {
      const rows = await webhooks()
        .where('status', 'in', ['failing', 'failed'])
        .where('notification_email_addresses', '!=', '[]')
        .where((eb) => eb.or([eb('told_status', 'is', null), eb('told_status', '!=', eb.ref('status'))]))
        .orderBy('id')
        .limit(wholeNumber(limit))
        .execute()
      return rows.map(toRecord)
    },
    async markTold(id, status) {
      const result = await connection
        .updateTable('webhooks')
        .set({ told_status: status })
        .where('id', '=', id)
        .where('status', '=', status)
        .where((eb) => eb.or([eb('told_status', 'is', null), eb('told_status', '!=', status)]))
        .executeTakeFirst()
      return result.numUpdatedRows === 1n
    },
  }
}

function changedColumns(change: WebhookChange): Updateable<WebhookRow> {
  return {
    ...(change.description === undefined ? {} : { description: change.description }),
    ...(change.triggerTypes ? { trigger_types: writeJson(change.triggerTypes) } : {}),
    ...(change.url === undefined ? {} : { url: change.url }),
    ...(change.sealedSecret === undefined ? {} : { sealed_secret: change.sealedSecret }),
    ...(change.status === undefined ? {} : { status: change.status }),
    ...(change.notificationEmailAddresses
      ? { notification_email_addresses: writeJson(change.notificationEmailAddresses) }
      : {}),
    ...(change.compressedDelivery === undefined
      ? {}
      : { compressed_delivery: writeBoolean(change.compressedDelivery) }),
    ...(change.statusUpdatedAt === undefined ? {} : { status_updated_at: change.statusUpdatedAt }),
    ...(change.updatedAt === undefined ? {} : { updated_at: change.updatedAt }),
  }
}

function toRecord(row: WebhookRow): WebhookRecord {
  return {
    id: row.id,
    applicationId: row.application_id,
    description: row.description,
    triggerTypes: readStrings(row.trigger_types),
    url: row.url,
    sealedSecret: row.sealed_secret,
    status: row.status,
    notificationEmailAddresses: readStrings(row.notification_email_addresses),
    compressedDelivery: readBoolean(row.compressed_delivery),
    statusUpdatedAt: row.status_updated_at,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}
