import { sql } from 'kysely'
import type { OAuthSessionRecord, OAuthSessionStore } from '../../core/ports/oauth-stores.ts'
import { readObject, wholeNumber, writeJson } from '../column.ts'
import type { Connection, Engine } from '../engine.ts'
import type { OAuthSessionRow } from '../tables.ts'

export function createOAuthSessionStore(connection: Connection, engine: Engine): OAuthSessionStore {
  const open = () =>
    connection
      .selectFrom('oauth_sessions')
      .selectAll()
      .where('status', '=', 'open')
      .where('expires_at_ms', '>', engine.nowMs)
  return {
    async insert(record, lifeMs) {
      await connection
        .insertInto('oauth_sessions')
        .values({
          id: record.id,
          application_id: record.applicationId,
          browser_hash: record.browserHash,
          state_hash: record.stateHash,
          provider: record.provider,
          sealed_verifier: record.sealedVerifier,
          request: writeJson(record.request),
          attempts: record.attempts,
          status: record.status,
          created_at_ms: engine.nowMs,
          expires_at_ms: sql<number>`${engine.nowMs} + ${wholeNumber(lifeMs)}`,
        })
        .execute()
    },
    async findOpen(id) {
      const row = await open().where('id', '=', id).executeTakeFirst()
      return row ? toRecord(row) : null
    },
    async findOpenByState(stateHash) {
      const row = await open().where('state_hash', '=', stateHash).executeTakeFirst()
      return row ? toRecord(row) : null
    },
    async chooseProvider(id, { provider, stateHash, sealedVerifier }) {
      const result = await connection
        .updateTable('oauth_sessions')
        .set({ provider, state_hash: stateHash, sealed_verifier: sealedVerifier })
        .where('id', '=', id)
        .where('status', '=', 'open')
        .where('expires_at_ms', '>', engine.nowMs)
        .executeTakeFirst()
      return result.numUpdatedRows === 1n
    },
    async countAttempt(id) {
      const row = await connection
        .updateTable('oauth_sessions')
        .set((eb) => ({ attempts: eb('attempts', '+', 1) }))
        .where('id', '=', id)
        .where('status', '=', 'open')
        .where('expires_at_ms', '>', engine.nowMs)
        .returning('attempts')
        .executeTakeFirst()
      return row?.attempts ?? null
    },
    async finish(id) {
      const result = await connection
        .updateTable('oauth_sessions')
        .set({ status: 'finished', sealed_verifier: null })
        .where('id', '=', id)
        .where('status', '=', 'open')
        .executeTakeFirst()
      return result.numUpdatedRows === 1n
    },
    async deleteExpired(limit) {
      const over = connection
        .selectFrom('oauth_sessions')
        .select('id')
        .where('expires_at_ms', '<=', engine.nowMs)
        .orderBy('expires_at_ms')
        .limit(wholeNumber(limit))
      const result = await connection.deleteFrom('oauth_sessions').where('id', 'in', over).executeTakeFirst()
      return Number(result.numDeletedRows)
    },
  }
}

function toRecord(row: OAuthSessionRow): OAuthSessionRecord {
  return {
    id: row.id,
    applicationId: row.application_id,
    browserHash: row.browser_hash,
    stateHash: row.state_hash,
    provider: row.provider,
    sealedVerifier: row.sealed_verifier,
    request: readObject(row.request),
    attempts: row.attempts,
    status: row.status,
    createdAtMs: row.created_at_ms,
    expiresAtMs: row.expires_at_ms,
  }
}
