import type { Selectable } from 'kysely'
import type { Numbered, SignatureRecord, SignatureStore } from '../../core/ports/mail-stores-texts.ts'
import { wholeNumber } from '../column.ts'
import type { Connection } from '../engine.ts'
import type { SignatureRow } from '../mail-tables.ts'

export function createSignatureStore(connection: Connection): SignatureStore {
  const signatures = () => connection.selectFrom('signatures').selectAll()
  return {
    async find(grantId, id) {
      const row = await signatures().where('id', '=', id).where('grant_id', '=', grantId).executeTakeFirst()
      return row ? toRecord(row) : null
    },
    async list(grantId, { limit, beforeSeq = Number.MAX_SAFE_INTEGER }) {
      const rows = await signatures()
        .where('grant_id', '=', grantId)
        .where('seq', '<', beforeSeq)
        .orderBy('seq', 'desc')
        .limit(wholeNumber(limit))
        .execute()
      return rows.map(toRecord)
    },
    async count(grantId) {
      const { found } = await connection
        .selectFrom('signatures')
        .select((eb) => eb.fn.countAll<number>().as('found'))
        .where('grant_id', '=', grantId)
        .executeTakeFirstOrThrow()
      return Number(found)
    },
    async insert(record) {
      await connection
        .insertInto('signatures')
        .values({
          id: record.id,
          application_id: record.applicationId,
          grant_id: record.grantId,
          name: record.name,
          body: record.body,
          created_at: record.createdAt,
          updated_at: record.updatedAt,
        })
        .execute()
    },
    async update(grantId, id, change) {
      const result = await connection
        .updateTable('signatures')
        .set({ name: change.name, body: change.body, updated_at: change.updatedAt })
        .where('id', '=', id)
        .where('grant_id', '=', grantId)
        .executeTakeFirst()
      return result.numUpdatedRows === 1n
    },
    async delete(grantId, id) {
      const result = await connection
        .deleteFrom('signatures')
        .where('id', '=', id)
        .where('grant_id', '=', grantId)
        .executeTakeFirst()
      return result.numDeletedRows === 1n
    },
  }
}

function toRecord(row: Selectable<SignatureRow>): Numbered<SignatureRecord> {
  return {
    seq: Number(row.seq),
    id: row.id,
    applicationId: row.application_id,
    grantId: row.grant_id,
    name: row.name,
    body: row.body,
    createdAt: Number(row.created_at),
    updatedAt: Number(row.updated_at),
  }
}
