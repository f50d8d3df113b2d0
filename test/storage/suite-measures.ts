import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { connectorId, type GrantId } from '../../src/contract/ids.ts'
import type { WebhookStatus } from '../../src/core/ports/records.ts'
import { aGrant, newApplicationId, someTokens } from './records.ts'
import type { Subject } from './suite.ts'

const kind = 'webhook.delivery'

/** What metrics ask of the stores. */
export function coversMeasures(subject: Subject): void {
  const stores = () => subject().database.stores

  async function secretDueAt(
    nextRefreshAtMs: number | null,
    of: { readonly connector: string; readonly secretFirst?: boolean },
  ): Promise<GrantId> {
    const grant = aGrant({ connectorId: connectorId(of.connector) })
    await subject().database.transaction(async (inside) => {
      const insertSecret = () =>
        inside.secrets.insert(grant.id, grant.applicationId, someTokens({ nextRefreshAtMs }))
      if (of.secretFirst) await insertSecret()
      await inside.grants.insert(grant)
      if (!of.secretFirst) await insertSecret()
    })
    return grant.id
  }

  /** Asserts that the oldest due refresh has been due since then, by the database's clock. */
  async function isOldestDue(sinceMs: number, anySecret: GrantId): Promise<void> {
    const nowMs = async () => (await stores().secrets.find(anySecret))?.readAtMs ?? 0
    const before = await nowMs()
    const ageMs = await stores().secrets.oldestDueRefreshMs()
    const after = await nowMs()
    assert.ok(ageMs !== null && ageMs >= before - sinceMs && ageMs <= after - sinceMs, `${ageMs}`)
  }

  test('tells the age of the oldest due refresh, whatever connector it is of', async () => {
    const ids = [
      await secretDueAt(1000, { connector: '0' }),
      await secretDueAt(2000, { connector: 'zzz' }),
      await secretDueAt(3000, { connector: 'm', secretFirst: true }),
      await secretDueAt(4000, { connector: '0' }),
    ]
    await secretDueAt(null, { connector: '1' })
    for (const [at, id] of ids.entries()) {
      await isOldestDue((at + 1) * 1000, id)
      await stores().secrets.replace(id, someTokens({ nextRefreshAtMs: null }))
    }
  })

  test('counts only the states it is asked for', async () => {
    const lane = randomUUID()
    const applicationId = newApplicationId()
    const enqueue = (dedupeKey: string) =>
      stores().jobs.enqueue([{ kind, lane, dedupeKey, applicationId, payload: {} }])
    const count = async (states?: readonly ('waiting' | 'done' | 'dead')[]) =>
      new Map((await stores().jobs.countByState(kind, states)).map((each) => [each.state, each.count]))
    const before = await count()
    await enqueue(`${lane}-a`)
    const [claimed] = await stores().jobs.claim({ kind, lane, limit: 1, holder: 'h', leaseMs: 1000 })
    assert.ok(claimed?.lease)
    const done = { kind: 'done', outcome: {} } as const
    await stores().jobs.settle([{ id: claimed.id, lease: claimed.lease, result: done }])
    await enqueue(`${lane}-b`)
    assert.equal(await stores().jobs.buryLane(kind, lane, {}, 1), 1)
    await enqueue(`${lane}-c`)
    const after = await count()
    for (const state of ['waiting', 'done', 'dead'] as const) {
      assert.equal(after.get(state), (before.get(state) ?? 0) + 1, state)
    }
    after.delete('done')
    assert.deepEqual(await count(['waiting', 'dead']), after)
  })

  test('counts destinations by status over every application', async () => {
    const count = async () =>
      new Map((await stores().webhooks.countByStatus()).map(({ status, count: each }) => [status, each]))
    const before = await count()
    const statuses: readonly WebhookStatus[] = ['active', 'active', 'pause', 'failing', 'failed']
    for (const status of statuses) {
      await stores().webhooks.insert({
        id: randomUUID(),
        applicationId: newApplicationId(),
        description: '',
        triggerTypes: ['grant.expired'],
        url: 'https://hooks.example.com/a',
        sealedSecret: 's',
        status,
        notificationEmailAddresses: [],
        compressedDelivery: false,
        statusUpdatedAt: 1,
        createdAt: 1,
        updatedAt: 1,
      })
    }
    const after = await count()
    const added = (status: WebhookStatus) => (after.get(status) ?? 0) - (before.get(status) ?? 0)
    assert.deepEqual([added('active'), added('pause'), added('failing'), added('failed')], [2, 1, 1, 1])
  })

  test('tells the age of the oldest event that is not fanned out', async () => {
    const takeAll = () =>
      subject().database.transaction(async (inside) => {
        while ((await inside.outbox.takeUnsent(1000)).length > 0);
      })
    await takeAll()
    assert.equal(await stores().outbox.oldestUnsentSeconds(), null)
    const grant = aGrant()
    for (const createdAt of [10, 20]) {
      await stores().outbox.insert({
        id: randomUUID(),
        applicationId: grant.applicationId,
        grantId: grant.id,
        trigger: 'grant.created',
        source: '/nylas/system',
        data: {},
        createdAt,
      })
    }
    const seconds = await stores().outbox.oldestUnsentSeconds()
    assert.ok(seconds !== null && seconds > 1_600_000_000, `${seconds}`)
    await takeAll()
    assert.equal(await stores().outbox.oldestUnsentSeconds(), null)
  })
}
