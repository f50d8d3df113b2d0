import { type Selectable, sql } from 'kysely'
import type { OutboxStore } from '../../core/ports/event-stores.ts'
import type { OutboxEvent } from '../../core/ports/records.ts'
import { readObject, wholeNumber, writeJson } from '../column.ts'
import type { Connection, Engine } from '../engine.ts'
import { createRunner, statement } from '../prepared-statement.ts'
import type { Tables } from '../tables.ts'

/** A literal: SQLite finds the partial index of it only then. */
const UNSENT = sql.lit(0)

const insertNew = statement((on, row: ReturnType<typeof newEventRow>) => on.insertInto('outbox').values(row))

export function createOutboxStore(connection: Connection, engine: Engine): OutboxStore {
  const run = createRunner(connection, engine)
  return {
    async insert(event) {
      await run.change(insertNew, newEventRow(event))
    },
    async list(applicationId, limit) {
      const rows = await connection
        .selectFrom('outbox')
        .selectAll()
        .where('application_id', '=', applicationId)
        .orderBy('seq')
        .limit(wholeNumber(limit))
        .execute()
      return rows.map(toEvent)
    },
    async takeUnsent(limit) {
      const rows = await connection
        .updateTable('outbox')
        .set({ fanned_out: 1 })
        .where(
          'seq',
          'in',
          engine.skippingLocked(
            connection
              .selectFrom('outbox')
              .select('seq')
              .where('fanned_out', '=', UNSENT)
              .orderBy('seq')
              .limit(wholeNumber(limit)),
          ),
        )
        .returningAll()
        .execute()
      return rows.toSorted((a, b) => a.seq - b.seq).map(toEvent)
    },
    async find(ids) {
      if (ids.length === 0) return []
      const rows = await connection.selectFrom('outbox').selectAll().where('id', 'in', ids).execute()
      return rows.map(toEvent)
    },
    async oldestUnsentSeconds() {
      const row = await connection
        .selectFrom('outbox')
        .select(['created_at', engine.nowMs.as('now_ms')])
        .where('fanned_out', '=', UNSENT)
        .orderBy('seq')
        .limit(1)
        .executeTakeFirst()
      return row ? Math.max(0, Math.floor(row.now_ms / 1000) - row.created_at) : null
    },
    async listRange(applicationId, { triggers, since, until, afterSeq, limit }) {
      if (triggers.length === 0) return []
      const rows = await connection
        .selectFrom('outbox')
        .selectAll()
        .where('application_id', '=', applicationId)
        .where('created_at', '>=', wholeNumber(since))
        .where('created_at', '<=', wholeNumber(until))
        .where('seq', '>', wholeNumber(afterSeq))
        .where('trigger', 'in', triggers)
        .orderBy('seq')
        .limit(wholeNumber(limit))
        .execute()
      return rows.map((row) => ({ ...toEvent(row), seq: row.seq }))
    },
    async deleteOlderThan(ageSeconds, limit) {
      const cutoff = sql<number>`(${engine.nowMs} / 1000) - ${wholeNumber(ageSeconds)}`
      const result = await connection
        .deleteFrom('outbox')
        .where(
          'seq',
          'in',
          connection
            .selectFrom('outbox')
            .select('seq')
            .where('created_at', '<', cutoff)
            .where('fanned_out', '=', 1)
            .orderBy('created_at')
            .limit(wholeNumber(limit)),
        )
        .executeTakeFirst()
      return Number(result.numDeletedRows)
    },
  }
}

/** The row of an event that has not been fanned out. */
export function newEventRow(event: OutboxEvent) {
  return {
    id: event.id,
    application_id: event.applicationId,
    grant_id: event.grantId,
    trigger: event.trigger,
    source: event.source,
    payload: writeJson(event.data),
    created_at: event.createdAt,
    fanned_out: 0,
  }
}

function toEvent(row: Selectable<Tables['outbox']>): OutboxEvent {
  return {
    id: row.id,
    applicationId: row.application_id,
    grantId: row.grant_id,
    trigger: row.trigger,
    source: row.source,
    data: readObject(row.payload),
    createdAt: row.created_at,
  }
}
