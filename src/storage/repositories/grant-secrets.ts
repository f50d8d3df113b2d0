import { sql } from 'kysely'
import { appError } from '../../contract/errors.ts'
import type { ConnectorId } from '../../contract/ids.ts'
import type { GrantSecretRecord } from '../../core/ports/records.ts'
import type { GrantSecretStore, StoredTokens } from '../../core/ports/stores.ts'
import { wholeNumber } from '../column.ts'
import type { Connection, Engine } from '../engine.ts'
import type { GrantSecretRow } from '../tables.ts'
import { readAttempt } from './refresh-attempt.ts'

const NO_ATTEMPT = { attempt_id: null, attempt_holder: null, attempt_started_at_ms: null }
const AT_REST = { ...NO_ATTEMPT, lease_until_ms: null, failures: 0, cool_down_until_ms: null }

export function createGrantSecretStore(connection: Connection, engine: Engine): GrantSecretStore {
  const afterMs = (ms: number) => sql<number>`${engine.nowMs} + ${wholeNumber(ms)}`
  const settled = (outcome: { readonly failures: number; readonly coolDownMs: number }) => ({
    lease_until_ms: null,
    failures: outcome.failures,
    cool_down_until_ms: outcome.coolDownMs > 0 ? afterMs(outcome.coolDownMs) : null,
  })
  return {
    async find(grantId) {
      const row = await connection
        .selectFrom('grant_secrets')
        .selectAll()
        .select(engine.nowMs.as('read_at_ms'))
        .where('grant_id', '=', grantId)
        .executeTakeFirst()
      return row ? toRecord(row) : null
    },
    async insert(grantId, applicationId, tokens) {
      await connection
        .insertInto('grant_secrets')
        .values({
          grant_id: grantId,
          application_id: applicationId,
          version: 1,
          connector_id: connection
            .selectFrom('grants')
            .select('grants.connector_id')
            .where('grants.id', '=', grantId),
          last_used_at_ms: engine.nowMs,
          ...fromTokens(tokens),
          ...AT_REST,
        })
        .execute()
    },
    async takeLease({ grantId, version, expectedAttempt, attempt, leaseMs, holderIsGone = false }) {
      const result = await connection
        .updateTable('grant_secrets')
        .set({
          lease_until_ms: afterMs(leaseMs),
          attempt_id: attempt.id,
          attempt_holder: attempt.holder,
          attempt_started_at_ms: engine.nowMs,
        })
        .where('grant_id', '=', grantId)
        .where('version', '=', version)
        .where('attempt_id', expectedAttempt === null ? 'is' : '=', expectedAttempt)
        .$if(!holderIsGone, (update) =>
          update.where((eb) =>
            eb.or([eb('lease_until_ms', 'is', null), eb('lease_until_ms', '<=', engine.nowMs)]),
          ),
        )
        .executeTakeFirst()
      return result.numUpdatedRows === 1n
    },
    async store(grantId, version, attemptId, tokens) {
      const result = await connection
        .updateTable('grant_secrets')
        .set({ version: version + 1, ...fromTokens(tokens), ...AT_REST })
        .where('grant_id', '=', grantId)
        .where('version', '=', version)
        .where('attempt_id', '=', attemptId)
        .executeTakeFirst()
      return result.numUpdatedRows === 1n
    },
    async closeAttempt(grantId, attemptId, outcome) {
      const result = await connection
        .updateTable('grant_secrets')
        .set({ ...NO_ATTEMPT, ...settled(outcome) })
        .where('grant_id', '=', grantId)
        .where('attempt_id', '=', attemptId)
        .executeTakeFirst()
      return result.numUpdatedRows === 1n
    },
    async freeLease(grantId, attemptId, outcome) {
      const result = await connection
        .updateTable('grant_secrets')
        .set(settled(outcome))
        .where('grant_id', '=', grantId)
        .where('attempt_id', '=', attemptId)
        .executeTakeFirst()
      return result.numUpdatedRows === 1n
    },
    async replace(grantId, tokens) {
      const fresh = { version: 1, ...fromTokens(tokens), failures: 0 }
      // A grant imported without a secret has no row yet, so this is an insert that turns into an update.
      const row = await connection
        .insertInto('grant_secrets')
        .columns(['grant_id', 'application_id', 'connector_id', 'last_used_at_ms', ...namesOf(fresh)])
        .expression(
          connection
            .selectFrom('grants')
            .select(['grants.id', 'grants.application_id', 'grants.connector_id', engine.nowMs.as('used')])
            .select(namesOf(fresh).map((name) => sql`${fresh[name]}`.as(name)))
            .where('grants.id', '=', grantId),
        )
        .onConflict((conflict) =>
          conflict.column('grant_id').doUpdateSet({
            ...fromTokens(tokens),
            ...AT_REST,
            connector_id: sql<ConnectorId>`excluded.connector_id`,
            last_used_at_ms: engine.nowMs,
            version: sql<number>`grant_secrets.version + 1`,
          }),
        )
        .returning('version')
        .executeTakeFirst()
      if (!row) throw appError('grant.not_found')
      return row.version
    },
  }
}

function namesOf<T extends object>(columns: T): readonly (keyof T & string)[] {
  return Object.keys(columns) as (keyof T & string)[]
}

function fromTokens(tokens: StoredTokens) {
  return {
    sealed_secret: tokens.sealedSecret,
    sealed_access_token: tokens.sealedAccessToken,
    access_expires_at: tokens.accessExpiresAt === null ? null : wholeNumber(tokens.accessExpiresAt),
    sealed_superseded: tokens.sealedSuperseded,
    next_refresh_at_ms: tokens.nextRefreshAtMs === null ? null : wholeNumber(tokens.nextRefreshAtMs),
  }
}

function toRecord(row: GrantSecretRow & { readonly read_at_ms: number }): GrantSecretRecord {
  return {
    grantId: row.grant_id,
    applicationId: row.application_id,
    version: row.version,
    sealedSecret: row.sealed_secret,
    sealedAccessToken: row.sealed_access_token,
    accessExpiresAt: row.access_expires_at,
    sealedSuperseded: row.sealed_superseded,
    nextRefreshAtMs: row.next_refresh_at_ms,
    leaseUntilMs: row.lease_until_ms,
    attempt: readAttempt(row),
    failures: row.failures,
    coolDownUntilMs: row.cool_down_until_ms,
    readAtMs: row.read_at_ms,
  }
}
