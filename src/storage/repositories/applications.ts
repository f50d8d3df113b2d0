import type { ApplicationId } from '../../contract/ids.ts'
import type { ApplicationRecord } from '../../core/ports/records.ts'
import type { ApplicationStore } from '../../core/ports/stores.ts'
import { readBoolean, readObject, writeBoolean, writeJson } from '../column.ts'
import type { Connection, Engine } from '../engine.ts'
import { createRunner, statement } from '../prepared-statement.ts'
import type { ApplicationRow } from '../tables.ts'

const findById = statement((on, { id }: { id: ApplicationId }) =>
  on.selectFrom('applications').selectAll().where('id', '=', id),
)

export function createApplicationStore(connection: Connection, engine: Engine): ApplicationStore {
  const run = createRunner(connection, engine)
  return {
    async find(id) {
      const row = await run.first(findById, { id })
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
