import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TrackingActivity } from '../../src/core/ports/mail-stores-tracking.ts'
import { aGrant } from './records.ts'
import type { Subject } from './suite.ts'

const DAY_MS = 24 * 3_600_000
/** What was made just now is older than that, too. */
const ANY_AGE_MS = -1000
const ACTIVITY: TrackingActivity = {
  opens: 1,
  lastOpenMs: 5,
  clicks: 1,
  links: [{ link: 2, count: 1 }],
  recentOpens: [{ id: 0, ip: '203.0.113.0', userAgent: 'é', at: 1 }],
  recentClicks: [{ id: 0, ip: '', userAgent: '', at: 1, position: 0 }],
}

/** Tracked messages, and threads that are watched for replies. */
export function coversTracking(subject: Subject): void {
  const stores = () => subject().database.stores
  let made = 0

  async function newBody() {
    const grant = aGrant()
    assert.equal(await stores().grants.insert(grant), true)
    made += 1
    const options = { opens: true, label: 'é' }
    const { id: grantId, applicationId } = grant
    return { id: `tracked-${grantId}-${made}`, applicationId, grantId, options, sealedLinks: 'g1.k.x' }
  }

  test('keeps links before the message is sent, and counts only from then on', async () => {
    const body = await newBody()
    const { tracking } = stores()
    await tracking.insert(body)
    await tracking.insert({ ...body, sealedLinks: 'g1.k.another' })
    assert.deepEqual(await tracking.findLinks(body.id), {
      applicationId: body.applicationId,
      sealedLinks: 'g1.k.x',
    })
    assert.deepEqual(await tracking.lockSent([body.id], DAY_MS), [])
    const messageId = `<${'m'.repeat(5000)}>`
    await tracking.markSent(body, messageId)
    await tracking.markSent(body, 'another')
    assert.deepEqual(await tracking.lockSent([body.id, 'none'], DAY_MS), [
      { ...body, messageId, activity: null },
    ])
    assert.deepEqual(
      [...(await tracking.optionsOf(body.grantId, [messageId, 'x']))],
      [[messageId, body.options]],
    )
    assert.deepEqual([...(await tracking.optionsOf(body.grantId, ['another']))], [])
    assert.equal(await tracking.findLinks('none'), null)
  })

  test('makes the row of a sent message where it is missing', async () => {
    const body = await newBody()
    await stores().tracking.markSent(body, 'm1')
    assert.equal((await stores().tracking.lockSent([body.id], DAY_MS))[0]?.messageId, 'm1')
  })

  test('keeps activity until it is too old, and links longer', async () => {
    const body = await newBody()
    const { tracking } = stores()
    await tracking.markSent(body, 'm1')
    await tracking.putActivity(body.id, ACTIVITY)
    assert.deepEqual((await tracking.lockSent([body.id], DAY_MS))[0]?.activity, ACTIVITY)
    await tracking.clearActivity(DAY_MS, 1000)
    assert.deepEqual((await tracking.lockSent([body.id], DAY_MS))[0]?.activity, ACTIVITY)
    assert.deepEqual(await tracking.lockSent([body.id], ANY_AGE_MS), [])
    assert.ok((await tracking.clearActivity(ANY_AGE_MS, 1000)) >= 1)
    assert.equal((await tracking.lockSent([body.id], DAY_MS))[0]?.activity, null)
    await tracking.deleteUnsent(ANY_AGE_MS, 1000)
    await tracking.deleteOlderThan(DAY_MS, 1000)
    assert.ok(await tracking.findLinks(body.id))
    assert.ok((await tracking.deleteOlderThan(ANY_AGE_MS, 1000)) >= 1)
    assert.equal(await tracking.findLinks(body.id), null)
  })

  test('deletes what was never sent, and everything with its grant', async () => {
    const [unsent, sent] = [await newBody(), await newBody()]
    const { tracking, replyWatches, grants } = stores()
    await tracking.insert(unsent)
    await tracking.markSent(sent, 'm1')
    await replyWatches.insert({ ...sent, threadId: 't', messageId: 'm1', sentAt: 1, label: '' }, 0)
    await replyWatches.addReply(sent.id, 'm2')
    await tracking.deleteUnsent(DAY_MS, 1000)
    assert.ok(await tracking.findLinks(unsent.id))
    assert.ok((await tracking.deleteUnsent(ANY_AGE_MS, 1000)) >= 1)
    assert.equal(await tracking.findLinks(unsent.id), null)
    assert.ok(await tracking.findLinks(sent.id))
    await grants.delete(sent.applicationId, sent.grantId)
    assert.equal(await tracking.findLinks(sent.id), null)
    assert.deepEqual(await replyWatches.lockThread(sent.grantId, 't'), [])
  })

  test('one process claims a due watch, and each reply counts once', async () => {
    const body = await newBody()
    const { replyWatches } = stores()
    const { id, applicationId, grantId } = body
    const watch = {
      id,
      applicationId,
      grantId,
      threadId: 't'.repeat(5000),
      messageId: 'm1',
      sentAt: 7,
      label: 'L',
    }
    assert.equal(await replyWatches.insert(watch, DAY_MS), true)
    assert.equal(await replyWatches.insert(watch, 0), false)
    const claimsOf = (claimed: readonly { readonly id: string }[]) =>
      claimed.filter((each) => each.id === id).length
    assert.equal(claimsOf(await replyWatches.claimDue(1000, DAY_MS)), 0)
    await replyWatches.defer([id], 0)
    const second = await subject().other()
    const claims = await Promise.all(
      [replyWatches, second.stores.replyWatches].map((each) => each.claimDue(1000, DAY_MS)),
    )
    const own = claims.flat().filter((each) => each.id === id)
    assert.equal(own.length, 1)
    const { quietMs = -1, ageMs = -1, ...claimed } = own[0] ?? {}
    assert.deepEqual(claimed, { ...watch, replies: 0 })
    assert.ok(quietMs >= 0 && ageMs >= 0)
    assert.equal(await replyWatches.addReply(id, 'r1'), 1)
    assert.equal(await second.stores.replyWatches.addReply(id, 'r1'), null)
    assert.equal(await replyWatches.addReply(id, 'r2'), 2)
    assert.deepEqual(await replyWatches.lockThread(grantId, watch.threadId), [{ ...watch, replies: 2 }])
    assert.deepEqual(await replyWatches.lockThread(grantId, 'other'), [])
    await replyWatches.delete([id])
    assert.deepEqual(await replyWatches.lockThread(grantId, watch.threadId), [])
  })
}
