import type { ApplicationRecord } from '../../core/ports/records.ts'
import type { ApplicationStore } from '../../core/ports/stores.ts'
import { readBoolean, readObject, writeBoolean, writeJson } from '../column.ts'
import type { Connection } from '../engine.ts'
import type { ApplicationRow } from '../tables.ts'

export function createApplicationStore(connection: Connection): ApplicationStore {
  return {
    async find(id) {
      const row = await connection
        .selectFrom('applications')
        .selectAll()
        .where('id', '=', id)
        .executeTakeFirst()
      return row ? toRecord(row) : null
    },
    async list() {
      const rows = await connection
        .selectFrom('applications')
        .selectAll()
        .orderBy('created_at')
        .orderBy('id')
        .execute()
      return rows.map(toRecord)
    },
    async insert(record) {
      await connection
        .insertInto('applications')
        .values({ id: record.id, created_at: record.createdAt, ...changeable(record) })
        .execute()
    },
    async update(record) {
      await connection
        .updateTable('applications')
        .set(changeable(record))
        .where('id', '=', record.id)
        .execute()
    },
  }
}

function changeable(record: ApplicationRecord) {
  return {
    name: record.name,
    settings: writeJson(record.settings),
    blocked: writeBoolean(record.blocked),
    updated_at: record.updatedAt,
  }
}

function toRecord(row: ApplicationRow): ApplicationRecord {
  return {
    id: row.id,
    name: row.name,
    settings: readObject(row.settings),
    blocked: readBoolean(row.blocked),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}
