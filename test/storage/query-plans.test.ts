// A query without an index blocks the event loop on SQLite: this looks at the plan of each one the stores send.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, test } from 'node:test'
import {
  type CompiledQuery,
  type DatabaseConnection,
  DummyDriver,
  Kysely,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  sql,
} from 'kysely'
import { connectorId, credentialId, grantId } from '../../src/contract/ids.ts'
import { SEALED_TABLES } from '../../src/core/ports/sealed.ts'
import type { GrantFilter, Stores } from '../../src/core/ports/stores.ts'
import { systemClock } from '../../src/kit/clock.ts'
import { randomIds } from '../../src/kit/ids.ts'
import { silentLogger } from '../../src/kit/logger.ts'
import type { Engine } from '../../src/storage/engine.ts'
import { openSqliteDatabase } from '../../src/storage/engines/sqlite.ts'
import { createStores } from '../../src/storage/stores.ts'
import type { Tables } from '../../src/storage/tables.ts'
import { aGrant, anApplication, anAttempt, aTokenKey, newApplicationId, someTokens } from './records.ts'
import { tempFolder } from './temp-folder.ts'

/** Tables of a few rows by nature, read whole; `owners` is made in the statement, by steps through an index. */
const SMALL = /^SCAN (data_keys|owners|CONSTANT ROW)\b/

/** Runs nothing: notes the statements. */
class NotingDriver extends DummyDriver {
  readonly statements: string[] = []

  override async acquireConnection(): Promise<DatabaseConnection> {
    return {
      executeQuery: async ({ sql: text }: CompiledQuery) => {
        this.statements.push(text)
        return { rows: [], numAffectedRows: 0n }
      },
      async *streamQuery() {},
    }
  }
}

const ENGINE: Engine = {
  nowMs: sql<number>`unixepoch()`,
  text: sql`text`,
  bytes: sql`blob`,
  sequence: sql`integer`,
  hasTable: async () => true,
  isUniqueViolation: () => false,
  skippingLocked: (query) => query,
  keepingRows: (query) => query,
  lockingRows: (query) => query,
  list: () => '',
  isAnyOf: (column) => sql<boolean>`${column} in ('a', 'b')`,
  givenRows: () => sql`(select 1) as given`,
  makeAppendOnly: () => Promise.reject(new Error('not here')),
  refuseClosedKeys: () => Promise.reject(new Error('not here')),
  holdUpWrites: () => Promise.resolve(),
  withMigrationLock: () => Promise.reject(new Error('not here')),
}

async function statementsOf(calls: (stores: Stores) => Promise<unknown>): Promise<readonly string[]> {
  const driver = new NotingDriver()
  const connection = new Kysely<Tables>({
    dialect: {
      createDriver: () => driver,
      createAdapter: () => new SqliteAdapter(),
      createQueryCompiler: () => new SqliteQueryCompiler(),
      createIntrospector: (kysely) => new SqliteIntrospector(kysely),
    },
  })
  await calls(createStores(connection, ENGINE))
  return driver.statements
}

async function everyReadAndChange(stores: Stores): Promise<void> {
  const application = newApplicationId()
  const grant = aGrant()
  const key = aTokenKey()
  const outcome = { failures: 0, coolDownMs: 0 }
  const page = { limit: 10, offset: 10, by: 'created_at', order: 'asc' } as const
  const reason = { code: 'c', message: 'm', advice: 'a', at: 1 }
  await stores.applications.find(application)
  await stores.applications.list()
  await stores.applications.update(anApplication())
  await stores.apiKeys.findLive('h')
  await stores.apiKeys.list(application)
  await stores.apiKeys.list(null)
  await stores.apiKeys.revoke('k', 1)
  await stores.callbackUris.find(application, 'c')
  await stores.callbackUris.list(application)
  await stores.callbackUris.delete(application, 'c')
  await stores.connectors.find(application, 'google')
  await stores.connectors.list(application, page)
  await stores.connectors.delete(application, 'google')
  await stores.credentials.find(application, credentialId('c'))
  await stores.credentials.findByDigest(connectorId('c'), 'd')
  await stores.credentials.list(connectorId('c'), page)
  await stores.credentials.list(connectorId('c'), { ...page, by: 'updated_at', order: 'desc' })
  await stores.credentials.delete(application, credentialId('c'))
  await stores.grants.find(application, grant.id)
  await stores.grants.findByMailbox(application, 'google', 'e')
  await stores.grants.listByEmail(application, 'e')
  await stores.grants.sharesAccount({ ...grant, identityKey: 'i' })
  await stores.grants.findByAccountId(application, 'a')
  await stores.grants.update(grant)
  const who = { identityKey: 'i', providerUserId: 'p', name: 'n', scope: ['s'], updatedAt: 1 }
  await stores.grants.noteIdentity(application, grant.id, who)
  await stores.grants.markInvalid(application, grant.id, reason)
  await stores.grants.listValidOf({ connectorId: connectorId('c') }, grantId('g'), 10)
  await stores.grants.listValidOf({ credentialId: credentialId('c') }, null, 10)
  await stores.grants.delete(application, grant.id)
  await stores.secrets.find(grant.id)
  await stores.secrets.takeLease({
    grantId: grant.id,
    version: 1,
    expectedAttempt: null,
    attempt: anAttempt(),
    leaseMs: 1,
  })
  await stores.secrets.store(grant.id, 1, 'a', someTokens())
  await stores.secrets.closeAttempt(grant.id, 'a', outcome)
  await stores.secrets.freeLease(grant.id, 'a', outcome)
  await assert.rejects(stores.secrets.replace(grant.id, someTokens()))
  await stores.secrets.store(grant.id, 1, 'a', someTokens(), { inUseMs: 1, idleRefreshAtMs: 1 })
  await stores.secrets.freeLease(grant.id, 'a', { ...outcome, nextRefreshInMs: 1 })
  await stores.secrets.dueConnectors('', 10)
  await stores.secrets.claimDue({ connectorId: connectorId('c'), limit: 10, holdMs: 1 })
  await stores.secrets.unschedule([grant.id])
  await stores.secrets.noteUses([{ grantId: grant.id, version: 1, refreshDueMs: 1 }])
  await stores.imports.findByMailboxes(application, ['e'])
  await stores.imports.findTakenIds([grant.id])
  await stores.imports.findAccountIds(application, ['a'])
  await stores.imports.findSeenTokens(application, ['d'])
  await stores.imports.findSecrets([grant.id])
  await stores.imports.deleteSeenTokens(application, ['d'])
  await stores.seenTokens.find(key)
  await stores.seenTokens.retakeAttempt(key, 'a', anAttempt())
  await stores.seenTokens.grantPending('p', grant.id, 1)
  await stores.seenTokens.deleteAttempt(key, 'a')
  await stores.seenTokens.abandonAttempt(key, 'a')
  await stores.seenTokens.deleteOfPending('p')
  await stores.seenTokens.findGrantByDigest(application, 'd')
  await stores.callbackUris.listBrowser()
  await stores.issuedTokens.touchRefresh('h', 1)
  await stores.issuedTokens.deleteReplacedRefresh(1, 10)
  await stores.issuedTokens.deleteExpiredAccess(1, 10)
  await stores.issuedTokens.revokeFamily('f')
  await stores.issuedTokens.revokeGrant(grant.id)
  await stores.pendingSecrets.find('p')
  await stores.pendingSecrets.update('p', 1, 's')
  await stores.pendingSecrets.delete('p')
  await stores.pendingSecrets.deleteOlderThan(1)
  await stores.dataKeys.list()
  await stores.dataKeys.rewrap('k', 'b', { wrappedBy: 'o', wrapped: 'w' })
  await stores.dataKeys.addSeals('k', 1)
  for (const table of SEALED_TABLES) {
    await stores.sealed.list(table, 'a', 10)
    await stores.sealed.replace(table, [
      { id: 'a', before: { [table.columns[0]!]: 'b' }, after: { [table.columns[0]!]: 'c' } },
    ])
  }
  const owner = { grantId: grant.id, kind: 'message' } as const
  const texts = { applicationId: grant.applicationId, grantId: null }
  await stores.signatures.find(grant.id, 's')
  await stores.signatures.list(grant.id, { limit: 10, beforeSeq: 9 })
  await assert.rejects(stores.signatures.count(grant.id)) // it reads a row, and this driver has none
  await stores.signatures.update(grant.id, 's', { name: 'n', body: 'b', updatedAt: 1 })
  await stores.signatures.delete(grant.id, 's')
  for (const whose of [texts, { ...texts, grantId: grant.id }]) {
    await stores.templates.find(whose, 't')
    await stores.templates.list(whose, { limit: 10, beforeSeq: 9 })
    await stores.templates.update(whose, 't', {
      engine: 'mustache',
      name: 'n',
      subject: 's',
      body: 'b',
      updatedAt: 1,
    })
    await stores.templates.delete(whose, 't')
  }
  await stores.metadata.find(owner, ['m'])
  await stores.metadata.listWithPair(owner, 'key1:v', { limit: 10, beforeSeq: 9 })
  await stores.metadata.remove(owner, 'm')
  const claim = {
    id: 'k',
    applicationId: grant.applicationId,
    grantId: grant.id,
    attemptId: 'a',
    payloadHash: 'p',
  }
  await stores.idempotency.claim(claim, 1)
  await stores.idempotency.claim(claim, 1_000_000)
  await stores.idempotency.finish('k', 'a', 'x')
  await stores.idempotency.release('k', 'a')
  await stores.idempotency.deleteOlderThan(1, 10)
  const tracked = { id: 't', applicationId: application, grantId: grant.id, options: {}, sealedLinks: 's' }
  await stores.tracking.insert(tracked)
  await stores.tracking.markSent(tracked, 'm')
  await stores.tracking.findLinks('t')
  await stores.tracking.optionsOf(grant.id, ['m'])
  await stores.tracking.lockSent(['t'], 1)
  await stores.tracking.clearActivity(1, 10)
  await stores.tracking.deleteOlderThan(1, 10)
  await stores.tracking.deleteUnsent(1, 10)
  await stores.replyWatches.claimDue(10, 1)
  await stores.replyWatches.lockThread(grant.id, 't')
  await stores.replyWatches.defer(['w'], 1)
  await stores.replyWatches.delete(['w'])
  await stores.draftTracking.find(grant.id, ['d'])
  await stores.draftTracking.put({ id: grant.id, applicationId: grant.applicationId }, 'd', null)
  const mailbox = { grantId: grant.id, account: 'a' }
  await stores.imapIndex.list(mailbox)
  await stores.imapIndex.add(mailbox, [{ path: 'INBOX', uidValidity: 1, rows: '' }])
  await stores.imapIndex.replace(mailbox, [])
  await stores.outbox.list(application, 10)
  const bounds = { since: 1, until: 2 }
  for (const filter of [{}, { action: 'a' }, { actor: 'a' }, { target: 't' }]) {
    await stores.audit.list({ applicationId: application, ...filter, ...bounds }, { limit: 10, beforeSeq: 9 })
    await stores.audit.list({ applicationId: null, ...filter }, { limit: 10, beforeSeq: 9 })
  }
  await stores.outbox.oldestUnsentSeconds()
  await stores.secrets.oldestDueRefreshMs()
  await stores.grants.countByStatus()
  await stores.webhooks.countByStatus()
  await stores.jobs.oldestDueMs('webhook.delivery')
  await stores.jobs.countByState('webhook.delivery', ['waiting', 'dead'])
}

/** Every combination of the filters that may fit a great part of all grants. */
const BROAD: readonly GrantFilter[] = [{}, { since: 1 }, { before: 2 }, { since: 1, before: 2 }].flatMap(
  (bounds) =>
    [{}, { provider: 'google' }].flatMap((provider) =>
      [{}, { status: 'valid' as const }].flatMap((status) =>
        [{}, { ip: '192.0.2.1' }].map((ip) => ({ ...bounds, ...provider, ...status, ...ip })),
      ),
    ),
)
/** Filters that fit a few grants whatever else is asked: these may be sorted after they are found. */
const NARROW: readonly GrantFilter[] = [{ email: 'a@b.c' }, { accountIds: ['a', 'b'] }].flatMap((narrow) =>
  BROAD.map((broad) => ({ ...broad, ...narrow })),
)

describe('query plans', () => {
  let folder: Awaited<ReturnType<typeof tempFolder>>
  let file: DatabaseSync
  before(async () => {
    folder = await tempFolder()
    const path = join(folder.path, 'grantway.db')
    const database = await openSqliteDatabase({
      path,
      clock: systemClock,
      ids: randomIds,
      logger: silentLogger,
    })
    await database.migrate()
    await database.close()
    file = new DatabaseSync(path)
  })
  after(async () => {
    file.close()
    await folder.remove()
  })

  const planOf = (statement: string) =>
    file
      .prepare(`explain query plan ${statement}`)
      .all()
      .map((step) => String(step['detail']))

  test('find every row of every store through an index', async () => {
    const statements = await statementsOf(everyReadAndChange)
    assert.ok(statements.length > 40)
    for (const statement of statements) {
      const scans = planOf(statement).filter(
        (step) => /^SCAN\b/.test(step) && !/USING (COVERING )?INDEX/.test(step) && !SMALL.test(step),
      )
      assert.deepEqual(scans, [], statement)
    }
  })

  test('find what waits through the index of just that, however much is kept besides', async () => {
    const kind = 'webhook.delivery'
    const claim = { kind, lane: 'l', limit: 1, holder: 'h', leaseMs: 1 } as const
    const rows: readonly (readonly [(stores: Stores) => Promise<unknown>, readonly string[]])[] = [
      [(stores) => stores.jobs.claim(claim), ['jobs_due']],
      [(stores) => stores.jobs.oldestDueMs(kind), ['jobs_oldest_due']],
      [(stores) => stores.outbox.takeUnsent(1), ['outbox_unsent']],
      [(stores) => stores.outbox.oldestUnsentSeconds(), ['outbox_unsent']],
      [(stores) => stores.grants.countByStatus(), ['grants_valid', 'grants_invalid']],
    ]
    for (const [call, indexes] of rows) {
      const statements = await statementsOf(call)
      assert.equal(statements.length, indexes.length)
      for (const [at, index] of indexes.entries()) {
        const plan = planOf(statements[at]!)
        assert.ok(
          plan.some((step) => new RegExp(`INDEX ${index}\\b`).test(step)),
          `${statements[at]}: ${plan.join(' / ')}`,
        )
      }
    }
  })

  for (const by of ['created_at', 'updated_at'] as const) {
    for (const order of ['asc', 'desc'] as const) {
      const page = { limit: 10, offset: 900_000, by, order }
      const plans = async (filter: GrantFilter) => {
        const statements = await statementsOf((stores) =>
          stores.grants.list(newApplicationId(), filter, page),
        )
        assert.equal(statements.length, 1)
        return planOf(statements[0]!)
      }

      test(`walk one covering index, in its order, for any broad page of grants by ${by} ${order}`, async () => {
        for (const filter of BROAD) {
          const plan = await plans(filter)
          const said = `${JSON.stringify(filter)}: ${plan.join(' / ')}`
          const [walk] = plan.filter((step) => /grants USING/.test(step) && !/\(id=\?\)/.test(step))
          assert.match(walk ?? '', new RegExp(`^SEARCH grants USING COVERING INDEX grants_\\w+_${by}`), said)
          // One sort at most: that of the page's own rows, after they were read.
          assert.ok(plan.filter((step) => step.includes('TEMP B-TREE')).length <= 1, said)
        }
      })

      test(`search by address or account for a narrow page of grants by ${by} ${order}`, async () => {
        for (const filter of NARROW) {
          const plan = await plans(filter)
          const said = `${JSON.stringify(filter)}: ${plan.join(' / ')}`
          assert.ok(
            plan.some((step) => /email_key=\?|account_id=\?/.test(step)),
            said,
          )
        }
      })
    }
  }
})
