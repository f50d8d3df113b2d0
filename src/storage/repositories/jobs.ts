import { randomUUID } from 'node:crypto'
import { type Selectable, sql } from 'kysely'
import type { JobOutcome, JobStore } from '../../core/ports/event-stores.ts'
import type { JobKind, JobRecord } from '../../core/ports/records.ts'
import { readObject, wholeNumber, writeJson } from '../column.ts'
import type { Connection, Engine } from '../engine.ts'
import type { Tables } from '../tables.ts'
import { inTransaction } from '../transaction.ts'

const AT_REST = { lease: null, holder: null }
/** Rows of one insert: far below the number of parameters either engine takes. */
const INSERT_ROWS = 200

/** A literal: SQLite finds the partial indexes of it only then. */
const WAITING = sql.lit<'waiting'>('waiting')

export function createJobStore(connection: Connection, engine: Engine): JobStore {
  const afterMs = (ms: number) => sql<number>`${engine.nowMs} + ${wholeNumber(ms)}`
  const waiting = (kind: JobKind, lane: string) =>
    connection
      .selectFrom('jobs')
      .select('seq')
      .where('kind', '=', kind)
      .where('lane', '=', lane)
      .where('state', '=', WAITING)
  return {
    async enqueue(jobs) {
      let inserted = 0
      for (let at = 0; at < jobs.length; at += INSERT_ROWS) {
        const result = await connection
          .insertInto('jobs')
          .values(
            jobs.slice(at, at + INSERT_ROWS).map((job) => ({
              id: randomUUID(),
              kind: job.kind,
              lane: job.lane,
              dedupe_key: job.dedupeKey,
              application_id: job.applicationId,
              payload: writeJson(job.payload),
              state: 'waiting' as const,
              attempts: 0,
              due_at_ms: afterMs(job.delayMs ?? 0),
              ...AT_REST,
              outcome: null,
              created_at_ms: engine.nowMs,
              finished_at_ms: null,
            })),
          )
          .onConflict((conflict) => conflict.columns(['kind', 'dedupe_key']).doNothing())
          .executeTakeFirst()
        inserted += Number(result.numInsertedOrUpdatedRows ?? 0n)
      }
      return inserted
    },
    async dueLanes(kind, afterLane, limit) {
      // From lane to lane by the index, however many jobs wait in one: it never walks a backlog.
      const { rows } = await sql<{ lane: string }>`
        with recursive lanes(lane) as (
          select (select min(lane) from jobs where kind = ${kind} and state = 'waiting' and lane > ${afterLane})
          union all
          select (select min(j.lane) from jobs j
                  where j.kind = ${kind} and j.state = 'waiting' and j.lane > lanes.lane)
          from lanes where lanes.lane is not null
        )
        select lane from lanes
        where lane is not null and (
          select min(j.due_at_ms) from jobs j
          where j.kind = ${kind} and j.state = 'waiting' and j.lane = lanes.lane
        ) <= ${engine.nowMs}
        limit ${wholeNumber(limit)}`.execute(connection)
      return rows.map((row) => row.lane)
    },
    async claim({ kind, lane, limit, holder, leaseMs }) {
      const rows = await connection
        .updateTable('jobs')
        .set((eb) => ({
          attempts: eb('attempts', '+', 1),
          due_at_ms: afterMs(leaseMs),
          lease: randomUUID(),
          holder,
        }))
        .where(
          'seq',
          'in',
          engine.skippingLocked(
            waiting(kind, lane)
              .where('due_at_ms', '<=', engine.nowMs)
              .orderBy('due_at_ms')
              .limit(wholeNumber(limit)),
          ),
        )
        // On PostgreSQL the row may have been claimed since the inner query saw it.
        .where('due_at_ms', '<=', engine.nowMs)
        .returningAll()
        .returning(engine.nowMs.as('read_at_ms'))
        .execute()
      return rows.map(toRecord).toSorted((a, b) => a.seq - b.seq)
    },
    settle: (outcomes) =>
      inTransaction(connection, async (transaction) => {
        let settled = 0
        for (const outcome of outcomes) {
          const result = await transaction
            .updateTable('jobs')
            .set({ ...AT_REST, ...settledColumns(outcome) })
            .where('id', '=', outcome.id)
            .where('lease', '=', outcome.lease)
            .where('state', '=', 'waiting')
            .executeTakeFirst()
          settled += Number(result.numUpdatedRows)
        }
        return settled
      }),
    async leaseHolders() {
      const rows = await connection
        .selectFrom('jobs')
        .select('holder')
        .distinct()
        .where('holder', 'is not', null)
        .execute()
      return rows.flatMap(({ holder }) => (holder === null ? [] : [holder]))
    },
    async releaseHolder(holder) {
      const result = await connection
        .updateTable('jobs')
        .set({ ...AT_REST, due_at_ms: engine.nowMs })
        .where('holder', '=', holder)
        .where('state', '=', 'waiting')
        .executeTakeFirst()
      return Number(result.numUpdatedRows)
    },
    async buryLane(kind, lane, outcome, limit) {
      const result = await connection
        .updateTable('jobs')
        .set({ ...AT_REST, state: 'dead', outcome: writeJson(outcome), finished_at_ms: engine.nowMs })
        .where('seq', 'in', engine.skippingLocked(waiting(kind, lane).limit(wholeNumber(limit))))
        .where('state', '=', 'waiting')
        .executeTakeFirst()
      return Number(result.numUpdatedRows)
    },
    async find(kind, lane, id) {
      const row = await connection
        .selectFrom('jobs')
        .selectAll()
        .select(engine.nowMs.as('read_at_ms'))
        .where('id', '=', id)
        .where('kind', '=', kind)
        .where('lane', '=', lane)
        .executeTakeFirst()
      return row ? toRecord(row) : null
    },
    async findByKeys(kind, dedupeKeys) {
      if (dedupeKeys.length === 0) return []
      const rows = await connection
        .selectFrom('jobs')
        .selectAll()
        .select(engine.nowMs.as('read_at_ms'))
        .where('kind', '=', kind)
        .where('dedupe_key', 'in', dedupeKeys)
        .execute()
      return rows.map(toRecord)
    },
    async list({ kind, lane, state, sinceMs, untilMs, beforeSeq, limit }) {
      let query = connection
        .selectFrom('jobs')
        .selectAll()
        .select(engine.nowMs.as('read_at_ms'))
        .where('kind', '=', kind)
        .where('lane', '=', lane)
      if (state !== undefined) query = query.where('state', '=', state)
      if (sinceMs !== undefined) query = query.where('created_at_ms', '>=', wholeNumber(sinceMs))
      if (untilMs !== undefined) query = query.where('created_at_ms', '<=', wholeNumber(untilMs))
      if (beforeSeq !== undefined) query = query.where('seq', '<', wholeNumber(beforeSeq))
      const rows = await query.orderBy('seq', 'desc').limit(wholeNumber(limit)).execute()
      return rows.map(toRecord)
    },
    async requeue(kind, lane, ids) {
      if (ids.length === 0) return 0
      const result = await connection
        .updateTable('jobs')
        .set({
          ...AT_REST,
          state: 'waiting',
          attempts: 0,
          due_at_ms: engine.nowMs,
          created_at_ms: engine.nowMs,
          finished_at_ms: null,
        })
        .where('id', 'in', ids)
        .where('kind', '=', kind)
        .where('lane', '=', lane)
        .where('state', '!=', 'waiting')
        .executeTakeFirst()
      return Number(result.numUpdatedRows)
    },
    async oldestDueMs(kind) {
      const row = await connection
        .selectFrom('jobs')
        .select((eb) => [eb.fn.min('due_at_ms').as('due'), engine.nowMs.as('now')])
        .where('kind', '=', kind)
        .where('state', '=', WAITING)
        .executeTakeFirst()
      const dueMs: unknown = row?.due
      return row && typeof dueMs === 'number' && dueMs <= row.now ? row.now - dueMs : null
    },
    async countByState(kind, states) {
      const rows = await connection
        .selectFrom('jobs')
        .select((eb) => ['state', eb.fn.countAll<number>().as('count')])
        .where('kind', '=', kind)
        .$if(states !== undefined, (query) => query.where('state', 'in', states ?? []))
        .groupBy('state')
        .execute()
      return rows.map((row) => ({ state: row.state, count: Number(row.count) }))
    },
    async deleteLane(kind, lane) {
      await connection.deleteFrom('jobs').where('kind', '=', kind).where('lane', '=', lane).execute()
    },
    async deleteFinished(kind, state, ageMs, limit) {
      const old = connection
        .selectFrom('jobs')
        .select('seq')
        .where('kind', '=', kind)
        .where('state', '=', state)
        .where('finished_at_ms', '<', sql<number>`${engine.nowMs} - ${wholeNumber(ageMs)}`)
        .limit(wholeNumber(limit))
      const result = await connection.deleteFrom('jobs').where('seq', 'in', old).executeTakeFirst()
      return Number(result.numDeletedRows)
    },
  }

  function settledColumns({ result }: JobOutcome) {
    const outcome = writeJson(result.outcome)
    if (result.kind === 'retry') return { outcome, due_at_ms: afterMs(result.afterMs) }
    return { outcome, state: result.kind, finished_at_ms: engine.nowMs }
  }
}

function toRecord(row: Selectable<Tables['jobs']> & { readonly read_at_ms: number }): JobRecord {
  return {
    seq: row.seq,
    id: row.id,
    kind: row.kind,
    lane: row.lane,
    dedupeKey: row.dedupe_key,
    applicationId: row.application_id,
    payload: readObject(row.payload),
    state: row.state,
    attempts: row.attempts,
    dueAtMs: row.due_at_ms,
    lease: row.lease,
    outcome: row.outcome === null ? null : readObject(row.outcome),
    createdAtMs: row.created_at_ms,
    finishedAtMs: row.finished_at_ms,
    readAtMs: row.read_at_ms,
  }
}
