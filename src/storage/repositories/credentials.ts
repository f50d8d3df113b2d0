import type { ApplicationId, CredentialId } from '../../contract/ids.ts'
import type { CredentialRecord } from '../../core/ports/records.ts'
import type { CredentialStore } from '../../core/ports/stores.ts'
import { readObject, wholeNumber, writeJson } from '../column.ts'
import type { Connection, Engine } from '../engine.ts'
import { createRunner, statement } from '../prepared-statement.ts'
import type { CredentialRow } from '../tables.ts'
import { unlessTaken } from '../transaction.ts'

const findById = statement((on, key: { applicationId: ApplicationId; id: CredentialId }) =>
  on
    .selectFrom('credentials')
    .selectAll()
    .where('id', '=', key.id)
    .where('application_id', '=', key.applicationId),
)

export function createCredentialStore(connection: Connection, engine: Engine): CredentialStore {
  const run = createRunner(connection, engine)
  return {
    async find(applicationId, id) {
      const row = await run.first(findById, { applicationId, id })
      return row ? toRecord(row) : null
    },
    async findByDigest(connectorId, digest) {
      const row = await connection
        .selectFrom('credentials')
        .selectAll()
        .where('connector_id', '=', connectorId)
        .where('digest', '=', digest)
        .orderBy('created_at')
        .orderBy('id')
        .limit(1)
        .executeTakeFirst()
      return row ? toRecord(row) : null
    },
    async list(connectorId, page) {
      const rows = await connection
        .selectFrom('credentials')
        .selectAll()
        .where('connector_id', '=', connectorId)
        .orderBy(page.by, page.order)
        .orderBy('id', page.order)
        .limit(wholeNumber(page.limit))
        .offset(wholeNumber(page.offset))
        .execute()
      return rows.map(toRecord)
    },
    async insert(record) {
      const result = await connection
        .insertInto('credentials')
        .values({
          id: record.id,
          application_id: record.applicationId,
          connector_id: record.connectorId,
          provider: record.provider,
          created_at: record.createdAt,
          ...changeable(record),
        })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst()
      return result.numInsertedOrUpdatedRows === 1n
    },
    update(record) {
      return unlessTaken(connection, engine, (transaction) =>
        transaction
          .updateTable('credentials')
          .set(changeable(record))
          .where('id', '=', record.id)
          .where('application_id', '=', record.applicationId)
          .execute(),
      )
    },
    async delete(applicationId, id) {
      const result = await connection
        .deleteFrom('credentials')
        .where('id', '=', id)
        .where('application_id', '=', applicationId)
        .executeTakeFirst()
      return result.numDeletedRows === 1n
    },
  }
}

function changeable(record: CredentialRecord) {
  return {
    name: record.name,
    type: record.type,
    public_data: writeJson(record.publicData),
    sealed_data: record.sealedData,
    digest: record.digest,
    updated_at: record.updatedAt,
  }
}

function toRecord(row: CredentialRow): CredentialRecord {
  return {
    id: row.id,
    applicationId: row.application_id,
    connectorId: row.connector_id,
    provider: row.provider,
    name: row.name,
    type: row.type,
    publicData: readObject(row.public_data),
    sealedData: row.sealed_data,
    digest: row.digest,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}
