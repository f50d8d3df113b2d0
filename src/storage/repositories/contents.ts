import { sql } from 'kysely'
import type { ContentStore } from '../../core/ports/mail-stores-content.ts'
import { wholeNumber } from '../column.ts'
import type { Connection, Engine } from '../engine.ts'

export function createContentStore(connection: Connection, engine: Engine): ContentStore {
  return {
    async insert(record, expiresInMs) {
      await connection
        .insertInto('contents')
        .values({
          id: record.id,
          application_id: record.applicationId,
          grant_id: record.grantId,
          owner_id: record.ownerId,
          sealed_key: record.sealedKey,
          size_bytes: null,
          expires_at_ms: sql<number>`${engine.nowMs} + ${wholeNumber(expiresInMs)}`,
        })
        .execute()
    },
    async addPiece(contentId, position, box) {
      await connection
        .insertInto('content_pieces')
        .values({ content_id: contentId, position: wholeNumber(position), box })
        .execute()
    },
    async finish(contentId, sizeBytes) {
      const result = await connection
        .updateTable('contents')
        .set({ size_bytes: wholeNumber(sizeBytes) })
        .where('id', '=', contentId)
        .executeTakeFirst()
      return result.numUpdatedRows === 1n
    },
    async find(contentId) {
      const row = await connection
        .selectFrom('contents')
        .selectAll()
        .where('id', '=', contentId)
        .executeTakeFirst()
      if (!row) return null
      return {
        id: row.id,
        applicationId: row.application_id,
        grantId: row.grant_id,
        ownerId: row.owner_id,
        sealedKey: row.sealed_key,
        sizeBytes: row.size_bytes,
      }
    },
    async piece(contentId, position) {
      const row = await connection
        .selectFrom('content_pieces')
        .select('box')
        .where('content_id', '=', contentId)
        .where('position', '=', wholeNumber(position))
        .executeTakeFirst()
      return row?.box ?? null
    },
    async keep(ownerId) {
      const result = await connection
        .updateTable('contents')
        .set({ expires_at_ms: null })
        .where('owner_id', '=', ownerId)
        .executeTakeFirst()
      return Number(result.numUpdatedRows)
    },
    async remove(contentId) {
      await connection.deleteFrom('contents').where('id', '=', contentId).execute()
    },
    async removeOf(ownerId) {
      await connection.deleteFrom('contents').where('owner_id', '=', ownerId).execute()
    },
    async deleteExpired(limit) {
      const over = connection
        .selectFrom('contents')
        .select('id')
        .where('expires_at_ms', 'is not', null)
        .where('expires_at_ms', '<=', engine.nowMs)
        .orderBy('expires_at_ms')
        .limit(wholeNumber(limit))
      const result = await connection.deleteFrom('contents').where('id', 'in', over).executeTakeFirst()
      return Number(result.numDeletedRows)
    },
  }
}
