import { randomUUID } from 'node:crypto'
import { type Selectable, sql } from 'kysely'
import type {
  NewScheduledSend,
  ScheduledSend,
  ScheduledSendStore,
} from '../../core/ports/mail-stores-scheduled.ts'
import { readBoolean, wholeNumber, writeBoolean } from '../column.ts'
import type { Connection, Engine } from '../engine.ts'
import type { Tables } from '../tables.ts'

type Row = Selectable<Tables['scheduled_sends']>

const AT_REST = { lease: null, holder: null, sending_at_ms: null }

/** A literal: SQLite finds the partial index of it only then. */
const WAITING = sql.lit<'waiting'>('waiting')

export function createScheduledSendStore(connection: Connection, engine: Engine): ScheduledSendStore {
  const afterMs = (ms: number) => sql<number>`${engine.nowMs} + ${wholeNumber(ms)}`
  const isKept = (keptMs: number) =>
    sql<boolean>`(closed_at_ms is null or closed_at_ms > ${engine.nowMs} - ${wholeNumber(keptMs)})`
  const shown = (grantId: NewScheduledSend['grantId'], keptMs: number) =>
    connection
      .selectFrom('scheduled_sends')
      .select(['id', 'state', 'description', 'send_at', 'closed_at_ms'])
      .where('grant_id', '=', grantId)
      .where(isKept(keptMs))
  return {
    async insert(send) {
      await connection
        .insertInto('scheduled_sends')
        .values({
          id: send.id,
          application_id: send.applicationId,
          grant_id: send.grantId,
          state: 'waiting',
          description: '',
          send_at: wholeNumber(send.sendAt),
          use_draft: writeBoolean(send.useDraft),
          sealed_message: send.sealedMessage,
          due_at_ms: wholeNumber(send.sendAt * 1000),
          attempts: 0,
          first_tried_at_ms: null,
          ...AT_REST,
          created_at_ms: engine.nowMs,
          closed_at_ms: null,
        })
        .execute()
    },
    async find(grantId, id, keptMs) {
      const row = await shown(grantId, keptMs).where('id', '=', id).executeTakeFirst()
      return row ? toShown(row) : null
    },
    async list(grantId, keptMs, limit) {
      const rows = await shown(grantId, keptMs)
        .orderBy('send_at')
        .orderBy('id')
        .limit(wholeNumber(limit))
        .execute()
      return rows.map(toShown)
    },
    async stop(grantId, id, marginMs) {
      const result = await connection
        .deleteFrom('scheduled_sends')
        .where('grant_id', '=', grantId)
        .where('id', '=', id)
        .where('state', '=', 'waiting')
        .where('holder', 'is', null)
        .where('attempts', '=', 0)
        .where('due_at_ms', '>=', afterMs(marginMs))
        .executeTakeFirst()
      return result.numDeletedRows === 1n
    },
    async leavingDrafts(grantId, marginMs) {
      const rows = await connection
        .selectFrom('scheduled_sends')
        .selectAll()
        .where('grant_id', '=', grantId)
        .where('use_draft', '=', writeBoolean(true))
        .where('state', 'in', ['waiting', 'sending'])
        .where(sql<boolean>`send_at * 1000 <= ${afterMs(marginMs)}`)
        .execute()
      return rows.map(toSend)
    },
    async dueGrants(busy, limit) {
      const rows = await connection
        .selectFrom('scheduled_sends as s')
        .innerJoin('grants as g', 'g.id', 's.grant_id')
        .select((eb) => ['s.grant_id', 'g.connector_id', eb.fn.min('s.due_at_ms').as('due')])
        .where('s.state', '=', WAITING)
        .where('s.due_at_ms', '<=', engine.nowMs)
        .$if(busy.length > 0, (query) =>
          query.where((eb) => eb.not(engine.isAnyOf(sql.ref('s.grant_id'), engine.list(busy)))),
        )
        .groupBy(['s.grant_id', 'g.connector_id'])
        .orderBy('due')
        .limit(wholeNumber(limit))
        .execute()
      return rows.map((row) => ({ grantId: row.grant_id, connectorId: row.connector_id }))
    },
    async claim({ grantId, limit, holder, holdMs }) {
      const rows = await connection
        .updateTable('scheduled_sends')
        .set((eb) => ({
          attempts: eb('attempts', '+', 1),
          first_tried_at_ms: sql<number>`coalesce(first_tried_at_ms, ${engine.nowMs})`,
          due_at_ms: afterMs(holdMs),
          lease: randomUUID(),
          holder,
        }))
        .where(
          'id',
          'in',
          engine.skippingLocked(
            connection
              .selectFrom('scheduled_sends')
              .select('id')
              .where('grant_id', '=', grantId)
              .where('state', '=', WAITING)
              .where('due_at_ms', '<=', engine.nowMs)
              .orderBy('due_at_ms')
              .limit(wholeNumber(limit)),
          ),
        )
        // On PostgreSQL the row may have been claimed since the inner query saw it.
        .where('due_at_ms', '<=', engine.nowMs)
        .where('state', '=', 'waiting')
        .returningAll()
        .returning(engine.nowMs.as('read_at_ms'))
        .execute()
      return rows.flatMap((row) =>
        row.lease === null
          ? []
          : [
              {
                ...toSend(row),
                lease: row.lease,
                attempts: row.attempts,
                triedForMs: row.read_at_ms - (row.first_tried_at_ms ?? row.read_at_ms),
              },
            ],
      )
    },
    async begin(id, lease) {
      const result = await connection
        .updateTable('scheduled_sends')
        .set({ state: 'sending', sending_at_ms: engine.nowMs })
        .where('id', '=', id)
        .where('lease', '=', lease)
        .where('state', '=', 'waiting')
        .executeTakeFirst()
      return result.numUpdatedRows === 1n
    },
    async retry(id, lease, again) {
      const result = await connection
        .updateTable('scheduled_sends')
        .set({
          ...AT_REST,
          state: 'waiting',
          due_at_ms: afterMs(again.afterMs),
          description: again.description,
        })
        .where('id', '=', id)
        .where('lease', '=', lease)
        .where('closed_at_ms', 'is', null)
        .executeTakeFirst()
      return result.numUpdatedRows === 1n
    },
    async close(id, lease, { state, description }) {
      const result = await connection
        .updateTable('scheduled_sends')
        .set({
          state,
          description,
          // The lease stays: whoever turns out to have sent it after all is known by it.
          holder: null,
          sealed_message: null,
          closed_at_ms: engine.nowMs,
        })
        .where('id', '=', id)
        .where('lease', '=', lease)
        .where('state', 'in', state === 'success' ? ['waiting', 'sending', 'failed'] : ['waiting', 'sending'])
        .executeTakeFirst()
      return result.numUpdatedRows === 1n
    },
    async holders() {
      const rows = await connection
        .selectFrom('scheduled_sends')
        .select('holder')
        .distinct()
        .where('holder', 'is not', null)
        .execute()
      return rows.flatMap(({ holder }) => (holder === null ? [] : [holder]))
    },
    async release(holder) {
      const result = await connection
        .updateTable('scheduled_sends')
        .set({ ...AT_REST, due_at_ms: engine.nowMs })
        .where('holder', '=', holder)
        .where('state', '=', 'waiting')
        .executeTakeFirst()
      return Number(result.numUpdatedRows)
    },
    async underWay(holder) {
      const rows = await connection
        .selectFrom('scheduled_sends')
        .selectAll()
        .where('holder', '=', holder)
        .where('state', '=', 'sending')
        .execute()
      return rows.flatMap((row) =>
        row.lease === null ? [] : [{ ...toSend(row), lease: row.lease, sendingAtMs: row.sending_at_ms ?? 0 }],
      )
    },
    async nextDueInMs() {
      const { due, now } = await firstDue()
      return due === null ? null : Math.max(0, due - now)
    },
    async backlog() {
      const { due, now } = await firstDue()
      const { count } = await connection
        .selectFrom('scheduled_sends')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .where('state', '=', WAITING)
        .executeTakeFirstOrThrow()
      return { waiting: Number(count), oldestDueMs: due === null || due > now ? null : now - due }
    },
    async deleteClosed(ageMs, limit) {
      const over = connection
        .selectFrom('scheduled_sends')
        .select('id')
        .where('closed_at_ms', 'is not', null)
        .where('closed_at_ms', '<=', sql<number>`${engine.nowMs} - ${wholeNumber(ageMs)}`)
        .orderBy('closed_at_ms')
        .limit(wholeNumber(limit))
      const result = await connection.deleteFrom('scheduled_sends').where('id', 'in', over).executeTakeFirst()
      return Number(result.numDeletedRows)
    },
  }

  async function firstDue(): Promise<{ readonly due: number | null; readonly now: number }> {
    const row = await connection
      .selectFrom('scheduled_sends')
      .select(['due_at_ms', engine.nowMs.as('now')])
      .where('state', '=', WAITING)
      .orderBy('due_at_ms')
      .limit(1)
      .executeTakeFirst()
    return row ? { due: row.due_at_ms, now: row.now } : { due: null, now: 0 }
  }
}

function toSend(row: Row): NewScheduledSend {
  return {
    id: row.id,
    applicationId: row.application_id,
    grantId: row.grant_id,
    sendAt: row.send_at,
    useDraft: readBoolean(row.use_draft),
    sealedMessage: row.sealed_message ?? '',
  }
}

function toShown(row: Pick<Row, 'id' | 'state' | 'description' | 'send_at' | 'closed_at_ms'>): ScheduledSend {
  return {
    id: row.id,
    state: row.state,
    description: row.description,
    sendAt: row.send_at,
    closedAt: row.closed_at_ms === null ? null : Math.floor(row.closed_at_ms / 1000),
  }
}
