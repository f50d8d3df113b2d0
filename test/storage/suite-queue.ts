import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { grantId } from '../../src/contract/ids.ts'
import type { NewJob, WebhookStore } from '../../src/core/ports/event-stores.ts'
import type { OutboxEvent, WebhookRecord } from '../../src/core/ports/records.ts'
import { newApplicationId } from './records.ts'
import type { Subject } from './suite.ts'

const kind = 'webhook.delivery'
/** `later` counts from the opening of the database: each test looks from a later day than those before it. */
const DAY_MS = 86_400_000

/** Events, the queue, destinations, shared limits and the audit log. */
export function coversQueue(subject: Subject): void {
  const stores = () => subject().database.stores
  const job = (lane: string, key: string = randomUUID(), delayMs = 0): NewJob => ({
    kind,
    lane,
    dedupeKey: key,
    applicationId: newApplicationId(),
    payload: { key },
    delayMs,
  })
  const claim = (lane: string, limit = 10, holder = 'h1') =>
    stores().jobs.claim({ kind, lane, limit, holder, leaseMs: 30_000 })

  test('keeps the first of two jobs with one dedupe key', async () => {
    const lane = randomUUID()
    assert.equal(await stores().jobs.enqueue([job(lane, `${lane}-a`), job(lane, `${lane}-b`)]), 2)
    assert.equal(await stores().jobs.enqueue([job(lane, `${lane}-a`), job(lane, `${lane}-c`)]), 1)
    const found = await stores().jobs.findByKeys(kind, [`${lane}-c`, `${lane}-x`, `${lane}-a`])
    assert.deepEqual(found.map(({ dedupeKey }) => dedupeKey).toSorted(), [`${lane}-a`, `${lane}-c`])
    assert.deepEqual(await stores().jobs.findByKeys(kind, []), [])
    assert.deepEqual(
      (await claim(lane)).map(({ dedupeKey }) => dedupeKey),
      [`${lane}-a`, `${lane}-b`, `${lane}-c`],
    )
  })

  test('gives a job to one of two claimants, and again when its lease is over', async () => {
    const lane = randomUUID()
    await stores().jobs.enqueue([job(lane)])
    const other = await subject().other()
    const claims = await Promise.all(
      [subject().database, other].map(({ stores: { jobs } }) =>
        jobs.claim({ kind, lane, limit: 5, holder: 'h1', leaseMs: 30_000 }),
      ),
    )
    assert.equal(claims.flat().length, 1)
    assert.deepEqual(await claim(lane), [])
    const later = await subject().later(2 * DAY_MS)
    const [again] = await later.stores.jobs.claim({ kind, lane, limit: 5, holder: 'h2', leaseMs: 30_000 })
    assert.equal(again?.attempts, 2)
    const [first] = claims.flat()
    assert.ok(first?.lease && again?.lease)
    const done = { kind: 'done', outcome: { status: 200 } } as const
    assert.equal(await stores().jobs.settle([{ id: first.id, lease: first.lease, result: done }]), 0)
    assert.equal(await stores().jobs.settle([{ id: again.id, lease: again.lease, result: done }]), 1)
    const settled = await stores().jobs.find(kind, lane, first.id)
    assert.equal(settled?.state, 'done')
    assert.deepEqual(settled?.outcome, { status: 200 })
  })

  test('frees at once what a dead process holds', async () => {
    const lane = randomUUID()
    const holder = randomUUID()
    await stores().jobs.enqueue([job(lane), job(lane)])
    assert.equal((await claim(lane, 1, holder)).length, 1)
    assert.ok((await stores().jobs.leaseHolders()).includes(holder))
    assert.equal(await stores().jobs.releaseHolder(holder), 1)
    assert.ok(!(await stores().jobs.leaseHolders()).includes(holder))
    assert.equal((await claim(lane)).length, 2)
  })

  test('retries after the given time, buries, and lets a dead job wait again', async () => {
    const lane = randomUUID()
    await stores().jobs.enqueue([job(lane)])
    const [first] = await claim(lane)
    assert.ok(first?.lease)
    const retry = { kind: 'retry', afterMs: 60_000, outcome: { status: 503 } } as const
    await stores().jobs.settle([{ id: first.id, lease: first.lease, result: retry }])
    assert.deepEqual(await claim(lane), [])
    assert.deepEqual((await stores().jobs.find(kind, lane, first.id))?.outcome, { status: 503 })
    assert.equal(await stores().jobs.buryLane(kind, lane, { error: 'stopped' }, 100), 1)
    assert.deepEqual(
      (await stores().jobs.list({ kind, lane, state: 'dead', limit: 5 })).map(({ id }) => id),
      [first.id],
    )
    assert.equal(await stores().jobs.requeue(kind, lane, [first.id]), 1)
    assert.equal(await stores().jobs.requeue(kind, lane, [first.id]), 0)
    assert.equal((await claim(lane))[0]?.attempts, 1)
  })

  test('names the lanes that have due jobs, whatever their backlog, and only those', async () => {
    const [a, b, c] = ['a', 'b', 'c'].map((name) => `${name}-${randomUUID()}`)
    assert.ok(a && b && c)
    await stores().jobs.enqueue([job(a), job(a), job(b, randomUUID(), 60_000), job(c)])
    const lanes = await stores().jobs.dueLanes(kind, '', 1000)
    assert.deepEqual(
      lanes.filter((lane) => [a, b, c].includes(lane)),
      [a, c],
    )
    assert.ok(!(await stores().jobs.dueLanes(kind, a, 1000)).includes(a))
    assert.ok((await stores().jobs.oldestDueMs(kind)) !== null)
  })

  test('lists deliveries newest first, by state and by time', async () => {
    const lane = randomUUID()
    await stores().jobs.enqueue([job(lane, `${lane}1`), job(lane, `${lane}2`), job(lane, `${lane}3`)])
    const all = await stores().jobs.list({ kind, lane, limit: 10 })
    assert.deepEqual(
      all.map(({ dedupeKey }) => dedupeKey),
      [`${lane}3`, `${lane}2`, `${lane}1`],
    )
    const [newest] = all
    assert.ok(newest)
    assert.equal((await stores().jobs.list({ kind, lane, beforeSeq: newest.seq, limit: 10 })).length, 2)
    assert.equal(
      (await stores().jobs.list({ kind, lane, sinceMs: newest.createdAtMs + 1, limit: 10 })).length,
      0,
    )
    assert.equal((await stores().jobs.list({ kind, lane, state: 'done', limit: 10 })).length, 0)
    await stores().jobs.deleteLane(kind, lane)
    assert.deepEqual(await stores().jobs.list({ kind, lane, limit: 10 }), [])
  })

  test('deletes finished jobs once they are old, and no others', async () => {
    const lane = randomUUID()
    await stores().jobs.enqueue([job(lane), job(lane)])
    const [first] = await claim(lane, 1)
    assert.ok(first?.lease)
    const result = { kind: 'done', outcome: {} } as const
    await stores().jobs.settle([{ id: first.id, lease: first.lease, result }])
    assert.equal(await stores().jobs.deleteFinished(kind, 'done', 60_000, 100), 0)
    const later = await subject().later(3 * DAY_MS)
    assert.ok((await later.stores.jobs.deleteFinished(kind, 'done', 60_000, 100)) >= 1)
    assert.equal((await stores().jobs.list({ kind, lane, limit: 10 })).length, 1)
  })

  test('hands each event out once for fan-out, and again when that is rolled back', async () => {
    const applicationId = newApplicationId()
    const event = (name: string): OutboxEvent => ({
      id: `${name}-${randomUUID()}`,
      applicationId,
      grantId: grantId(randomUUID()),
      trigger: 'grant.created',
      source: '/nylas/system',
      data: { object: { name } },
      createdAt: 1_700_000_000,
    })
    const events = [event('a'), event('b')]
    for (const one of events) await stores().outbox.insert(one)
    const mine = (taken: readonly OutboxEvent[]) => taken.filter((one) => one.applicationId === applicationId)
    await assert.rejects(
      subject().database.transaction(async (inside) => {
        assert.deepEqual(mine(await inside.outbox.takeUnsent(10_000)), events)
        throw new Error('undone')
      }),
      /undone/,
    )
    const take = () => subject().database.transaction((inside) => inside.outbox.takeUnsent(10_000))
    assert.deepEqual(mine(await take()), events)
    assert.deepEqual(mine(await take()), [])
    const range = { triggers: ['grant.created'], since: 0, until: 2_000_000_000, afterSeq: 0, limit: 10 }
    const found = await stores().outbox.listRange(applicationId, range)
    assert.deepEqual(
      found.map(({ id }) => id),
      events.map(({ id }) => id),
    )
    assert.deepEqual(
      await stores().outbox.listRange(applicationId, { ...range, triggers: ['grant.deleted'] }),
      [],
    )
    assert.deepEqual(await stores().outbox.find([events[1]?.id ?? '']), [events[1]])
  })

  test('keeps destinations, their status and what was told of it', async () => {
    const applicationId = newApplicationId()
    const webhook: WebhookRecord = {
      id: randomUUID(),
      applicationId,
      description: 'd',
      triggerTypes: ['grant.created'],
      url: 'https://receiver.example/hook',
      sealedSecret: 'sealed',
      status: 'active',
      notificationEmailAddresses: ['ops@example.com'],
      compressedDelivery: true,
      statusUpdatedAt: 1,
      createdAt: 1,
      updatedAt: 1,
    }
    await stores().webhooks.insert(webhook)
    assert.deepEqual(await stores().webhooks.list(applicationId), [webhook])
    assert.equal(await stores().webhooks.find(newApplicationId(), webhook.id), null)
    assert.deepEqual(await stores().webhooks.listReceiving([applicationId]), [webhook])
    assert.equal(await stores().webhooks.changeStatus(webhook.id, 'active', 'failing', 2), true)
    assert.equal(await stores().webhooks.changeStatus(webhook.id, 'active', 'failing', 2), false)
    const untold = async () => (await stores().webhooks.listUntold(1000)).map(({ id }) => id)
    assert.ok((await untold()).includes(webhook.id))
    assert.equal(await stores().webhooks.markTold(webhook.id, 'failing'), true)
    assert.equal(await stores().webhooks.markTold(webhook.id, 'failing'), false)
    assert.ok(!(await untold()).includes(webhook.id))
    await stores().webhooks.changeStatus(webhook.id, 'failing', 'active', 3)
    await stores().webhooks.changeStatus(webhook.id, 'active', 'failing', 3)
    assert.ok((await untold()).includes(webhook.id), 'each time it becomes failing is told')
    const update = (...change: Parameters<WebhookStore['update']>) => stores().webhooks.update(...change)
    assert.equal(await update(newApplicationId(), webhook.id, { description: 'stolen' }), false)
    assert.equal(await update(applicationId, webhook.id, { sealedSecret: 'rotated', updatedAt: 2 }), true)
    assert.equal(
      await update(applicationId, webhook.id, { url: 'https://b.example', compressedDelivery: false }),
      true,
    )
    assert.deepEqual(await stores().webhooks.find(applicationId, webhook.id), {
      ...webhook,
      sealedSecret: 'rotated',
      url: 'https://b.example',
      compressedDelivery: false,
      status: 'failing',
      statusUpdatedAt: 3,
      updatedAt: 2,
    })
    assert.equal(await update(applicationId, webhook.id, { status: 'pause', statusUpdatedAt: 4 }), true)
    assert.deepEqual(await stores().webhooks.listReceiving([applicationId]), [])
    assert.equal(await stores().webhooks.delete(newApplicationId(), webhook.id), false)
    assert.equal(await stores().webhooks.delete(applicationId, webhook.id), true)
  })

  test('adds up the deliveries of a destination by minute', async () => {
    const webhookId = randomUUID()
    await stores().webhooks.countDeliveries([{ webhookId, succeeded: 2, failed: 1 }])
    await stores().webhooks.countDeliveries([{ webhookId, succeeded: 1, failed: 0 }])
    const mine = async (database = subject().database) =>
      (await database.stores.webhooks.deliveriesOf(15)).filter((count) => count.webhookId === webhookId)
    assert.deepEqual(await mine(), [{ webhookId, succeeded: 3, failed: 1 }])
    assert.deepEqual(await mine(await subject().later(4 * DAY_MS)), [])
  })

  test('shares a rate limit, window by window', async () => {
    const key = randomUUID()
    const windowMs = 3_600_000
    const first = await stores().rates.take(key, 5, windowMs, 3)
    assert.equal(first.granted, 3)
    assert.ok(first.windowEndsInMs > 0 && first.windowEndsInMs <= windowMs)
    assert.equal((await (await subject().other()).stores.rates.take(key, 5, windowMs, 4)).granted, 2)
    assert.equal((await stores().rates.take(key, 5, windowMs, 1)).granted, 0)
    // However the clock moves meanwhile, it stays one window.
    const busy = randomUUID()
    let granted = 0
    for (let at = 0; at < 500; at++) granted += (await stores().rates.take(busy, 1000, windowMs, 1)).granted
    assert.equal((await stores().rates.take(busy, 1000, windowMs, 1000)).granted, 1000 - granted)
    const later = await subject().later(5 * DAY_MS)
    assert.equal((await later.stores.rates.take(key, 5, windowMs, 4)).granted, 4)
  })

  test('reads the audit log newest first, and lets nobody change or empty it', async () => {
    const applicationId = newApplicationId()
    for (const action of ['one', 'two', 'three']) {
      await stores().audit.insert({
        id: randomUUID(),
        applicationId,
        actor: 'key:k',
        action,
        target: `grant:${action}`,
        detail: {},
        createdAt: 5,
      })
    }
    const read = await stores().audit.list({ applicationId }, { limit: 2 })
    assert.deepEqual(
      read.map(({ action }) => action),
      ['three', 'two'],
    )
    const rest = await stores().audit.list({ applicationId }, { limit: 2, beforeSeq: read[1]?.seq ?? 0 })
    assert.deepEqual(
      rest.map(({ action }) => action),
      ['one'],
    )
    assert.equal((await stores().audit.list({ applicationId, target: 'grant:two' }, { limit: 9 })).length, 1)
    assert.equal((await stores().audit.list({ applicationId, until: 4 }, { limit: 9 })).length, 0)
  })
}
