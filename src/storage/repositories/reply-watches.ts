import { createHash } from 'node:crypto'
import { type Selectable, sql } from 'kysely'
import type { ReplyWatch, ReplyWatchStore } from '../../core/ports/mail-stores-tracking.ts'
import { wholeNumber } from '../column.ts'
import type { Connection, Engine } from '../engine.ts'
import type { Tables } from '../tables.ts'
import { inTransaction } from '../transaction.ts'

export function createReplyWatchStore(connection: Connection, engine: Engine): ReplyWatchStore {
  const afterMs = (ms: number) => sql<number>`${engine.nowMs} + ${wholeNumber(ms)}`
  return {
    async insert(watch, dueInMs) {
      const result = await connection
        .insertInto('reply_watches')
        .values({
          id: watch.id,
          application_id: watch.applicationId,
          grant_id: watch.grantId,
          thread_hash: hashOf(watch.threadId),
          thread_id: watch.threadId,
          message_id: watch.messageId,
          label: watch.label,
          sent_at: watch.sentAt,
          replies: 0,
          began_at_ms: engine.nowMs,
          stirred_at_ms: engine.nowMs,
          due_at_ms: afterMs(dueInMs),
        })
        .onConflict((conflict) => conflict.column('id').doNothing())
        .executeTakeFirst()
      return Number(result.numInsertedOrUpdatedRows ?? 0n) === 1
    },
    async claimDue(limit, holdMs) {
      const rows = await connection
        .updateTable('reply_watches')
        .set({ due_at_ms: afterMs(holdMs) })
        .where(
          'id',
          'in',
          engine.skippingLocked(
            connection
              .selectFrom('reply_watches')
              .select('id')
              .where('due_at_ms', '<=', engine.nowMs)
              .orderBy('due_at_ms')
              .limit(wholeNumber(limit)),
          ),
        )
        // On PostgreSQL the row may have been claimed since the inner query saw it.
        .where('due_at_ms', '<=', engine.nowMs)
        .returningAll()
        .returning(engine.nowMs.as('now_ms'))
        .execute()
      return rows.map((row) => ({
        ...toWatch(row),
        quietMs: Math.max(0, row.now_ms - row.stirred_at_ms),
        ageMs: Math.max(0, row.now_ms - row.began_at_ms),
      }))
    },
    async lockThread(grantId, threadId) {
      const rows = await engine
        .lockingRows(
          connection
            .selectFrom('reply_watches')
            .selectAll()
            .where('grant_id', '=', grantId)
            .where('thread_hash', '=', hashOf(threadId))
            .orderBy('id'),
        )
        .execute()
      return rows.map(toWatch)
    },
    addReply: (watchId, messageId) =>
      inTransaction(connection, async (transaction) => {
        const added = await transaction
          .insertInto('watched_replies')
          .values({ watch_id: watchId, message_hash: hashOf(messageId) })
          .onConflict((conflict) => conflict.columns(['watch_id', 'message_hash']).doNothing())
          .executeTakeFirst()
        if (Number(added.numInsertedOrUpdatedRows ?? 0n) === 0) return null
        const row = await transaction
          .updateTable('reply_watches')
          .set((eb) => ({ replies: eb('replies', '+', 1), stirred_at_ms: engine.nowMs }))
          .where('id', '=', watchId)
          .returning('replies')
          .executeTakeFirst()
        return row ? row.replies : null
      }),
    async defer(ids, dueInMs) {
      if (ids.length === 0) return
      await connection
        .updateTable('reply_watches')
        .set({ due_at_ms: afterMs(dueInMs) })
        .where(engine.isAnyOf(sql.ref('id'), engine.list(ids)))
        .execute()
    },
    async delete(ids) {
      if (ids.length === 0) return
      await connection
        .deleteFrom('reply_watches')
        .where(engine.isAnyOf(sql.ref('id'), engine.list(ids)))
        .execute()
    },
  }
}

function toWatch(row: Selectable<Tables['reply_watches']>): ReplyWatch {
  return {
    id: row.id,
    applicationId: row.application_id,
    grantId: row.grant_id,
    threadId: row.thread_id,
    messageId: row.message_id,
    sentAt: row.sent_at,
    label: row.label,
    replies: row.replies,
  }
}

/** An id may be longer than a PostgreSQL index entry can be. */
function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
