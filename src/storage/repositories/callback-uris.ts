import { createHash } from 'node:crypto'
import type { CallbackUriRecord } from '../../core/ports/records.ts'
import type { CallbackUriStore } from '../../core/ports/stores.ts'
import { readObject, writeJson } from '../column.ts'
import type { Connection, Engine } from '../engine.ts'
import type { CallbackUriRow } from '../tables.ts'
import { unlessTaken } from '../transaction.ts'

export function createCallbackUriStore(connection: Connection, engine: Engine): CallbackUriStore {
  return {
    async find(applicationId, id) {
      const row = await connection
        .selectFrom('callback_uris')
        .selectAll()
        .where('id', '=', id)
        .where('application_id', '=', applicationId)
        .executeTakeFirst()
      return row ? toRecord(row) : null
    },
    async list(applicationId) {
      const rows = await connection
        .selectFrom('callback_uris')
        .selectAll()
        .where('application_id', '=', applicationId)
        .orderBy('created_at')
        .orderBy('id')
        .execute()
      return rows.map(toRecord)
    },
    async listBrowser() {
      const rows = await connection
        .selectFrom('callback_uris')
        .selectAll()
        .where('platform', '=', 'js')
        .execute()
      return rows.map(toRecord)
    },
    async insert(record) {
      const result = await connection
        .insertInto('callback_uris')
        .values({
          id: record.id,
          application_id: record.applicationId,
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
          .updateTable('callback_uris')
          .set(changeable(record))
          .where('id', '=', record.id)
          .where('application_id', '=', record.applicationId)
          .execute(),
      )
    },
    async delete(applicationId, id) {
      const result = await connection
        .deleteFrom('callback_uris')
        .where('id', '=', id)
        .where('application_id', '=', applicationId)
        .executeTakeFirst()
      return result.numDeletedRows === 1n
    },
  }
}

function changeable(record: CallbackUriRecord) {
  return {
    url: record.url,
    url_hash: createHash('sha256').update(record.url).digest('hex'),
    platform: record.platform,
    settings: writeJson(record.settings),
  }
}

function toRecord(row: CallbackUriRow): CallbackUriRecord {
  return {
    id: row.id,
    applicationId: row.application_id,
    url: row.url,
    platform: row.platform,
    settings: readObject(row.settings),
    createdAt: row.created_at,
  }
}
