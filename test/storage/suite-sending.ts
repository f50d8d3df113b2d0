import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aGrant } from './records.ts'
import type { Subject } from './suite.ts'

const HOUR_MS = 3_600_000

/** Keys of requests that are carried out once, and tracking of drafts. */
export function coversSending(subject: Subject): void {
  const stores = () => subject().database.stores

  async function insertClaim() {
    const grant = aGrant()
    assert.equal(await stores().grants.insert(grant), true)
    const { id: grantId, applicationId } = grant
    return { id: `key-${grantId}`, applicationId, grantId, attemptId: 'first', payloadHash: 'p' }
  }

  test('one of many requests takes a key, in two processes at once', async () => {
    const claim = await insertClaim()
    const second = await subject().other()
    const claims = await Promise.all(
      [stores(), second.stores, stores(), second.stores].map(({ idempotency }, index) =>
        idempotency.claim({ ...claim, attemptId: `a${index}` }, HOUR_MS),
      ),
    )
    assert.equal(claims.filter((found) => found === null).length, 1)
    for (const found of claims) {
      if (found) assert.deepEqual([found.payloadHash, found.sealedAnswer], ['p', null])
    }
  })

  test('only the attempt that holds a key answers it or gives it free', async () => {
    const claim = await insertClaim()
    const { idempotency } = stores()
    assert.equal(await idempotency.claim(claim, HOUR_MS), null)
    assert.equal(await idempotency.finish(claim.id, 'another', 'x'), false)
    await idempotency.release(claim.id, 'another')
    assert.equal(await idempotency.finish(claim.id, 'first', 'sealed'), true)
    const found = await idempotency.claim({ ...claim, attemptId: 'second', payloadHash: 'q' }, HOUR_MS)
    assert.deepEqual([found?.payloadHash, found?.sealedAnswer], ['p', 'sealed'])
    assert.ok((found?.ageMs ?? -1) >= 0)
    await idempotency.release(claim.id, 'first')
    assert.equal(await idempotency.claim(claim, HOUR_MS), null)
  })

  test('a key that is too old counts as never used, and is deleted', async () => {
    const claim = await insertClaim()
    const { idempotency } = stores()
    await idempotency.claim(claim, HOUR_MS)
    assert.equal(await idempotency.claim({ ...claim, attemptId: 'second' }, 0), null)
    assert.equal(await idempotency.finish(claim.id, 'first', 'late'), false)
    await idempotency.deleteOlderThan(HOUR_MS, 1000)
    assert.equal(await idempotency.finish(claim.id, 'second', 'in time'), true)
    assert.ok((await idempotency.deleteOlderThan(0, 1000)) >= 1)
    assert.equal(await idempotency.finish(claim.id, 'second', 'late'), false)
  })

  test('keeps the tracking of drafts, and lets it go', async () => {
    const { grantId, applicationId } = await insertClaim()
    const grant = { id: grantId, applicationId }
    const longId = `<${'é'.repeat(3_000)}@x>`
    const { draftTracking } = stores()
    await draftTracking.put(grant, longId, { opens: true })
    await draftTracking.put(grant, longId, { links: true, label: '"' })
    assert.deepEqual(
      await draftTracking.find(grantId, [longId, 'none']),
      new Map([[longId, { links: true, label: '"' }]]),
    )
    await draftTracking.put(grant, longId, null)
    await draftTracking.put(grant, longId, null)
    assert.equal((await draftTracking.find(grantId, [longId])).size, 0)
  })

  test('both go with their grant', async () => {
    const claim = await insertClaim()
    const { idempotency, draftTracking, grants } = stores()
    await idempotency.claim(claim, HOUR_MS)
    await draftTracking.put({ id: claim.grantId, applicationId: claim.applicationId }, 'd', { opens: true })
    assert.equal(await grants.delete(claim.applicationId, claim.grantId), true)
    assert.equal(await idempotency.finish(claim.id, 'first', 'x'), false)
    assert.equal((await draftTracking.find(claim.grantId, ['d'])).size, 0)
  })
}
