import type { IssuedTokenStore } from '../../core/ports/oauth-stores.ts'
import { wholeNumber } from '../column.ts'
import type { Connection } from '../engine.ts'
import { inTransaction } from '../transaction.ts'

export function createIssuedTokenStore(connection: Connection): IssuedTokenStore {
  return {
    async insertAccess(record) {
      await connection
        .insertInto('access_tokens')
        .values({
          hash: record.hash,
          family_id: record.familyId,
          application_id: record.applicationId,
          grant_id: record.grantId,
          issued_at: record.issuedAt,
          expires_at: record.expiresAt,
        })
        .execute()
    },
    async insertRefresh(record) {
      await connection
        .insertInto('refresh_tokens')
        .values({
          hash: record.hash,
          family_id: record.familyId,
          application_id: record.applicationId,
          grant_id: record.grantId,
          family_issued_at: record.familyIssuedAt,
          last_used_at: record.lastUsedAt,
          replaced_at: record.replacedAt,
        })
        .execute()
    },
    async findAccess(hash) {
      const row = await connection
        .selectFrom('access_tokens')
        .selectAll()
        .where('hash', '=', hash)
        .executeTakeFirst()
      if (!row) return null
      return {
        hash: row.hash,
        familyId: row.family_id,
        applicationId: row.application_id,
        grantId: row.grant_id,
        issuedAt: row.issued_at,
        expiresAt: row.expires_at,
      }
    },
    async findRefresh(hash) {
      const row = await connection
        .selectFrom('refresh_tokens')
        .selectAll()
        .where('hash', '=', hash)
        .executeTakeFirst()
      if (!row) return null
      return {
        hash: row.hash,
        familyId: row.family_id,
        applicationId: row.application_id,
        grantId: row.grant_id,
        familyIssuedAt: row.family_issued_at,
        lastUsedAt: row.last_used_at,
        replacedAt: row.replaced_at,
      }
    },
    async touchRefresh(hash, usedAt) {
      const result = await connection
        .updateTable('refresh_tokens')
        .set({ last_used_at: wholeNumber(usedAt) })
        .where('hash', '=', hash)
        .executeTakeFirst()
      return result.numUpdatedRows === 1n
    },
    async replaceRefresh(hash, replacedAt) {
      const result = await connection
        .updateTable('refresh_tokens')
        .set({ replaced_at: wholeNumber(replacedAt) })
        .where('hash', '=', hash)
        .where('replaced_at', 'is', null)
        .executeTakeFirst()
      return result.numUpdatedRows === 1n
    },
    async deleteReplacedRefresh(beforeAt, limit) {
      const over = connection
        .selectFrom('refresh_tokens')
        .select('hash')
        .where('replaced_at', '<', wholeNumber(beforeAt))
        .orderBy('replaced_at')
        .limit(wholeNumber(limit))
      const result = await connection
        .deleteFrom('refresh_tokens')
        .where('hash', 'in', over)
        .executeTakeFirst()
      return Number(result.numDeletedRows)
    },
    revokeFamily: (familyId) => revoke('family_id', familyId),
    revokeGrant: (grantId) => revoke('grant_id', grantId),
    async deleteExpiredAccess(beforeAt, limit) {
      const over = connection
        .selectFrom('access_tokens')
        .select('hash')
        .where('expires_at', '<', wholeNumber(beforeAt))
        .orderBy('expires_at')
        .limit(wholeNumber(limit))
      const result = await connection.deleteFrom('access_tokens').where('hash', 'in', over).executeTakeFirst()
      return Number(result.numDeletedRows)
    },
  }

  /**
   * A refresh that is under way holds the row of its token, and the delete waits for it; but the tokens it issued
   * meanwhile are seen by the next statement only. So the deletes go on until there is no refresh token left.
   */
  function revoke(column: 'family_id' | 'grant_id', value: string): Promise<number> {
    return inTransaction(connection, async (transaction) => {
      const remove = async (table: 'access_tokens' | 'refresh_tokens') => {
        const { numDeletedRows } = await transaction
          .deleteFrom(table)
          .where(column, '=', value as never)
          .executeTakeFirst()
        return Number(numDeletedRows)
      }
      let all = 0
      for (;;) {
        const refresh = await remove('refresh_tokens')
        all += refresh + (await remove('access_tokens'))
        if (refresh === 0) return all
      }
    })
  }
}
