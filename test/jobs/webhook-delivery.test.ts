import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import type { JobRecord } from '../../src/core/ports/records.ts'
import { eventually } from '../support/eventually.ts'
import { apart, HOUR_MS, KIND, MINUTE_MS, startWebhookWorld, type WebhookWorld } from './webhook-world.ts'

let world: WebhookWorld
before(async () => {
  world = await startWebhookWorld()
})
after(() => world.stop())

const signatureOf = (secret: string, bytes: Buffer) =>
  createHmac('sha256', secret).update(bytes).digest('hex')
const isDone = (job: JobRecord) => job.state === 'done'
const hasFailed = (attempts: number) => (job: JobRecord) => job.attempts === attempts && job.lease === null
const waitMsOf = (job: JobRecord) => job.dueAtMs - job.readAtMs

describe('webhook delivery', () => {
  test('delivers the event of a grant once, signed over the exact bytes', async () => {
    const created = await world.destination('/created', { triggerTypes: ['grant.created'] })
    const unrelated = await world.destination('/unrelated', { triggerTypes: ['grant.deleted'] })
    await world.app.call('POST', '/v3/connectors', { provider: 'virtual-calendar' })
    const settings = { email: 'room-1' }
    const grant = await world.app.call('POST', '/v3/connect/custom', {
      provider: 'virtual-calendar',
      settings,
    })
    assert.equal(grant.status, 201)
    const [got] = await world.receiver.waitFor('/created', 1)
    assert.ok(got)
    assert.equal(got.headers['content-type'], 'application/json')
    assert.equal(got.headers['x-nylas-signature'], signatureOf(created.secret, got.raw))
    const { id, time, data, ...rest } = got.envelope
    assert.deepEqual(rest, {
      specversion: '1.0',
      type: 'grant.created',
      source: '/nylas/system',
      webhook_delivery_attempt: 1,
    })
    assert.match(id, /^[0-9a-f-]{36}$/)
    assert.ok(Number.isInteger(time))
    assert.equal(data.application_id, world.applicationId)
    assert.equal(data.object.grant_id, grant.body.data.id)
    assert.equal(data.object.code, 25012)
    const job = await world.delivery(created, isDone)
    assert.equal(job.attempts, 1)
    assert.equal(job.outcome?.['status'], 200)
    assert.equal((await world.deliveries(created)).length, 1)
    assert.deepEqual(await world.deliveries(unrelated), [])
  })

  test('signs the gzip bytes of a compressed delivery', async () => {
    const own = apart()
    const destination = await world.destination('/gzip', { ...own, compressedDelivery: true })
    const [event] = await world.events(1, own)
    const [got] = await world.receiver.waitFor('/gzip', 1)
    assert.ok(got)
    assert.equal(got.headers['content-encoding'], 'gzip')
    assert.equal(got.headers['x-nylas-signature'], signatureOf(destination.secret, got.raw))
    assert.equal(JSON.parse(gunzipSync(got.raw).toString('utf8')).id, event?.id)
  })

  test('gives events only to the subscribed destinations of their application, truncated names as their base', async () => {
    const own = apart()
    const truncated = await world.destination('/truncated', {
      ...own,
      triggerTypes: ['message.updated.truncated'],
    })
    const other = await world.destination('/other', { ...own, triggerTypes: ['grant.updated'] })
    const foreign = await world.destination('/foreign', { ...apart(), triggerTypes: ['message.updated'] })
    await world.events(1, { ...own, trigger: 'message.updated' })
    await world.delivery(truncated, isDone)
    assert.deepEqual(await world.deliveries(other), [])
    assert.deepEqual(await world.deliveries(foreign), [])
  })

  test('tries again after 1 and 15 minutes with the same id, time and data, signed anew', async () => {
    const own = apart()
    const destination = await world.destination('/retried', own)
    world.receiver.answer('/retried', { status: 503 }, { status: 502 }, { status: 200 })
    await world.events(1, own)
    const first = await world.delivery(destination, hasFailed(1))
    assert.equal(first.state, 'waiting')
    assert.equal(first.outcome?.['status'], 503)
    assert.ok(waitMsOf(first) > 0.8 * MINUTE_MS && waitMsOf(first) < 1.2 * MINUTE_MS)
    world.pass(1.2 * MINUTE_MS)
    const second = await world.delivery(destination, hasFailed(2))
    assert.ok(waitMsOf(second) > 13 * MINUTE_MS && waitMsOf(second) < 17 * MINUTE_MS)
    world.pass(17 * MINUTE_MS)
    await world.delivery(destination, isDone)
    const got = await world.receiver.waitFor('/retried', 3)
    const [one, two, three] = got.map(({ envelope }) => {
      const { webhook_delivery_attempt: attempt, ...same } = envelope
      return { attempt, same }
    })
    assert.deepEqual([one?.attempt, two?.attempt, three?.attempt], [1, 2, 3])
    assert.deepEqual(two?.same, one?.same)
    assert.deepEqual(three?.same, one?.same)
    for (const { raw, headers } of got) {
      assert.equal(headers['x-nylas-signature'], signatureOf(destination.secret, raw))
    }
  })

  test('waits as long as Retry-After says', async () => {
    const own = apart()
    const destination = await world.destination('/throttled', own)
    world.receiver.answer('/throttled', { status: 429, headers: { 'retry-after': '1800' } })
    await world.events(1, own)
    const job = await world.delivery(destination, hasFailed(1))
    assert.ok(waitMsOf(job) > 29 * MINUTE_MS && waitMsOf(job) <= 30 * MINUTE_MS)
  })

  test('gives a broken receiver 72 hours, then makes a dead letter that can be replayed', async () => {
    const own = apart()
    const destination = await world.destination('/broken', own)
    world.receiver.answer('/broken', { status: 500, body: 'a secret of the receiver' })
    await world.events(1, own)
    let spentMs = 0
    for (let attempt = 1; ; attempt += 1) {
      const job = await world.delivery(destination, hasFailed(attempt))
      if (job.state === 'dead') break
      assert.ok(attempt < 30, 'the tries have an end')
      spentMs += waitMsOf(job)
      world.pass(waitMsOf(job) + 1)
    }
    assert.ok(spentMs >= 71.9 * HOUR_MS && spentMs <= 81 * HOUR_MS)
    const [dead] = await world.deliveries(destination)
    const { latency_ms: latency, at, first_at: firstAt, ...rest } = dead?.outcome ?? {}
    assert.deepEqual(rest, { status: 500 })
    assert.ok(Number.isInteger(latency) && Number.isInteger(at) && Number.isInteger(firstAt))
    const { jobs } = world.app.application.database.stores
    world.receiver.answer('/broken', { status: 500 }, { status: 200 })
    assert.equal(await jobs.requeue(KIND, destination.id, [dead?.id ?? '']), 1)
    world.pass(0)
    const again = await world.delivery(destination, hasFailed(1))
    assert.equal(again.state, 'waiting', 'a replay has its own 72 hours')
    world.pass(2 * HOUR_MS)
    await world.delivery(destination, isDone)
  })

  test('delivers to one destination while another never answers', async () => {
    const own = apart()
    world.receiver.answer('/hanging', 'hang')
    const hanging = await world.destination('/hanging', own)
    const well = await world.destination('/well', own)
    await world.events(20, own)
    await world.receiver.waitFor('/well', 20)
    await eventually('all delivered', async () =>
      (await world.deliveries(well)).every(isDone) ? true : undefined,
    )
    const unanswered = await world.deliveries(hanging)
    assert.ok(unanswered.every(({ outcome }) => outcome === null))
    assert.ok((await world.receiver.waitFor('/hanging', 1)).length < 20, 'only so many at once')
  })

  test('takes a 200 with a large body for what it is', async () => {
    const own = apart()
    const destination = await world.destination('/talkative', own)
    world.receiver.answer('/talkative', { status: 200, body: Buffer.alloc(1024 * 1024, 'x') })
    await world.events(1, own)
    assert.equal((await world.delivery(destination, isDone)).outcome?.['status'], 200)
  })

  test('follows no redirect', async () => {
    const own = apart()
    const destination = await world.destination('/moved', own)
    world.receiver.answer('/moved', { status: 307, headers: { location: `${world.receiver.url}/elsewhere` } })
    await world.events(1, own)
    const job = await world.delivery(destination, hasFailed(1))
    assert.equal(job.outcome?.['status'], 307)
    assert.deepEqual(
      world.receiver.received.filter(({ path }) => path === '/elsewhere'),
      [],
    )
  })

  test('says that nobody answers, without the query of the address', async () => {
    const own = apart()
    const destination = await world.destination('/', { ...own, url: 'http://127.0.0.1:9/hook?token=hidden' })
    await world.events(1, own)
    const job = await world.delivery(destination, hasFailed(1))
    assert.match(String(job.outcome?.['error']), /127\.0\.0\.1:9 could not be reached \(ECONNREFUSED\)/)
    assert.ok(!JSON.stringify(job.outcome).includes('hidden'))
  })

  test('makes dead letters of what waits for a destination that was paused or deleted', async () => {
    const own = apart()
    const paused = await world.destination('/paused', own)
    const deleted = await world.destination('/deleted', own)
    world.receiver.answer('/paused', { status: 503 })
    world.receiver.answer('/deleted', { status: 503 })
    await world.events(2, own)
    for (const destination of [paused, deleted]) {
      await eventually('both tried', async () =>
        (await world.deliveries(destination)).every(hasFailed(1)) ? true : undefined,
      )
    }
    const { webhooks } = world.app.application.database.stores
    await webhooks.changeStatus(paused.id, 'active', 'pause', 1)
    await webhooks.delete(own.applicationId, deleted.id)
    await world.events(1, own)
    world.pass(2 * MINUTE_MS)
    for (const [destination, why] of [
      [paused, 'The destination is paused.'],
      [deleted, 'The destination was deleted.'],
    ] as const) {
      await eventually('buried', async () =>
        (await world.deliveries(destination)).every(({ state }) => state === 'dead') ? true : undefined,
      )
      const jobs = await world.deliveries(destination)
      assert.equal(jobs.length, 2, 'what happens meanwhile is not kept')
      assert.deepEqual(new Set(jobs.map(({ outcome }) => outcome?.['error'])), new Set([why]))
    }
  })

  test('delivers at once what a process held that died', async () => {
    const own = apart()
    const destination = await world.destination('/inherited', own)
    const [event] = await world.events(1, { ...own, trigger: 'grant.deleted' })
    const lane = { kind: KIND, lane: destination.id } as const
    // In one transaction, so that the server doesn't take it first.
    const held = await world.app.application.database.transaction(async ({ jobs }) => {
      const payload = { event_id: event?.id ?? '' }
      await jobs.enqueue([{ ...lane, dedupeKey: destination.id, applicationId: own.applicationId, payload }])
      return jobs.claim({ ...lane, limit: 1, holder: 'a-dead-process', leaseMs: HOUR_MS })
    })
    assert.equal(held.length, 1)
    world.pass(0)
    assert.equal((await world.delivery(destination, isDone)).attempts, 2)
  })
})

test('refuses a destination whose name has a private address by now', async () => {
  const guarded = await startWebhookWorld({ GRANTWAY_ALLOWED_NETWORKS: '' })
  try {
    const { port } = new URL(guarded.receiver.url)
    const destination = await guarded.destination('/', { url: `http://localhost:${port}/hook` })
    await guarded.events(1)
    const job = await guarded.delivery(destination, hasFailed(1))
    assert.match(String(job.outcome?.['error']), /^The host localhost has a private or reserved address/)
    assert.equal(job.state, 'waiting')
    assert.deepEqual(guarded.receiver.received, [])
  } finally {
    await guarded.stop()
  }
})
