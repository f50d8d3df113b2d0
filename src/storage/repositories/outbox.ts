import type { OutboxStore } from '../../core/ports/stores.ts'
import { readObject, wholeNumber, writeJson } from '../column.ts'
import type { Connection } from '../engine.ts'

export function createOutboxStore(connection: Connection): OutboxStore {
  return {
    async insert(event) {
      await connection
        .insertInto('outbox')
        .values({
          id: event.id,
          application_id: event.applicationId,
          grant_id: event.grantId,
          trigger: event.trigger,
          payload: writeJson(event.payload),
          created_at: event.createdAt,
        })
        .execute()
    },
    async list(applicationId, limit) {
      const rows = await connection
        .selectFrom('outbox')
        .selectAll()
        .where('application_id', '=', applicationId)
        .orderBy('seq')
        .limit(wholeNumber(limit))
        .execute()
      return rows.map((row) => ({
        id: row.id,
        applicationId: row.application_id,
        grantId: row.grant_id,
        trigger: row.trigger,
        payload: readObject(row.payload),
        createdAt: row.created_at,
      }))
    },
  }
}
