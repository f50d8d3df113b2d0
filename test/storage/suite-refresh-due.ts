import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { type ConnectorId, connectorId, type GrantId } from '../../src/contract/ids.ts'
import { aGrant, anAttempt, someTokens } from './records.ts'
import type { Subject } from './suite.ts'

const HOUR_MS = 3_600_000
/** `later` counts from the opening of the database; suite-queue.ts, which runs before, looks from less. */
const LATER_MS = 6 * 24 * HOUR_MS
/** Past on every clock of the suite, and the far future. */
const DUE_MS = 1_600_000_000_000
const FAR_MS = 4_000_000_000_000

/** When grants are next refreshed in the background: claims, the schedule, and what use does to it. */
export function coversRefreshDue(subject: Subject): void {
  const secrets = () => subject().database.stores.secrets
  const newConnector = () => connectorId(randomUUID())

  async function aSecret(connector: ConnectorId, nextRefreshAtMs: number | null, more: object = {}) {
    const grant = aGrant({ connectorId: connector })
    await subject().database.stores.grants.insert(grant)
    const tokens = someTokens({ nextRefreshAtMs, ...more })
    await secrets().insert(grant.id, grant.applicationId, tokens)
    return grant
  }
  const claim = (connector: ConnectorId, limit = 10, holdMs = 60_000, database = subject().database) =>
    database.stores.secrets.claimDue({ connectorId: connector, limit, holdMs })
  const nextOf = async (id: GrantId) => (await secrets().find(id))?.nextRefreshAtMs
  const isDue = async (connector: ConnectorId) =>
    (await secrets().dueConnectors('', 10_000)).includes(connector)

  test('names the connectors that have a refresh due, in order and in pages', async () => {
    const [one, two, idle, out] = [newConnector(), newConnector(), newConnector(), newConnector()].toSorted()
    assert.ok(one && two && idle && out)
    await aSecret(two, DUE_MS)
    await aSecret(two, FAR_MS)
    await aSecret(one, DUE_MS + 1)
    await aSecret(idle, FAR_MS)
    await aSecret(out, null)
    const found = await secrets().dueConnectors('', 10_000)
    assert.deepEqual(
      found.filter((id) => [one, two, idle, out].includes(id)),
      [one, two],
    )
    const paged: ConnectorId[] = []
    for (let after = ''; ; after = paged.at(-1) ?? '') {
      const page = await secrets().dueConnectors(after, 1)
      if (page.length === 0) break
      paged.push(...page)
    }
    assert.deepEqual(paged, found)
  })

  test('claims the oldest due first and no more than asked for', async () => {
    const connector = newConnector()
    const newer = await aSecret(connector, DUE_MS + 5)
    const older = await aSecret(connector, DUE_MS)
    await aSecret(connector, FAR_MS)
    await aSecret(newConnector(), DUE_MS)
    assert.deepEqual(await claim(connector, 1), [
      { grantId: older.id, applicationId: older.applicationId, version: 1 },
    ])
    assert.deepEqual(
      (await claim(connector)).map(({ grantId }) => grantId),
      [newer.id],
    )
    assert.deepEqual(await claim(connector), [])
    assert.equal(await isDue(connector), false)
  })

  test('gives a due refresh to one of many who claim at once, and again when its hold is over', async () => {
    const connector = newConnector()
    for (let i = 0; i < 10; i++) await aSecret(connector, DUE_MS)
    const handles = [subject().database, await subject().other()]
    const claims = await Promise.all(
      Array.from({ length: 8 }, (_, at) => claim(connector, 3, HOUR_MS, handles[at % 2])),
    )
    // Who comes while all it looks at is locked gets none and comes again.
    const taken = [...claims.flat(), ...(await claim(connector, 10, HOUR_MS))].map(({ grantId }) => grantId)
    assert.equal(taken.length, 10)
    assert.equal(new Set(taken).size, 10)
    const later = await subject().later(LATER_MS)
    assert.equal((await claim(connector, 100, HOUR_MS, later)).length, 10)
  })

  test('takes grants out of the schedule until they get a new secret', async () => {
    const connector = newConnector()
    const grant = await aSecret(connector, DUE_MS)
    await secrets().unschedule([])
    await secrets().unschedule([grant.id], 2)
    assert.equal(await nextOf(grant.id), DUE_MS)
    await secrets().unschedule([grant.id], 1)
    assert.equal(await nextOf(grant.id), null)
    assert.deepEqual(await claim(connector), [])
    await secrets().noteUses([{ grantId: grant.id, version: 1, refreshDueMs: DUE_MS }])
    assert.equal(await nextOf(grant.id), null)
    await secrets().replace(grant.id, someTokens({ nextRefreshAtMs: DUE_MS }))
    assert.equal((await claim(connector))[0]?.version, 2)
    await secrets().unschedule([grant.id])
    assert.equal(await nextOf(grant.id), null)
  })

  test('moves the next refresh with a failed attempt, of a scheduled grant only', async () => {
    const connector = newConnector()
    const [scheduled, not] = [await aSecret(connector, DUE_MS), await aSecret(connector, null)]
    for (const [grant, end] of [
      [scheduled, 'closeAttempt'],
      [not, 'freeLease'],
    ] as const) {
      const attempt = anAttempt()
      const lease = { grantId: grant.id, version: 1, expectedAttempt: null, attempt, leaseMs: 1000 }
      assert.equal(await secrets().takeLease(lease), true)
      const outcome = { failures: 1, coolDownMs: 1000, nextRefreshInMs: HOUR_MS }
      assert.equal(await secrets()[end](grant.id, attempt.id, outcome), true)
    }
    const found = await secrets().find(scheduled.id)
    const waitMs = (found?.nextRefreshAtMs ?? 0) - (found?.readAtMs ?? 0)
    assert.ok(waitMs > HOUR_MS - 60_000 && waitMs <= HOUR_MS, String(waitMs))
    assert.equal(await nextOf(not.id), null)
  })

  test('schedules an unasked refresh as idle unless the grant was used lately', async () => {
    const connector = newConnector()
    const used = await aSecret(connector, DUE_MS)
    const imported = await aSecret(connector, DUE_MS, { sealedAccessToken: null, accessExpiresAt: null })
    const refresh = async (id: GrantId, version: number, unasked: boolean) => {
      const attempt = anAttempt()
      const lease = { grantId: id, version, expectedAttempt: null, attempt, leaseMs: 1000 }
      assert.equal(await secrets().takeLease(lease), true)
      const tokens = someTokens({ nextRefreshAtMs: FAR_MS })
      const schedule = { inUseMs: 24 * HOUR_MS, idleRefreshAtMs: FAR_MS + 7 }
      const stored = await secrets().store(
        id,
        version,
        attempt.id,
        tokens,
        ...(unasked ? ([schedule] as const) : []),
      )
      assert.equal(stored, true)
      return nextOf(id)
    }
    assert.equal(await refresh(used.id, 1, true), FAR_MS)
    assert.equal(await refresh(imported.id, 1, true), FAR_MS + 7)
    assert.equal(await refresh(imported.id, 2, false), FAR_MS)
    assert.equal(await refresh(imported.id, 3, true), FAR_MS)
  })

  test('brings the refresh of an idle grant forward when it is used, never back', async () => {
    const connector = newConnector()
    const expires = 3_000_000_000
    const idle = await aSecret(connector, FAR_MS, { accessExpiresAt: expires })
    const other = await aSecret(connector, FAR_MS, { accessExpiresAt: expires })
    const soon = await aSecret(connector, DUE_MS, { accessExpiresAt: expires })
    const aheadMs = (expires - 600) * 1000
    await secrets().noteUses([
      { grantId: soon.id, version: 1, refreshDueMs: aheadMs },
      { grantId: idle.id, version: 1, refreshDueMs: aheadMs },
      // of an older token than the stored one
      { grantId: other.id, version: 0, refreshDueMs: DUE_MS },
    ])
    assert.equal(await nextOf(idle.id), aheadMs)
    assert.equal(await nextOf(soon.id), DUE_MS)
    assert.equal(await nextOf(other.id), (expires - 300) * 1000)
  })
}
