import { sql } from 'kysely'
import type { AuthorizationCodeStore } from '../../core/ports/oauth-stores.ts'
import { readBoolean, wholeNumber, writeBoolean } from '../column.ts'
import type { Connection, Engine } from '../engine.ts'

export function createAuthorizationCodeStore(connection: Connection, engine: Engine): AuthorizationCodeStore {
  return {
    async insert(record, lifeMs) {
      await connection
        .insertInto('authorization_codes')
        .values({
          hash: record.hash,
          application_id: record.applicationId,
          grant_id: record.grantId,
          redirect_uri: record.redirectUri,
          challenge: record.challenge,
          challenge_method: record.challengeMethod,
          offline: writeBoolean(record.offline),
          family_id: record.familyId,
          used_at_ms: null,
          expires_at_ms: sql<number>`${engine.nowMs} + ${wholeNumber(lifeMs)}`,
        })
        .execute()
    },
    async find(hash) {
      const row = await connection
        .selectFrom('authorization_codes')
        .selectAll()
        .select(engine.nowMs.as('read_at_ms'))
        .where('hash', '=', hash)
        .executeTakeFirst()
      if (!row) return null
      return {
        hash: row.hash,
        applicationId: row.application_id,
        grantId: row.grant_id,
        redirectUri: row.redirect_uri,
        challenge: row.challenge,
        challengeMethod: row.challenge_method,
        offline: readBoolean(row.offline),
        familyId: row.family_id,
        usedAtMs: row.used_at_ms,
        expiresAtMs: row.expires_at_ms,
        readAtMs: row.read_at_ms,
      }
    },
    async use(hash) {
      const result = await connection
        .updateTable('authorization_codes')
        .set({ used_at_ms: engine.nowMs })
        .where('hash', '=', hash)
        .where('used_at_ms', 'is', null)
        .executeTakeFirst()
      return result.numUpdatedRows === 1n
    },
    async deleteExpired(ageMs, limit) {
      const over = connection
        .selectFrom('authorization_codes')
        .select('hash')
        .where('expires_at_ms', '<=', sql<number>`${engine.nowMs} - ${wholeNumber(ageMs)}`)
        .limit(wholeNumber(limit))
      const result = await connection
        .deleteFrom('authorization_codes')
        .where('hash', 'in', over)
        .executeTakeFirst()
      return Number(result.numDeletedRows)
    },
  }
}
