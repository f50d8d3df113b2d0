import type { ConnectorRecord } from '../../core/ports/records.ts'
import type { ConnectorStore } from '../../core/ports/stores.ts'
import { readObject, readStrings, wholeNumber, writeJson } from '../column.ts'
import type { Connection } from '../engine.ts'
import type { ConnectorRow } from '../tables.ts'

export function createConnectorStore(connection: Connection): ConnectorStore {
  return {
    async find(applicationId, provider) {
      const row = await connection
        .selectFrom('connectors')
        .selectAll()
        .where('application_id', '=', applicationId)
        .where('provider', '=', provider)
        .executeTakeFirst()
      return row ? toRecord(row) : null
    },
    async list(applicationId, page) {
      const all = connection
        .selectFrom('connectors')
        .selectAll()
        .where('application_id', '=', applicationId)
        .orderBy('created_at')
        .orderBy('id')
      const query = page ? all.limit(wholeNumber(page.limit)).offset(wholeNumber(page.offset)) : all
      return (await query.execute()).map(toRecord)
    },
    async insert(record) {
      const result = await connection
        .insertInto('connectors')
        .values({
          id: record.id,
          application_id: record.applicationId,
          provider: record.provider,
          created_at: record.createdAt,
          ...changeable(record),
        })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst()
      return result.numInsertedOrUpdatedRows === 1n
    },
    async update(record) {
      await connection
        .updateTable('connectors')
        .set(changeable(record))
        .where('id', '=', record.id)
        .where('application_id', '=', record.applicationId)
        .execute()
    },
    async delete(applicationId, provider) {
      // Its credentials go with it by their foreign key.
      const result = await connection
        .deleteFrom('connectors')
        .where('application_id', '=', applicationId)
        .where('provider', '=', provider)
        .executeTakeFirst()
      return result.numDeletedRows === 1n
    },
  }
}

function changeable(record: ConnectorRecord) {
  return {
    name: record.name,
    settings: writeJson(record.settings),
    scope: writeJson(record.scope),
    active_credential_id: record.activeCredentialId,
    updated_at: record.updatedAt,
  }
}

function toRecord(row: ConnectorRow): ConnectorRecord {
  return {
    id: row.id,
    applicationId: row.application_id,
    provider: row.provider,
    name: row.name,
    settings: readObject(row.settings),
    scope: readStrings(row.scope),
    activeCredentialId: row.active_credential_id,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}
