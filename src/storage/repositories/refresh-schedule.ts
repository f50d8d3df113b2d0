import { sql } from 'kysely'
import type { ConnectorId, GrantId } from '../../contract/ids.ts'
import type { GrantSecretStore } from '../../core/ports/grant-secret-store.ts'
import { wholeNumber } from '../column.ts'
import type { Connection, Engine } from '../engine.ts'
import { createRunner, statement } from '../prepared-statement.ts'
import { inTransaction } from '../transaction.ts'

/** Of a token that is newer than the one whose use is noted: near enough to the ahead time of most. */
const AHEAD_MS = 5 * 60_000

const claimOf = statement((on, of: { connectorId: ConnectorId; limit: number; holdMs: number }, engine) => {
  const due = on
    .selectFrom('grant_secrets')
    .select('grant_id')
    .where('connector_id', '=', of.connectorId)
    .where('next_refresh_at_ms', '<=', engine.nowMs)
    .orderBy('next_refresh_at_ms')
    .limit(of.limit)
  return (
    on
      .updateTable('grant_secrets')
      .set({ next_refresh_at_ms: sql<number>`${engine.nowMs} + ${of.holdMs}` })
      .where('grant_id', 'in', engine.skippingLocked(due))
      // On PostgreSQL the row may have been claimed since the inner query saw it.
      .where('next_refresh_at_ms', '<=', engine.nowMs)
      .returning(['grant_id', 'application_id', 'version'])
  )
})

const noteUse = statement(
  (on, use: { grantId: GrantId; version: number; refreshDueMs: number }, { nowMs }) => {
    const dueMs = sql<number>`case when version = ${use.version} then ${use.refreshDueMs}
      else access_expires_at * 1000 - ${sql.lit(AHEAD_MS)} end`
    return on
      .updateTable('grant_secrets')
      .set({
        last_used_at_ms: nowMs,
        // Nothing that was taken out of the schedule comes back by being used.
        next_refresh_at_ms: sql<
          number | null
        >`case when next_refresh_at_ms > ${dueMs} then ${dueMs} else next_refresh_at_ms end`,
      })
      .where('grant_id', '=', use.grantId)
  },
)

/** The part of the secrets that says when each is next refreshed in the background. */
export function createRefreshSchedule(
  connection: Connection,
  engine: Engine,
): Pick<GrantSecretStore, 'dueConnectors' | 'claimDue' | 'unschedule' | 'noteUses'> {
  const run = createRunner(connection, engine)
  return {
    async dueConnectors(afterId, limit) {
      // From connector to connector by the index, however many grants one has.
      const { rows } = await sql<{ id: ConnectorId }>`
        with recursive owners(id) as (
          select (select min(connector_id) from grant_secrets
                  where next_refresh_at_ms is not null and connector_id > ${afterId})
          union all
          select (select min(s.connector_id) from grant_secrets s
                  where s.next_refresh_at_ms is not null and s.connector_id > owners.id)
          from owners where owners.id is not null
        )
        select id from owners
        where id is not null and (
          select min(s.next_refresh_at_ms) from grant_secrets s
          where s.next_refresh_at_ms is not null and s.connector_id = owners.id
        ) <= ${engine.nowMs}
        limit ${wholeNumber(limit)}`.execute(connection)
      return rows.map((row) => row.id)
    },
    async claimDue({ connectorId, limit, holdMs }) {
      const most = { connectorId, limit: wholeNumber(limit), holdMs: wholeNumber(holdMs) }
      const rows = await run.all(claimOf, most)
      return rows.map((row) => ({
        grantId: row.grant_id,
        applicationId: row.application_id,
        version: row.version,
      }))
    },
    async unschedule(grantIds, version) {
      if (grantIds.length === 0) return
      let update = connection
        .updateTable('grant_secrets')
        .set({ next_refresh_at_ms: null })
        .where('grant_id', 'in', grantIds)
      if (version !== undefined) update = update.where('version', '=', version)
      await update.execute()
    },
    noteUses: (uses) =>
      inTransaction(connection, async (transaction) => {
        // In one order, so that two processes never wait for each other's rows.
        const inside = createRunner(transaction, engine)
        for (const { grantId, version, refreshDueMs } of uses.toSorted((a, b) =>
          a.grantId < b.grantId ? -1 : 1,
        )) {
          await inside.change(noteUse, { grantId, version, refreshDueMs: wholeNumber(refreshDueMs) })
        }
      }),
  }
}
