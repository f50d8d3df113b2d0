import { sql } from 'kysely'
import { GrantReason } from '../../contract/grant.ts'
import type { ApplicationId, GrantId } from '../../contract/ids.ts'
import type { ProviderName } from '../../contract/providers.ts'
import type { GrantRecord } from '../../core/ports/records.ts'
import type { GrantStore } from '../../core/ports/stores.ts'
import { checkShape } from '../../kit/shape.ts'
import { readBoolean, readObject, readStrings, wholeNumber, writeBoolean, writeJson } from '../column.ts'
import type { Connection, Engine } from '../engine.ts'
import { createRunner, statement } from '../prepared-statement.ts'
import type { GrantRow } from '../tables.ts'
import { selectGrantPage } from './grant-list.ts'

type GrantKey = { applicationId: ApplicationId; id: GrantId }

const selectById = (on: Connection, key: GrantKey) =>
  on.selectFrom('grants').selectAll().where('id', '=', key.id).where('application_id', '=', key.applicationId)

const findById = statement(selectById)
const findLocked = statement((on, key: GrantKey, engine) => engine.lockingRows(selectById(on, key)))

const findByMailbox = statement(
  (on, of: { applicationId: ApplicationId; provider: ProviderName; emailKey: string }) =>
    on
      .selectFrom('grants')
      .selectAll()
      .where('application_id', '=', of.applicationId)
      .where('email_key', '=', of.emailKey)
      .where('provider', '=', of.provider),
)

const insertNew = statement((on, row: ReturnType<typeof newGrantRow>) =>
  on
    .insertInto('grants')
    .values(row)
    .onConflict((conflict) => conflict.doNothing()),
)

const updateById = statement((on, { id, application_id, ...row }: ReturnType<typeof changedGrantRow>) =>
  on.updateTable('grants').set(row).where('id', '=', id).where('application_id', '=', application_id),
)

export function createGrantStore(connection: Connection, engine: Engine): GrantStore {
  const run = createRunner(connection, engine)
  const grants = () => connection.selectFrom('grants').selectAll()
  return {
    async find(applicationId, id) {
      const row = await run.first(findById, { applicationId, id })
      return row ? toRecord(row) : null
    },
    async findLocked(applicationId, id) {
      const row = await run.first(findLocked, { applicationId, id })
      return row ? toRecord(row) : null
    },
    async findByMailbox(applicationId, provider, emailKey) {
      const row = await run.first(findByMailbox, { applicationId, provider, emailKey })
      return row ? toRecord(row) : null
    },
    async listByEmail(applicationId, emailKey) {
      const rows = await grants()
        .where('application_id', '=', applicationId)
        .where('email_key', '=', emailKey)
        .orderBy('provider')
        .execute()
      return rows.map(toRecord)
    },
    async sharesAccount({ id, provider, identityKey }) {
      if (identityKey === null) return false
      const row = await connection
        .selectFrom('grants')
        .select('id')
        .where('provider', '=', provider)
        .where('identity_key', '=', identityKey)
        .where('id', '!=', id)
        .limit(1)
        .executeTakeFirst()
      return row !== undefined
    },
    async findByAccountId(applicationId, accountId) {
      const row = await grants()
        .where('application_id', '=', applicationId)
        .where('account_id', '=', accountId)
        .executeTakeFirst()
      return row ? toRecord(row) : null
    },
    async list(applicationId, filter, page) {
      if (filter.accountIds?.length === 0) return []
      const rows = await selectGrantPage(connection, applicationId, filter, page)
      return rows.map(toRecord)
    },
    async insert(record) {
      return (await run.change(insertNew, newGrantRow(record))) === 1
    },
    async update(record) {
      return (await run.change(updateById, changedGrantRow(record))) === 1
    },
    async noteIdentity(applicationId, id, { identityKey, providerUserId, name, scope, updatedAt }) {
      const result = await connection
        .updateTable('grants')
        .set({
          identity_key: identityKey,
          provider_user_id: providerUserId,
          updated_at: updatedAt,
          ...(name === undefined ? {} : { name }),
          ...(scope === undefined ? {} : { scope: writeJson(scope) }),
        })
        .where('id', '=', id)
        .where('application_id', '=', applicationId)
        .where('identity_key', 'is', null)
        .where('provider_user_id', 'is', null)
        .executeTakeFirst()
      return result.numUpdatedRows === 1n
    },
    async markInvalid(applicationId, id, reason) {
      const result = await connection
        .updateTable('grants')
        .set({ status: 'invalid', reason: writeJson(reason), reason_code: reason.code })
        .where('id', '=', id)
        .where('application_id', '=', applicationId)
        .where('status', '=', 'valid')
        .executeTakeFirst()
      return result.numUpdatedRows === 1n
    },
    async listValidOf(of, afterId, limit) {
      const owned =
        'connectorId' in of
          ? grants().where('connector_id', '=', of.connectorId)
          : grants().where('credential_id', '=', of.credentialId)
      const valid = owned.where('status', '=', 'valid').orderBy('id').limit(wholeNumber(limit))
      const rows = await (afterId === null ? valid : valid.where('id', '>', afterId)).execute()
      return rows.map(toRecord)
    },
    async countByStatus() {
      // The status as a literal: SQLite finds the partial index of it only then.
      const withStatus = (status: 'valid' | 'invalid') =>
        connection.selectFrom('grants').where('status', '=', sql.lit(status))
      const valid = await withStatus('valid')
        .select((eb) => ['provider', eb.fn.countAll<number>().as('count')])
        .groupBy('provider')
        .execute()
      const invalid = await withStatus('invalid')
        .select((eb) => ['provider', 'reason_code', eb.fn.countAll<number>().as('count')])
        .groupBy(['provider', 'reason_code'])
        .execute()
      return [
        ...valid.map((row) => ({
          provider: row.provider,
          status: 'valid' as const,
          reasonCode: null,
          count: Number(row.count),
        })),
        ...invalid.map((row) => ({
          provider: row.provider,
          status: 'invalid' as const,
          reasonCode: row.reason_code,
          count: Number(row.count),
        })),
      ]
    },
    async hold(id) {
      const held = engine.keepingRows(connection.selectFrom('grants').select('id').where('id', '=', id))
      return (await held.executeTakeFirst()) !== undefined
    },
    async delete(applicationId, id) {
      // Its secret and seen tokens go with it by their foreign keys: one statement, all or nothing.
      const result = await connection
        .deleteFrom('grants')
        .where('id', '=', id)
        .where('application_id', '=', applicationId)
        .executeTakeFirst()
      return result.numDeletedRows === 1n
    },
  }
}

/** The row of a new grant. */
export function newGrantRow(record: GrantRecord) {
  return {
    id: record.id,
    application_id: record.applicationId,
    provider: record.provider,
    created_at: record.createdAt,
    ...changeable(record),
  }
}

function changedGrantRow(record: GrantRecord) {
  return { id: record.id, application_id: record.applicationId, ...changeable(record) }
}

function changeable(record: GrantRecord) {
  return {
    connector_id: record.connectorId,
    email: record.email,
    email_key: record.emailKey,
    identity_key: record.identityKey,
    provider_user_id: record.providerUserId,
    name: record.name,
    status: record.status,
    reason: record.reason === null ? null : writeJson(record.reason),
    reason_code: record.reason?.code ?? null,
    scope: writeJson(record.scope),
    state: record.state,
    ip: record.ip,
    user_agent: record.userAgent,
    settings: writeJson(record.settings),
    credential_id: record.credentialId,
    account_id: record.accountId,
    blocked: writeBoolean(record.blocked),
    updated_at: record.updatedAt,
  }
}

export function toRecord(row: GrantRow): GrantRecord {
  return {
    id: row.id,
    applicationId: row.application_id,
    connectorId: row.connector_id,
    provider: row.provider,
    email: row.email,
    emailKey: row.email_key,
    identityKey: row.identity_key,
    providerUserId: row.provider_user_id,
    name: row.name,
    status: row.status,
    reason: row.reason === null ? null : readReason(row.reason),
    scope: readStrings(row.scope),
    state: row.state,
    ip: row.ip,
    userAgent: row.user_agent,
    settings: readObject(row.settings),
    credentialId: row.credential_id,
    accountId: row.account_id,
    blocked: readBoolean(row.blocked),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}

function readReason(text: string): GrantReason {
  const reason = checkShape(GrantReason, readObject(text), 'reason')
  if (!reason.ok) throw new Error(`grants.reason can't be read: ${reason.problem}`)
  return reason.value
}
