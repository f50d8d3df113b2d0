import { sql } from 'kysely'
import { appError } from '../../contract/errors.ts'
import type { ApplicationId, ConnectorId, GrantId } from '../../contract/ids.ts'
import type { GrantRecord, GrantSecretRecord } from '../../core/ports/records.ts'
import type { AttemptOutcome, GrantSecretStore, StoredTokens } from '../../core/ports/grant-secret-store.ts'
import { wholeNumber, writeBoolean } from '../column.ts'
import type { Connection, Engine } from '../engine.ts'
import { createRunner, statement } from '../prepared-statement.ts'
import type { GrantSecretRow } from '../tables.ts'
import { readAttempt } from './refresh-attempt.ts'
import { createRefreshSchedule } from './refresh-schedule.ts'

const NO_ATTEMPT = { attempt_id: null, attempt_holder: null, attempt_started_at_ms: null }
const AT_REST = { ...NO_ATTEMPT, lease_until_ms: null, failures: 0, cool_down_until_ms: null }

type TokenColumns = ReturnType<typeof fromTokens>
type AttemptKey = { grantId: GrantId; version: number; attemptId: string }

const findById = statement((on, { grantId }: { grantId: GrantId }, engine) =>
  on
    .selectFrom('grant_secrets')
    .selectAll()
    .select(engine.nowMs.as('read_at_ms'))
    .where('grant_id', '=', grantId),
)

const connectorOf = (on: Connection, grantId: GrantId) =>
  on.selectFrom('grants').select('grants.connector_id').where('grants.id', '=', grantId)

type NewSecret = TokenColumns & { grantId: GrantId; applicationId: ApplicationId }

const insertUsed = statement((on, { grantId, applicationId, ...tokens }: NewSecret, engine) =>
  on.insertInto('grant_secrets').values({
    grant_id: grantId,
    application_id: applicationId,
    version: 1,
    connector_id: connectorOf(on, grantId),
    last_used_at_ms: engine.nowMs,
    ...tokens,
    ...AT_REST,
  }),
)

/** One that brings no access token was imported: nobody has used it here. */
const insertUnused = statement((on, { grantId, applicationId, ...tokens }: NewSecret) =>
  on.insertInto('grant_secrets').values({
    grant_id: grantId,
    application_id: applicationId,
    version: 1,
    connector_id: connectorOf(on, grantId),
    last_used_at_ms: null,
    ...tokens,
    ...AT_REST,
  }),
)

const takeLease = statement(
  (
    on,
    lease: AttemptKey & { expected: string | null; holder: string; leaseMs: number; holderIsGone: number },
    { nowMs },
  ) =>
    on
      .updateTable('grant_secrets')
      .set({
        lease_until_ms: sql<number>`${nowMs} + ${lease.leaseMs}`,
        attempt_id: lease.attemptId,
        attempt_holder: lease.holder,
        attempt_started_at_ms: nowMs,
      })
      .where('grant_id', '=', lease.grantId)
      .where('version', '=', lease.version)
      .where('attempt_id', 'is not distinct from', lease.expected)
      .where((eb) =>
        eb.or([
          eb('lease_until_ms', 'is', null),
          eb('lease_until_ms', '<=', nowMs),
          sql<boolean>`${lease.holderIsGone} = 1`,
        ]),
      ),
)

const storeUsed = statement(
  (on, { grantId, version, attemptId, ...tokens }: AttemptKey & TokenColumns, engine) =>
    on
      .updateTable('grant_secrets')
      .set({ ...tokens, ...AT_REST, version: sql<number>`version + 1`, last_used_at_ms: engine.nowMs })
      .where('grant_id', '=', grantId)
      .where('version', '=', version)
      .where('attempt_id', '=', attemptId),
)

/** After a refresh that nobody asked for: it counts as no use. */
const storeUnasked = statement(
  (
    on,
    {
      grantId,
      version,
      attemptId,
      inUseMs,
      idleRefreshAtMs,
      next_refresh_at_ms,
      ...tokens
    }: AttemptKey & TokenColumns & { inUseMs: number; idleRefreshAtMs: number },
    { nowMs },
  ) =>
    on
      .updateTable('grant_secrets')
      .set({
        ...tokens,
        ...AT_REST,
        version: sql<number>`version + 1`,
        next_refresh_at_ms: sql<number | null>`case when last_used_at_ms > ${nowMs} - ${inUseMs}
          then cast(${next_refresh_at_ms} as bigint) else ${idleRefreshAtMs} end`,
      })
      .where('grant_id', '=', grantId)
      .where('version', '=', version)
      .where('attempt_id', '=', attemptId),
)

export function createGrantSecretStore(connection: Connection, engine: Engine): GrantSecretStore {
  const run = createRunner(connection, engine)
  const afterMs = (ms: number) => sql<number>`${engine.nowMs} + ${wholeNumber(ms)}`
  const settled = ({ failures, coolDownMs, nextRefreshInMs }: AttemptOutcome) => ({
    lease_until_ms: null,
    failures,
    cool_down_until_ms: coolDownMs > 0 ? afterMs(coolDownMs) : null,
    ...(nextRefreshInMs === undefined
      ? {}
      : {
          next_refresh_at_ms: sql<
            number | null
          >`case when next_refresh_at_ms is null then null else ${afterMs(nextRefreshInMs)} end`,
        }),
  })
  return {
    ...createRefreshSchedule(connection, engine),
    async find(grantId) {
      const row = await run.first(findById, { grantId })
      return row ? toRecord(row) : null
    },
    async insert(grantId, applicationId, tokens) {
      const insert = tokens.sealedAccessToken === null ? insertUnused : insertUsed
      await run.change(insert, { grantId, applicationId, ...fromTokens(tokens) })
    },
    async takeLease({ grantId, version, expectedAttempt, attempt, leaseMs, holderIsGone = false }) {
      const taken = await run.change(takeLease, {
        grantId,
        version,
        expected: expectedAttempt,
        attemptId: attempt.id,
        holder: attempt.holder,
        leaseMs: wholeNumber(leaseMs),
        holderIsGone: writeBoolean(holderIsGone),
      })
      return taken === 1
    },
    async store(grantId, version, attemptId, tokens, unasked) {
      const stored = { grantId, version, attemptId, ...fromTokens(tokens) }
      if (unasked === undefined) return (await run.change(storeUsed, stored)) === 1
      const inUseMs = wholeNumber(unasked.inUseMs)
      const idleRefreshAtMs = wholeNumber(unasked.idleRefreshAtMs)
      return (await run.change(storeUnasked, { ...stored, inUseMs, idleRefreshAtMs })) === 1
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
    async oldestDueRefreshMs() {
      // From connector to connector by the index, however many secrets each has. Without a connector: a grant
      // that came after its secret.
      const { rows } = await sql<{ due: number | null; now: number }>`
        with recursive owners(id) as (
          select (select min(connector_id) from grant_secrets where next_refresh_at_ms is not null)
          union all
          select (select min(s.connector_id) from grant_secrets s
                  where s.next_refresh_at_ms is not null and s.connector_id > owners.id)
          from owners where owners.id is not null
        )
        select min(first.due) as due, ${engine.nowMs} as now from (
          select (select min(s.next_refresh_at_ms) from grant_secrets s
                  where s.next_refresh_at_ms is not null and s.connector_id = owners.id) as due from owners
          union all
          select min(s.next_refresh_at_ms) from grant_secrets s
          where s.next_refresh_at_ms is not null and s.connector_id is null
        ) first`.execute(connection)
      const [row] = rows
      return row && row.due !== null && row.due <= row.now ? row.now - row.due : null
    },
  }
}

/** The row of an imported secret: nobody has used its grant here. */
export function newSecretRow(grant: GrantRecord, tokens: StoredTokens) {
  return {
    grant_id: grant.id,
    application_id: grant.applicationId,
    version: 1,
    connector_id: grant.connectorId,
    last_used_at_ms: null,
    ...fromTokens(tokens),
    ...AT_REST,
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

export function toRecord(row: GrantSecretRow & { readonly read_at_ms: number }): GrantSecretRecord {
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
