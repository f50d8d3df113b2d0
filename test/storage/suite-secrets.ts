import assert from 'node:assert/strict'
import { test } from 'node:test'
import { grantId } from '../../src/contract/ids.ts'
import type { Database } from '../../src/core/ports/stores.ts'
import { aGrant, anAttempt, someTokens } from './records.ts'
import type { Subject } from './suite.ts'

const LEASE_MS = 30_000

export function coversSecrets(subject: Subject): void {
  const secrets = () => subject().database.stores.secrets

  async function aSecret() {
    const grant = aGrant()
    await subject().database.stores.grants.insert(grant)
    await secrets().insert(grant.id, grant.applicationId, someTokens())
    return grant.id
  }

  const lease = (grant: ReturnType<typeof grantId>, attempt = anAttempt()) => ({
    grantId: grant,
    version: 1,
    expectedAttempt: null as string | null,
    attempt,
    leaseMs: LEASE_MS,
  })

  test('keeps a secret whole and tells the clock it was read by', async () => {
    const grant = aGrant()
    const tokens = someTokens({ sealedSuperseded: 'old' })
    await subject().database.transaction(async (inside) => {
      // Before its grant: the reference is checked at the end.
      await inside.secrets.insert(grant.id, grant.applicationId, tokens)
      await inside.grants.insert(grant)
    })
    const found = await secrets().find(grant.id)
    assert.ok(found && Number.isInteger(found.readAtMs) && found.readAtMs > 1_600_000_000_000)
    assert.deepEqual(found, {
      grantId: grant.id,
      applicationId: grant.applicationId,
      version: 1,
      ...tokens,
      leaseUntilMs: null,
      attempt: null,
      failures: 0,
      coolDownUntilMs: null,
      readAtMs: found.readAtMs,
    })
    assert.equal(await secrets().find(grantId('none')), null)
  })

  test('gives the lease to one of many who ask at once', async () => {
    const handles = [subject().database, await subject().other()]
    for (let round = 0; round < 5; round++) {
      const grant = await aSecret()
      const attempts = Array.from({ length: 50 }, () => anAttempt())
      const won = await Promise.all(
        attempts.map((attempt, at) => handles[at % 2]!.stores.secrets.takeLease(lease(grant, attempt))),
      )
      assert.equal(won.filter(Boolean).length, 1)
      const found = await secrets().find(grant)
      const winner = attempts[won.indexOf(true)]!
      assert.equal(found?.attempt?.id, winner.id)
      assert.equal(found.attempt.holder, winner.holder)
      assert.equal(found.leaseUntilMs! - found.attempt.startedAtMs <= LEASE_MS + 1, true)
      assert.equal(found.leaseUntilMs! - found.readAtMs <= LEASE_MS, true)
    }
  })

  test('gives the lease away again only when its time is over, to who knows the open attempt', async () => {
    const grant = await aSecret()
    const first = anAttempt()
    assert.equal(await secrets().takeLease({ ...lease(grant), version: 2 }), false)
    assert.equal(await secrets().takeLease({ ...lease(grant), expectedAttempt: 'other' }), false)
    assert.equal(await secrets().takeLease(lease(grant, first)), true)
    assert.equal(await secrets().takeLease({ ...lease(grant), expectedAttempt: first.id }), false)
    const afterwards = (await subject().later(LEASE_MS + 1000)).stores.secrets
    assert.equal(await afterwards.takeLease(lease(grant)), false)
    const second = anAttempt()
    assert.equal(await afterwards.takeLease({ ...lease(grant, second), expectedAttempt: first.id }), true)
    assert.equal(await afterwards.store(grant, 1, first.id, someTokens()), false)
    assert.equal(await afterwards.closeAttempt(grant, first.id, { failures: 9, coolDownMs: 9 }), false)
    assert.equal(await afterwards.freeLease(grant, first.id, { failures: 9, coolDownMs: 9 }), false)
    const tokens = someTokens()
    assert.equal(await afterwards.store(grant, 2, second.id, tokens), false)
    assert.equal(await afterwards.store(grant, 1, second.id, tokens), true)
    assert.equal(await afterwards.store(grant, 1, second.id, someTokens()), false)
    const found = await afterwards.find(grant)
    assert.equal(found?.version, 2)
    assert.equal(found.sealedSecret, tokens.sealedSecret)
    assert.equal(found.attempt, null)
    assert.equal(found.leaseUntilMs, null)
  })

  test('gives the lease of a holder known to be gone at once, to one who saw its attempt', async () => {
    const grant = await aSecret()
    const [dead, next] = [anAttempt(), anAttempt()]
    await secrets().takeLease(lease(grant, dead))
    const takeOver = { ...lease(grant, next), holderIsGone: true }
    assert.equal(await secrets().takeLease({ ...takeOver, expectedAttempt: 'other' }), false)
    assert.equal(await secrets().takeLease({ ...takeOver, expectedAttempt: dead.id }), true)
    assert.equal(await secrets().takeLease({ ...takeOver, expectedAttempt: dead.id }), false)
    assert.equal(await secrets().store(grant, 1, dead.id, someTokens()), false)
  })

  test('closes an attempt: nothing open, lease free, cool-down from the database clock', async () => {
    const grant = await aSecret()
    const attempt = anAttempt()
    await secrets().takeLease(lease(grant, attempt))
    assert.equal(await secrets().closeAttempt(grant, attempt.id, { failures: 3, coolDownMs: 5000.5 }), true)
    const found = await secrets().find(grant)
    assert.equal(found?.attempt, null)
    assert.equal(found?.leaseUntilMs, null)
    assert.equal(found?.failures, 3)
    assert.ok(Number.isInteger(found.coolDownUntilMs))
    assert.ok(found.coolDownUntilMs! - found.readAtMs <= 5001)
    assert.ok(found.coolDownUntilMs! > found.readAtMs - 60_000)
    const next = anAttempt()
    assert.equal(await secrets().takeLease(lease(grant, next)), true)
    assert.equal(await secrets().store(grant, 1, next.id, someTokens()), true)
    assert.equal((await secrets().find(grant))?.failures, 0)
    assert.equal((await secrets().find(grant))?.coolDownUntilMs, null)
  })

  test('frees a lease and leaves the attempt open', async () => {
    const grant = await aSecret()
    const attempt = anAttempt()
    await secrets().takeLease(lease(grant, attempt))
    assert.equal(await secrets().freeLease(grant, attempt.id, { failures: 1, coolDownMs: 0 }), true)
    const found = await secrets().find(grant)
    assert.equal(found?.attempt?.id, attempt.id)
    assert.equal(found.leaseUntilMs, null)
    assert.equal(found.coolDownUntilMs, null)
    assert.equal(await secrets().takeLease(lease(grant)), false)
    assert.equal(await secrets().takeLease({ ...lease(grant), expectedAttempt: attempt.id }), true)
  })

  test('replaces the secret whatever stands there, and fences the open attempt off', async () => {
    const grant = await aSecret()
    const attempt = anAttempt()
    await secrets().takeLease(lease(grant, attempt))
    await secrets().freeLease(grant, attempt.id, { failures: 4, coolDownMs: 1000 })
    const tokens = someTokens({ sealedAccessToken: null, accessExpiresAt: null, nextRefreshAtMs: null })
    assert.equal(await secrets().replace(grant, tokens), 2)
    assert.equal(await secrets().store(grant, 1, attempt.id, someTokens()), false)
    assert.equal(await secrets().store(grant, 2, attempt.id, someTokens()), false)
    const { readAtMs: _, grantId: __, applicationId: ___, ...found } = (await secrets().find(grant))!
    assert.deepEqual(found, {
      version: 2,
      ...tokens,
      leaseUntilMs: null,
      attempt: null,
      failures: 0,
      coolDownUntilMs: null,
    })
  })

  test('counts up under concurrent replacements', async () => {
    const grant = await aSecret()
    const handles: readonly Database[] = [subject().database, await subject().other()]
    const versions = await Promise.all(
      Array.from({ length: 20 }, (_, at) => handles[at % 2]!.stores.secrets.replace(grant, someTokens())),
    )
    assert.deepEqual(
      versions.toSorted((a, b) => a - b),
      Array.from({ length: 20 }, (_, at) => at + 2),
    )
  })

  test('replaces the secret of a grant that has none yet, and refuses that of no grant', async () => {
    const grant = aGrant()
    await subject().database.stores.grants.insert(grant)
    assert.equal(await secrets().replace(grant.id, someTokens()), 1)
    assert.equal((await secrets().find(grant.id))?.applicationId, grant.applicationId)
    await assert.rejects(secrets().replace(grantId('none'), someTokens()), { type: 'grant.not_found' })
  })
}
