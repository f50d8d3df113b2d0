import type { AuditEntry } from '../../core/ports/records.ts'
import type { AuditStore } from '../../core/ports/event-stores.ts'
import { readObject, wholeNumber, writeJson } from '../column.ts'
import type { Connection, Engine } from '../engine.ts'
import { createRunner, statement } from '../prepared-statement.ts'

/** Rows are numbered in the order they came, but each process stamps them by a clock of its own. */
const CLOCK_SKEW_SECONDS = 300

const insertEntry = statement((on, row: ReturnType<typeof newRow>) => on.insertInto('audit_log').values(row))

export function createAuditStore(connection: Connection, engine: Engine): AuditStore {
  const run = createRunner(connection, engine)
  // Bounds in the order that the rows are walked in: a walk never leaves the span of time that was asked for.
  const firstSince = (since: number) =>
    connection
      .selectFrom('audit_log as first')
      .select('first.seq')
      .where('first.created_at', '>=', wholeNumber(since - CLOCK_SKEW_SECONDS))
      .orderBy('first.created_at')
      .orderBy('first.seq')
      .limit(1)
  const lastUntil = (until: number) =>
    connection
      .selectFrom('audit_log as last')
      .select('last.seq')
      .where('last.created_at', '<=', wholeNumber(until + CLOCK_SKEW_SECONDS))
      .orderBy('last.created_at', 'desc')
      .orderBy('last.seq', 'desc')
      .limit(1)
  return {
    async insert(entry) {
      await run.change(insertEntry, newRow(entry))
    },
    async list({ applicationId, actor, action, target, since, until }, { beforeSeq, limit }) {
      let query = connection.selectFrom('audit_log').selectAll()
      if (applicationId !== null) query = query.where('application_id', '=', applicationId)
      if (actor !== undefined) query = query.where('actor', '=', actor)
      if (action !== undefined) query = query.where('action', '=', action)
      if (target !== undefined) query = query.where('target', '=', target)
      if (since !== undefined) {
        query = query.where('created_at', '>=', wholeNumber(since)).where('seq', '>=', firstSince(since))
      }
      if (until !== undefined) {
        query = query.where('created_at', '<=', wholeNumber(until)).where('seq', '<=', lastUntil(until))
      }
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

function newRow(entry: AuditEntry) {
  return {
    id: entry.id,
    application_id: entry.applicationId,
    actor: entry.actor,
    action: entry.action,
    target: entry.target,
    detail: writeJson(entry.detail),
    created_at: entry.createdAt,
  }
}
