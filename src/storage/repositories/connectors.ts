import type { ApplicationId } from '../../contract/ids.ts'
import type { ProviderName } from '../../contract/providers.ts'
import type { ConnectorAlarm, ConnectorRecord } from '../../core/ports/records.ts'
import type { ConnectorStore } from '../../core/ports/stores.ts'
import { isJsonObject, numberField, stringField } from '../../kit/json.ts'
import { readObject, readStrings, wholeNumber, writeJson } from '../column.ts'
import type { Connection, Engine } from '../engine.ts'
import { createRunner, statement } from '../prepared-statement.ts'
import type { ConnectorRow } from '../tables.ts'

const findOf = statement((on, of: { applicationId: ApplicationId; provider: ProviderName }) =>
  on
    .selectFrom('connectors')
    .selectAll()
    .where('application_id', '=', of.applicationId)
    .where('provider', '=', of.provider),
)

export function createConnectorStore(connection: Connection, engine: Engine): ConnectorStore {
  const run = createRunner(connection, engine)
  return {
    async find(applicationId, provider) {
      const row = await run.first(findOf, { applicationId, provider })
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
    async setAlarm(applicationId, provider, alarm) {
      await connection
        .updateTable('connectors')
        .set({ alarm: alarm && writeJson(alarm) })
        .where('application_id', '=', applicationId)
        .where('provider', '=', provider)
        .execute()
    },
    async listAlarmed(limit) {
      const rows = await connection
        .selectFrom('connectors')
        .selectAll()
        .where('alarm', 'is not', null)
        .orderBy('id')
        .limit(wholeNumber(limit))
        .execute()
      return rows.map(toRecord)
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
    alarm: null,
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
    alarm: row.alarm === null ? null : readAlarm(row.alarm),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}

function readAlarm(text: string): ConnectorAlarm {
  const fields = readObject(text)
  const provided = fields['provider_error']
  const clientId = stringField(fields, 'client_id')
  return {
    code: stringField(fields, 'code') ?? '',
    message: stringField(fields, 'message') ?? '',
    advice: stringField(fields, 'advice') ?? '',
    ...(clientId === undefined ? {} : { client_id: clientId }),
    ...(isJsonObject(provided) ? { provider_error: provided } : {}),
    at: numberField(fields, 'at') ?? 0,
  }
}
