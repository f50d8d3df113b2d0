import assert from 'node:assert/strict'
import { test } from 'node:test'
import { anEvent, aGrant } from './records.ts'
import type { Subject } from './suite.ts'

const LONG_AGO = 1_600_000_000
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** Scheduled messages, kept bytes and uploads. */
export function coversScheduled(subject: Subject): void {
  const stores = () => subject().database.stores

  async function insertGrant() {
    const grant = aGrant()
    assert.equal(await stores().grants.insert(grant), true)
    return grant
  }
  async function insertSend(grant: ReturnType<typeof aGrant>, fields: { sendAt?: number } = {}) {
    const { id } = anEvent()
    const owner = { applicationId: grant.applicationId, grantId: grant.id }
    const send = { id, ...owner, sendAt: LONG_AGO, useDraft: false, sealedMessage: 'sealed', ...fields }
    await stores().scheduledSends.insert(send)
    return send
  }
  const claimOf = (grant: ReturnType<typeof aGrant>, holder = 'h') => ({
    grantId: grant.id,
    limit: 10,
    holder,
    holdMs: HOUR_MS,
  })

  test('one of many processes claims a due message, and only it may begin', async () => {
    const grant = await insertGrant()
    const send = await insertSend(grant)
    const second = await subject().other()
    const due = await stores().scheduledSends.dueGrants([], 1000)
    assert.deepEqual(
      due.find(({ grantId }) => grantId === grant.id),
      { grantId: grant.id, connectorId: grant.connectorId },
    )
    const without = await stores().scheduledSends.dueGrants([grant.id], 1000)
    assert.ok(without.every(({ grantId }) => grantId !== grant.id))
    const claims = await Promise.all(
      [stores(), second.stores, stores(), second.stores].map(({ scheduledSends }) =>
        scheduledSends.claim(claimOf(grant)),
      ),
    )
    const [claimed, ...others] = claims.flat()
    assert.equal(others.length, 0)
    assert.ok(claimed)
    const { lease, triedForMs, ...rest } = claimed
    assert.deepEqual(rest, { ...send, attempts: 1 })
    assert.ok(triedForMs >= 0 && triedForMs < HOUR_MS)
    assert.equal(await stores().scheduledSends.begin(send.id, 'another'), false)
    assert.equal(await stores().scheduledSends.begin(send.id, lease), true)
    assert.equal(await stores().scheduledSends.begin(send.id, lease), false)
    assert.equal((await stores().scheduledSends.find(grant.id, send.id, 0))?.state, 'sending')
  })

  test('what failed is due again later, and what is closed stays closed', async () => {
    const grant = await insertGrant()
    const { id } = await insertSend(grant)
    const { scheduledSends } = stores()
    const [first] = await scheduledSends.claim(claimOf(grant))
    assert.ok(first)
    await scheduledSends.begin(id, first.lease)
    assert.equal(await scheduledSends.retry(id, first.lease, { afterMs: 0, description: 'again' }), true)
    assert.equal(await scheduledSends.retry(id, first.lease, { afterMs: 0, description: 'again' }), false)
    assert.equal((await scheduledSends.find(grant.id, id, 0))?.description, 'again')
    const [second] = await scheduledSends.claim(claimOf(grant))
    assert.equal(second?.attempts, 2)
    assert.ok(second && second.lease !== first.lease)
    const failed = { state: 'failed', description: 'why' } as const
    assert.equal(await scheduledSends.close(id, first.lease, failed), false)
    assert.equal(await scheduledSends.close(id, second.lease, failed), true)
    assert.equal(await scheduledSends.close(id, second.lease, failed), false)
    assert.equal(await scheduledSends.retry(id, second.lease, { afterMs: 0, description: '' }), false)
    assert.equal(await scheduledSends.begin(id, second.lease), false)
    assert.equal((await scheduledSends.claim(claimOf(grant))).length, 0)
    const found = await scheduledSends.find(grant.id, id, HOUR_MS)
    assert.deepEqual([found?.state, found?.description], ['failed', 'why'])
    assert.ok((found?.closedAt ?? 0) > LONG_AGO)
    // A success that comes late corrects it, once.
    const success = { state: 'success', description: '' } as const
    assert.equal(await scheduledSends.close(id, second.lease, success), true)
    assert.equal(await scheduledSends.close(id, second.lease, success), false)
  })

  test('frees what a process had claimed, and tells what it was sending', async () => {
    const grant = await insertGrant()
    const sends = [await insertSend(grant), await insertSend(grant)]
    const { scheduledSends } = stores()
    const holder = `holder-${grant.id}`
    const claimed = await scheduledSends.claim(claimOf(grant, holder))
    const [sending] = claimed
    assert.equal(claimed.length, 2)
    assert.ok(sending)
    await scheduledSends.begin(sending.id, sending.lease)
    assert.ok((await scheduledSends.holders()).includes(holder))
    assert.equal(await scheduledSends.release(holder), 1)
    const [underWay, ...others] = await scheduledSends.underWay(holder)
    assert.deepEqual([underWay?.id, underWay?.lease, others.length], [sending.id, sending.lease, 0])
    assert.ok((underWay?.sendingAtMs ?? 0) > LONG_AGO * 1000)
    const [again] = await scheduledSends.claim(claimOf(grant))
    assert.equal(again?.id, sends.find(({ id }) => id !== sending.id)?.id)
    await scheduledSends.close(sending.id, sending.lease, { state: 'success', description: '' })
    assert.ok(!(await scheduledSends.holders()).includes(holder))
  })

  test('stops only what waits and is not due soon', async () => {
    const grant = await insertGrant()
    const { scheduledSends } = stores()
    const farAway = 4_000_000_000
    const later = await insertSend(grant, { sendAt: farAway })
    const due = await insertSend(grant)
    assert.deepEqual(
      (await scheduledSends.list(grant.id, 0, 10)).map(({ id }) => id),
      [due.id, later.id],
    )
    assert.equal(await scheduledSends.stop(aGrant().id, later.id, 0), false)
    assert.equal(await scheduledSends.stop(grant.id, due.id, 0), false)
    assert.equal(await scheduledSends.stop(grant.id, later.id, farAway * 1000), false)
    assert.equal(await scheduledSends.stop(grant.id, later.id, 10_000), true)
    assert.equal(await scheduledSends.find(grant.id, later.id, HOUR_MS), null)
    assert.equal(await scheduledSends.nextDueInMs(), 0)
    const { waiting, oldestDueMs } = await scheduledSends.backlog()
    assert.ok(waiting >= 1 && (oldestDueMs ?? 0) > HOUR_MS)
  })

  test('closed messages are found for a time, then deleted', async () => {
    const grant = await insertGrant()
    const { id } = await insertSend(grant)
    const { scheduledSends } = stores()
    const [claimed] = await scheduledSends.claim(claimOf(grant))
    await scheduledSends.close(id, claimed?.lease ?? '', { state: 'success', description: '' })
    const later = await subject().later(60 * DAY_MS)
    assert.equal(await later.stores.scheduledSends.find(grant.id, id, DAY_MS), null)
    assert.equal((await later.stores.scheduledSends.list(grant.id, DAY_MS, 9)).length, 0)
    assert.ok(await scheduledSends.find(grant.id, id, 1000 * DAY_MS))
    assert.ok((await later.stores.scheduledSends.deleteClosed(DAY_MS, 1000)) >= 1)
    assert.equal(await scheduledSends.find(grant.id, id, 1000 * DAY_MS), null)
  })

  test('keeps bytes piece by piece until they expire, unless their owner keeps them', async () => {
    const { id: grantId, applicationId } = await insertGrant()
    const { contents } = stores()
    const record = { id: `c-${grantId}`, applicationId, grantId, ownerId: `o-${grantId}`, sealedKey: 'k' }
    const short = { ...record, id: `s-${grantId}`, ownerId: `p-${grantId}` }
    await contents.insert(record, 0)
    await contents.insert(short, 0)
    const bytes = Buffer.from([0, 255, 0, 128, 39, 92])
    await contents.addPiece(record.id, 0, bytes)
    await contents.addPiece(record.id, 1, Buffer.alloc(600_000, 7))
    assert.equal((await contents.find(record.id))?.sizeBytes, null)
    assert.equal(await contents.finish(record.id, 600_006), true)
    assert.equal(await contents.finish('nothing', 1), false)
    assert.deepEqual(await contents.find(record.id), { ...record, sizeBytes: 600_006 })
    assert.ok(bytes.equals((await contents.piece(record.id, 0)) ?? Buffer.alloc(0)))
    assert.equal((await contents.piece(record.id, 1))?.length, 600_000)
    assert.equal(await contents.piece(record.id, 2), null)
    assert.equal(await contents.keep(record.ownerId), 1)
    assert.ok((await contents.deleteExpired(1000)) >= 1)
    assert.equal(await contents.find(short.id), null)
    assert.ok(await contents.find(record.id))
    await contents.removeOf(record.ownerId)
    assert.equal(await contents.piece(record.id, 0), null)
  })

  test('an upload takes bytes until it is completed or over', async () => {
    const { id: grantId, applicationId } = await insertGrant()
    const { uploads } = stores()
    const id = `u-${grantId}`
    const record = { id, applicationId, grantId, filename: 'é', contentType: 'x/y', announcedBytes: 3 }
    await uploads.insert({ ...record, tokenHash: 'hash' }, HOUR_MS)
    assert.equal(await uploads.complete(id, 'one'), false)
    assert.equal(await uploads.setContent(id, { id: 'one', sizeBytes: 3 }), true)
    assert.equal(await uploads.setContent(id, { id: 'two', sizeBytes: 157_286_400 }), true)
    assert.equal(await uploads.complete(id, 'one'), false)
    assert.equal(await uploads.complete(id, 'two'), true)
    assert.equal(await uploads.setContent(id, { id: 'three', sizeBytes: 3 }), false)
    const found = await uploads.find(id)
    assert.deepEqual(found, {
      ...record,
      tokenHash: 'hash',
      state: 'ready',
      content: { id: 'two', sizeBytes: 157_286_400 },
      expiresAt: found?.expiresAt,
      isExpired: false,
    })
    const later = await subject().later(70 * DAY_MS)
    assert.equal((await later.stores.uploads.find(id))?.isExpired, true)
    assert.ok((await later.stores.uploads.deleteExpired(0, 1000)) >= 1)
    assert.equal(await uploads.find(id), null)
  })

  test('all of them go with their grant', async () => {
    const grant = await insertGrant()
    const { id: grantId, applicationId } = grant
    const send = await insertSend(grant)
    const content = { id: `c-${grantId}`, applicationId, grantId, ownerId: 'o', sealedKey: 'k' }
    await stores().contents.insert(content, HOUR_MS)
    await stores().contents.addPiece(content.id, 0, Buffer.from('x'))
    const names = { filename: 'a', contentType: 'x/y', announcedBytes: 0, tokenHash: 'h' }
    await stores().uploads.insert({ id: `u-${grantId}`, applicationId, grantId, ...names }, HOUR_MS)
    assert.equal(await stores().grants.delete(applicationId, grantId), true)
    assert.equal(await stores().scheduledSends.find(grantId, send.id, 0), null)
    assert.equal(await stores().contents.piece(content.id, 0), null)
    assert.equal(await stores().uploads.find(`u-${grantId}`), null)
  })
}
