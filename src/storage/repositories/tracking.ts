import { createHash } from 'node:crypto'
import { type Selectable, sql } from 'kysely'
import type { TrackedBody, TrackingActivity, TrackingStore } from '../../core/ports/mail-stores-tracking.ts'
import { readObject, wholeNumber, writeJson } from '../column.ts'
import type { Connection, Engine } from '../engine.ts'
import type { Tables } from '../tables.ts'

export function createTrackingStore(connection: Connection, engine: Engine): TrackingStore {
  const before = (ageMs: number) => sql<number>`${engine.nowMs} - ${wholeNumber(ageMs)}`
  const older = (ageMs: number, limit: number) =>
    connection
      .selectFrom('tracked_messages')
      .select('id')
      .where('created_at_ms', '<', before(ageMs))
      .limit(wholeNumber(limit))
  const rowOf = (body: TrackedBody) => ({
    id: body.id,
    application_id: body.applicationId,
    grant_id: body.grantId,
    options: writeJson(body.options),
    sealed_links: body.sealedLinks,
    activity: null,
    created_at_ms: engine.nowMs,
  })
  return {
    async insert(body) {
      await connection
        .insertInto('tracked_messages')
        .values({ ...rowOf(body), message_hash: null, message_id: null })
        .onConflict((conflict) => conflict.column('id').doNothing())
        .execute()
    },
    async markSent(body, messageId) {
      const ofMessage = { message_hash: hashOf(messageId), message_id: messageId }
      const result = await connection
        .updateTable('tracked_messages')
        .set({ ...ofMessage, created_at_ms: engine.nowMs })
        .where('id', '=', body.id)
        .where('message_hash', 'is', null)
        .executeTakeFirst()
      // The row is there as a rule; one that was made under a key closed since is not sealed anew for this.
      if (Number(result.numUpdatedRows) > 0) return
      await connection
        .insertInto('tracked_messages')
        .values({ ...rowOf(body), ...ofMessage })
        .onConflict((conflict) => conflict.column('id').doNothing())
        .execute()
    },
    async findLinks(id) {
      const row = await connection
        .selectFrom('tracked_messages')
        .select(['application_id', 'sealed_links'])
        .where('id', '=', id)
        .executeTakeFirst()
      return row ? { applicationId: row.application_id, sealedLinks: row.sealed_links } : null
    },
    async optionsOf(grantId, messageIds) {
      if (messageIds.length === 0) return new Map()
      const rows = await connection
        .selectFrom('tracked_messages')
        .select(['message_id', 'options'])
        .where('grant_id', '=', grantId)
        .where(engine.isAnyOf(sql.ref('message_hash'), engine.list(messageIds.map(hashOf))))
        .execute()
      return new Map(
        rows.flatMap((row) =>
          row.message_id === null ? [] : [[row.message_id, readObject(row.options)] as const],
        ),
      )
    },
    async lockSent(ids, maxAgeMs) {
      if (ids.length === 0) return []
      const rows = await engine
        .lockingRows(
          connection
            .selectFrom('tracked_messages')
            .selectAll()
            .where(engine.isAnyOf(sql.ref('id'), engine.list(ids)))
            .where('message_id', 'is not', null)
            .where('created_at_ms', '>', before(maxAgeMs))
            // In one order for everybody: two that lock the same rows never wait for each other in a circle.
            .orderBy('id'),
        )
        .execute()
      return rows.flatMap((row) =>
        row.message_id === null
          ? []
          : [{ ...toBody(row), messageId: row.message_id, activity: readActivity(row.activity) }],
      )
    },
    async putActivity(id, activity) {
      await connection
        .updateTable('tracked_messages')
        .set({ activity: writeJson(activity) })
        .where('id', '=', id)
        .execute()
    },
    async clearActivity(ageMs, limit) {
      const old = older(ageMs, limit).where('activity', 'is not', null)
      const result = await connection
        .updateTable('tracked_messages')
        .set({ activity: null })
        .where('id', 'in', old)
        .executeTakeFirst()
      return Number(result.numUpdatedRows)
    },
    deleteOlderThan: (ageMs, limit) => deleteOf(older(ageMs, limit)),
    deleteUnsent: (ageMs, limit) => deleteOf(older(ageMs, limit).where('message_hash', 'is', null)),
  }

  async function deleteOf(rows: ReturnType<typeof older>): Promise<number> {
    const result = await connection.deleteFrom('tracked_messages').where('id', 'in', rows).executeTakeFirst()
    return Number(result.numDeletedRows)
  }
}

function toBody(row: Selectable<Tables['tracked_messages']>): TrackedBody {
  return {
    id: row.id,
    applicationId: row.application_id,
    grantId: row.grant_id,
    options: readObject(row.options),
    sealedLinks: row.sealed_links,
  }
}

function readActivity(text: string | null): TrackingActivity | null {
  // The boundary of the column: only `putActivity` writes it.
  return text === null ? null : (JSON.parse(text) as TrackingActivity)
}

/** An id may be longer than a PostgreSQL index entry can be. */
function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
