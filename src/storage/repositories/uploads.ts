import { sql } from 'kysely'
import type { UploadStore } from '../../core/ports/mail-stores-content.ts'
import { wholeNumber } from '../column.ts'
import type { Connection, Engine } from '../engine.ts'

export function createUploadStore(connection: Connection, engine: Engine): UploadStore {
  return {
    async insert(record, expiresInMs) {
      await connection
        .insertInto('uploads')
        .values({
          id: record.id,
          application_id: record.applicationId,
          grant_id: record.grantId,
          filename: record.filename,
          content_type: record.contentType,
          announced_bytes: wholeNumber(record.announcedBytes),
          state: 'uploading',
          content_id: null,
          size_bytes: null,
          token_hash: record.tokenHash,
          expires_at_ms: sql<number>`${engine.nowMs} + ${wholeNumber(expiresInMs)}`,
        })
        .execute()
    },
    async find(id) {
      const row = await connection
        .selectFrom('uploads')
        .selectAll()
        .select(engine.nowMs.as('read_at_ms'))
        .where('id', '=', id)
        .executeTakeFirst()
      if (!row) return null
      return {
        id: row.id,
        applicationId: row.application_id,
        grantId: row.grant_id,
        filename: row.filename,
        contentType: row.content_type,
        announcedBytes: row.announced_bytes,
        state: row.state,
        content:
          row.content_id === null || row.size_bytes === null
            ? null
            : { id: row.content_id, sizeBytes: row.size_bytes },
        tokenHash: row.token_hash,
        expiresAt: Math.floor(row.expires_at_ms / 1000),
        isExpired: row.expires_at_ms <= row.read_at_ms,
      }
    },
    async setContent(id, { id: contentId, sizeBytes }) {
      const result = await connection
        .updateTable('uploads')
        .set({ content_id: contentId, size_bytes: wholeNumber(sizeBytes) })
        .where('id', '=', id)
        .where('state', '=', 'uploading')
        .where('expires_at_ms', '>', engine.nowMs)
        .executeTakeFirst()
      return result.numUpdatedRows === 1n
    },
    async complete(id, contentId) {
      const result = await connection
        .updateTable('uploads')
        .set({ state: 'ready' })
        .where('id', '=', id)
        .where('state', '=', 'uploading')
        .where('content_id', '=', contentId)
        .executeTakeFirst()
      return result.numUpdatedRows === 1n
    },
    async deleteExpired(ageMs, limit) {
      const over = connection
        .selectFrom('uploads')
        .select('id')
        .where('expires_at_ms', '<=', sql<number>`${engine.nowMs} - ${wholeNumber(ageMs)}`)
        .orderBy('expires_at_ms')
        .limit(wholeNumber(limit))
      const result = await connection.deleteFrom('uploads').where('id', 'in', over).executeTakeFirst()
      return Number(result.numDeletedRows)
    },
  }
}
