import { sql } from 'kysely'
import { grantId, type GrantId } from '../../contract/ids.ts'
import type { ImportStore } from '../../core/ports/import.ts'
import type { Connection, Engine } from '../engine.ts'
import { insertRows } from '../insert-rows.ts'
import { newSecretRow, toRecord as toSecret } from './grant-secrets.ts'
import { newGrantRow, toRecord as toGrant } from './grants.ts'
import { newEventRow } from './outbox.ts'
import { grantedRow, toRecord as toSeenToken } from './seen-tokens.ts'

/** Many grants by few statements, each of one value per column: what single inserts can't reach (design.md B8). */
export function createImportStore(connection: Connection, engine: Engine): ImportStore {
  const insert = (table: string, rows: Parameters<typeof insertRows>[3], returning: string) =>
    insertRows(connection, engine, table, rows, returning)
  return {
    async findByMailboxes(applicationId, emailKeys) {
      if (emailKeys.length === 0) return []
      const rows = await connection
        .selectFrom('grants')
        .selectAll()
        .where('application_id', '=', applicationId)
        .where(engine.isAnyOf(sql.ref('email_key'), engine.list(emailKeys)))
        .execute()
      return rows.map(toGrant)
    },
    async findTakenIds(ids) {
      if (ids.length === 0) return new Set()
      const rows = await connection
        .selectFrom('grants')
        .select('id')
        .where(engine.isAnyOf(sql.ref('id'), engine.list(ids)))
        .execute()
      return new Set(rows.map(({ id }) => id))
    },
    async findAccountIds(applicationId, accountIds) {
      const found = new Map<string, GrantId>()
      if (accountIds.length === 0) return found
      const rows = await connection
        .selectFrom('grants')
        .select(['id', 'account_id'])
        .where('application_id', '=', applicationId)
        .where(engine.isAnyOf(sql.ref('account_id'), engine.list(accountIds)))
        .execute()
      for (const row of rows) if (row.account_id !== null) found.set(row.account_id, row.id)
      return found
    },
    async findSeenTokens(applicationId, digests) {
      if (digests.length === 0) return []
      const rows = await connection
        .selectFrom('seen_tokens')
        .selectAll()
        .select(engine.nowMs.as('read_at_ms'))
        .where(engine.isAnyOf(sql.ref('digest'), engine.list(digests)))
        .where('application_id', '=', applicationId)
        .execute()
      return rows.map(toSeenToken)
    },
    async findSecrets(grantIds) {
      if (grantIds.length === 0) return []
      const rows = await connection
        .selectFrom('grant_secrets')
        .selectAll()
        .select(engine.nowMs.as('read_at_ms'))
        .where(engine.isAnyOf(sql.ref('grant_id'), engine.list(grantIds)))
        .execute()
      return rows.map(toSecret)
    },
    insertSeenTokens: (tokens) =>
      insert(
        'seen_tokens',
        tokens
          .map((token) => grantedRow(token.key, token.grantId, 1))
          .toSorted((a, b) => (a.digest < b.digest ? -1 : 1)),
        'digest',
      ),
    async deleteSeenTokens(applicationId, digests) {
      if (digests.length === 0) return
      await connection
        .deleteFrom('seen_tokens')
        .where(engine.isAnyOf(sql.ref('digest'), engine.list(digests)))
        .where('application_id', '=', applicationId)
        .execute()
    },
    async insertGrants(grants) {
      const made = await insert(
        'grants',
        grants
          .map(({ grant }) => newGrantRow(grant))
          .toSorted((a, b) => (a.email_key < b.email_key ? -1 : 1)),
        'id',
      )
      const kept = grants.filter(({ grant }) => made.has(grant.id))
      await insert(
        'grant_secrets',
        kept.flatMap(({ grant, secret }) => (secret ? [newSecretRow(grant, secret)] : [])),
        'grant_id',
      )
      await insert(
        'outbox',
        kept.flatMap(({ event }) => (event ? [newEventRow(event)] : [])),
        'id',
      )
      return new Set(kept.map(({ grant }) => grantId(grant.id)))
    },
    async insertEvents(events) {
      await insert('outbox', events.map(newEventRow), 'id')
    },
  }
}
