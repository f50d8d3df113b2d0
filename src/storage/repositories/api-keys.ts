import type { ApiKeyRecord } from '../../core/ports/records.ts'
import type { ApiKeyStore } from '../../core/ports/stores.ts'
import type { Connection, Engine } from '../engine.ts'
import { createRunner, statement } from '../prepared-statement.ts'
import type { ApiKeyRow } from '../tables.ts'

const findLive = statement((on, { hash }: { hash: string }) =>
  on.selectFrom('api_keys').selectAll().where('hash', '=', hash).where('revoked_at', 'is', null),
)

export function createApiKeyStore(connection: Connection, engine: Engine): ApiKeyStore {
  const run = createRunner(connection, engine)
  return {
    async findLive(hash) {
      const row = await run.first(findLive, { hash })
      return row ? toRecord(row) : null
    },
    async list(applicationId) {
      const all = connection.selectFrom('api_keys').selectAll().orderBy('created_at').orderBy('id')
      const query = applicationId === null ? all : all.where('application_id', '=', applicationId)
      return (await query.execute()).map(toRecord)
    },
    async insert(record) {
      await connection
        .insertInto('api_keys')
        .values({
          id: record.id,
          application_id: record.applicationId,
          name: record.name,
          hash: record.hash,
          created_at: record.createdAt,
          revoked_at: record.revokedAt,
        })
        .execute()
    },
    async revoke(id, revokedAt) {
      const result = await connection
        .updateTable('api_keys')
        .set({ revoked_at: revokedAt })
        .where('id', '=', id)
        .where('revoked_at', 'is', null)
        .executeTakeFirst()
      return result.numUpdatedRows === 1n
    },
  }
}

function toRecord(row: ApiKeyRow): ApiKeyRecord {
  return {
    id: row.id,
    applicationId: row.application_id,
    name: row.name,
    hash: row.hash,
    createdAt: row.created_at,
    revokedAt: row.revoked_at,
  }
}
