import type { Selectable } from 'kysely'
import type {
  Numbered,
  TemplateOwner,
  TemplateRecord,
  TemplateStore,
} from '../../core/ports/mail-stores-texts.ts'
import { wholeNumber } from '../column.ts'
import type { Connection } from '../engine.ts'
import type { TemplateRow } from '../mail-tables.ts'

export function createTemplateStore(connection: Connection): TemplateStore {
  const templatesOf = ({ applicationId, grantId }: TemplateOwner) => {
    const all = connection.selectFrom('templates').selectAll().where('application_id', '=', applicationId)
    return grantId === null ? all.where('grant_id', 'is', null) : all.where('grant_id', '=', grantId)
  }
  return {
    async find(owner, id) {
      const row = await templatesOf(owner).where('id', '=', id).executeTakeFirst()
      return row ? toRecord(row) : null
    },
    async list(owner, { limit, beforeSeq = Number.MAX_SAFE_INTEGER }) {
      const rows = await templatesOf(owner)
        .where('seq', '<', beforeSeq)
        .orderBy('seq', 'desc')
        .limit(wholeNumber(limit))
        .execute()
      return rows.map(toRecord)
    },
    async insert(record) {
      await connection
        .insertInto('templates')
        .values({
          id: record.id,
          application_id: record.applicationId,
          grant_id: record.grantId,
          engine: record.engine,
          name: record.name,
          subject: record.subject,
          body: record.body,
          created_at: record.createdAt,
          updated_at: record.updatedAt,
        })
        .execute()
    },
    async update({ applicationId, grantId }, id, change) {
      const one = connection
        .updateTable('templates')
        .set({
          engine: change.engine,
          name: change.name,
          subject: change.subject,
          body: change.body,
          updated_at: change.updatedAt,
        })
        .where('id', '=', id)
        .where('application_id', '=', applicationId)
      const result = await (grantId === null
        ? one.where('grant_id', 'is', null)
        : one.where('grant_id', '=', grantId)
      ).executeTakeFirst()
      return result.numUpdatedRows === 1n
    },
    async delete({ applicationId, grantId }, id) {
      const one = connection
        .deleteFrom('templates')
        .where('id', '=', id)
        .where('application_id', '=', applicationId)
      const result = await (grantId === null
        ? one.where('grant_id', 'is', null)
        : one.where('grant_id', '=', grantId)
      ).executeTakeFirst()
      return result.numDeletedRows === 1n
    },
  }
}

function toRecord(row: Selectable<TemplateRow>): Numbered<TemplateRecord> {
  return {
    seq: Number(row.seq),
    id: row.id,
    applicationId: row.application_id,
    grantId: row.grant_id,
    engine: row.engine,
    name: row.name,
    subject: row.subject,
    body: row.body,
    createdAt: Number(row.created_at),
    updatedAt: Number(row.updated_at),
  }
}
