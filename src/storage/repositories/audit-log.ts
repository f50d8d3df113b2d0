import type { AuditStore } from '../../core/ports/stores.ts'
import { writeJson } from '../column.ts'
import type { Connection } from '../engine.ts'

export function createAuditStore(connection: Connection): AuditStore {
  return {
    async insert(entry) {
      await connection
        .insertInto('audit_log')
        .values({
          id: entry.id,
          application_id: entry.applicationId,
          actor: entry.actor,
          action: entry.action,
          target: entry.target,
          detail: writeJson(entry.detail),
          created_at: entry.createdAt,
        })
        .execute()
    },
  }
}
