import { sql } from 'kysely'
import type { IdempotencyStore } from '../../core/ports/mail-stores-sending.ts'
import { wholeNumber } from '../column.ts'
import type { Connection, Engine } from '../engine.ts'
import { inTransaction } from '../transaction.ts'

export function createIdempotencyStore(connection: Connection, engine: Engine): IdempotencyStore {
  const bornBefore = (ageMs: number) => sql<number>`${engine.nowMs} - ${wholeNumber(ageMs)}`
  return {
    claim: (claim, lifeMs) =>
      inTransaction(connection, async (transaction) => {
        await transaction
          .deleteFrom('idempotency_keys')
          .where('id', '=', claim.id)
          .where('created_at_ms', '<=', bornBefore(lifeMs))
          .execute()
        const taken = await transaction
          .insertInto('idempotency_keys')
          .values({
            id: claim.id,
            application_id: claim.applicationId,
            grant_id: claim.grantId,
            attempt_id: claim.attemptId,
            payload_hash: claim.payloadHash,
            sealed_answer: null,
            created_at_ms: engine.nowMs,
          })
          .onConflict((conflict) => conflict.column('id').doNothing())
          .executeTakeFirst()
        if (taken.numInsertedOrUpdatedRows === 1n) return null
        const row = await transaction
          .selectFrom('idempotency_keys')
          .select([
            'payload_hash',
            'sealed_answer',
            sql<number>`${engine.nowMs} - created_at_ms`.as('age_ms'),
          ])
          .where('id', '=', claim.id)
          .executeTakeFirst()
        // Released between the two statements: for who comes now it is as good as under way.
        if (!row) return { payloadHash: claim.payloadHash, sealedAnswer: null, ageMs: 0 }
        return {
          payloadHash: row.payload_hash,
          sealedAnswer: row.sealed_answer,
          ageMs: Number(row.age_ms),
        }
      }),
    async finish(id, attemptId, sealedAnswer) {
      const result = await connection
        .updateTable('idempotency_keys')
        .set({ sealed_answer: sealedAnswer })
        .where('id', '=', id)
        .where('attempt_id', '=', attemptId)
        .executeTakeFirst()
      return result.numUpdatedRows === 1n
    },
    async release(id, attemptId) {
      await connection
        .deleteFrom('idempotency_keys')
        .where('id', '=', id)
        .where('attempt_id', '=', attemptId)
        .execute()
    },
    async deleteOlderThan(ageMs, limit) {
      const over = connection
        .selectFrom('idempotency_keys')
        .select('id')
        .where('created_at_ms', '<=', bornBefore(ageMs))
        .orderBy('created_at_ms')
        .limit(wholeNumber(limit))
      const result = await connection
        .deleteFrom('idempotency_keys')
        .where('id', 'in', over)
        .executeTakeFirst()
      return Number(result.numDeletedRows)
    },
  }
}
