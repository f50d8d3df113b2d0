import type { AuditStore } from '../../core/ports/event-stores.ts'
import { readObject, wholeNumber, writeJson } from '../column.ts'
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
    async list({ applicationId, actor, action, target, since, until }, { beforeSeq, limit }) {
      let query = connection.selectFrom('audit_log').selectAll()
      if (applicationId !== null) query = query.where('application_id', '=', applicationId)
      if (actor !== undefined) query = query.where('actor', '=', actor)
      if (action !== undefined) query = query.where('action', '=', action)
      if (target !== undefined) query = query.where('target', '=', target)
      if (since !== undefined) query = query.where('created_at', '>=', wholeNumber(since))
      if (until !== undefined) query = query.where('created_at', '<=', wholeNumber(until))
      if (beforeSeq !== undefined) query = query.where('seq', '<', wholeNumber(beforeSeq))
      const rows = await query.orderBy('seq', 'desc').limit(wholeNumber(limit)).execute()
      return rows.map((row) => ({
        seq: row.seq,
        id: row.id,
        applicationId: row.application_id,
        actor: row.actor,
        action: row.action,
        target: row.target,
        detail: readObject(row.detail),
        createdAt: row.created_at,
      }))
    },
  }
}
