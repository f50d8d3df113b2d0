import { sql } from 'kysely'
import type { SigningKeyStore } from '../../core/ports/oauth-stores.ts'
import { readObject, wholeNumber, writeJson } from '../column.ts'
import type { Connection, Engine } from '../engine.ts'

export function createSigningKeyStore(connection: Connection, engine: Engine): SigningKeyStore {
  return {
    async list() {
      const rows = await connection
        .selectFrom('signing_keys')
        .selectAll()
        .orderBy('created_at_ms', 'desc')
        .orderBy('kid')
        .execute()
      return rows.map((row) => ({
        kid: row.kid,
        publicJwk: readObject(row.public_jwk),
        sealedPrivate: row.sealed_private,
        createdAtMs: row.created_at_ms,
        retiredAtMs: row.retired_at_ms,
      }))
    },
    async insert(record) {
      await connection
        .insertInto('signing_keys')
        .values({
          kid: record.kid,
          public_jwk: writeJson(record.publicJwk),
          sealed_private: record.sealedPrivate,
          created_at_ms: engine.nowMs,
          retired_at_ms: null,
        })
        .execute()
    },
    async retireOthers(kid) {
      await connection
        .updateTable('signing_keys')
        .set({ retired_at_ms: engine.nowMs })
        .where('kid', '!=', kid)
        .where('retired_at_ms', 'is', null)
        .execute()
    },
    async deleteRetiredBefore(ageMs) {
      const result = await connection
        .deleteFrom('signing_keys')
        .where('retired_at_ms', '<', sql<number>`${engine.nowMs} - ${wholeNumber(ageMs)}`)
        .executeTakeFirst()
      return Number(result.numDeletedRows)
    },
  }
}
