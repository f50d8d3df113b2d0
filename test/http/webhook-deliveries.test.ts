import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { type GrantId, grantId } from '../../src/contract/ids.ts'
import type { JobOutcome } from '../../src/core/ports/event-stores.ts'
import type { OutboxEvent, WebhookStatus } from '../../src/core/ports/records.ts'
import { deliveryJob } from '../../src/core/webhooks/delivery-job.ts'
import { type HttpApp, startHttpApp } from '../support/http-app.ts'

// No jobs run here: what they would have done is written by hand, to the database that the routes read.

let app: HttpApp
before(async () => {
  app = await startHttpApp()
})
after(() => app.close())

const kind = 'webhook.delivery'
const grant: GrantId = grantId(randomUUID())
const now = () => Math.floor(app.clock.nowMs() / 1000)
const stores = () => app.database.stores

async function destination(
  status: WebhookStatus = 'active',
  triggerTypes: readonly string[] = ['grant.expired'],
) {
  const id = randomUUID()
  await stores().webhooks.insert({
    id,
    applicationId: app.applicationId,
    description: '',
    triggerTypes,
    url: 'https://receiver.example/hook',
    sealedSecret: 'sealed',
    status,
    notificationEmailAddresses: [],
    compressedDelivery: false,
    statusUpdatedAt: 1,
    createdAt: 1,
    updatedAt: 1,
  })
  return { id, all: `/v3/webhooks/${id}/deliveries` }
}

async function event(fields: Partial<OutboxEvent> = {}): Promise<OutboxEvent> {
  const made: OutboxEvent = {
    id: randomUUID(),
    applicationId: app.applicationId,
    grantId: grant,
    trigger: 'grant.expired',
    source: '/nylas/system',
    data: { object: { code: 25009, grant_id: grant } },
    createdAt: now(),
    ...fields,
  }
  await stores().outbox.insert(made)
  return made
}

/** Attempts the delivery of an event, with what comes of it. */
async function attempted(webhookId: string, made: OutboxEvent, result: JobOutcome['result']): Promise<void> {
  await stores().jobs.enqueue([deliveryJob(made, { id: webhookId })])
  const [job] = await stores().jobs.claim({ kind, lane: webhookId, limit: 1, holder: 'h', leaseMs: 30_000 })
  assert.ok(job?.lease)
  assert.equal(await stores().jobs.settle([{ id: job.id, lease: job.lease, result }]), 1)
}

const delivered = () => ({ kind: 'done', outcome: { status: 200, latency_ms: 12, at: now() } }) as const
const dead = () => ({ kind: 'dead', outcome: { error: 'no answer', latency_ms: 10_000, at: now() } }) as const
const again = (afterMs: number) =>
  ({ kind: 'retry', afterMs, outcome: { status: 503, latency_ms: 3.4, at: now(), first_at: 1 } }) as const

async function jobsOf(webhookId: string) {
  const jobs = await stores().jobs.list({ kind, lane: webhookId, limit: 1_000 })
  return jobs.map(({ payload, state, attempts }) => [payload['event_id'], state, attempts]).toReversed()
}

test('refuses without a key', async () => {
  const { all } = await destination()
  const answer = await app.call('GET', all, undefined, { authorization: '' })
  assert.deepEqual([answer.status, answer.body.error.type], [401, 'token.unauthorized_access'])
})

test('lists deliveries newest first, with what became of them', async () => {
  const { id, all } = await destination()
  const events = [await event(), await event(), await event(), await event()]
  const [first, second, third, fourth] = events
  assert.ok(first && second && third && fourth)
  await attempted(id, first, delivered())
  await attempted(id, second, dead())
  await attempted(id, third, again(60_000))
  await stores().jobs.enqueue([deliveryJob(fourth, { id })])
  const answer = await app.call('GET', all)
  const ids = answer.body.data.map((delivery: { id: string }) => delivery.id)
  const common = { trigger: 'grant.expired', grant_id: grant, created_at: now() }
  assert.deepEqual(answer.body, {
    request_id: answer.headers.get('x-request-id'),
    data: [
      { id: ids[0], event_id: fourth.id, ...common, status: 'pending', attempts: 0, next_attempt_at: now() },
      {
        id: ids[1],
        event_id: third.id,
        ...common,
        status: 'pending',
        attempts: 1,
        last_attempt: { status: 503, latency_ms: 3, at: now() },
        next_attempt_at: now() + 60,
      },
      {
        id: ids[2],
        event_id: second.id,
        ...common,
        status: 'dead',
        attempts: 1,
        last_attempt: { error: 'no answer', latency_ms: 10_000, at: now() },
        finished_at: now(),
      },
      {
        id: ids[3],
        event_id: first.id,
        ...common,
        status: 'delivered',
        attempts: 1,
        last_attempt: { status: 200, latency_ms: 12, at: now() },
        finished_at: now(),
      },
    ],
  })
  for (const [status, expected] of [
    ['pending', [ids[0], ids[1]]],
    ['dead', [ids[2]]],
    ['delivered', [ids[3]]],
  ] as const) {
    const { body } = await app.call('GET', `${all}?status=${status}&select=id`)
    assert.deepEqual(
      body.data,
      expected.map((delivery) => ({ id: delivery })),
      status,
    )
  }
})

test('says nothing of a next attempt while one is being made', async () => {
  const { id, all } = await destination()
  await stores().jobs.enqueue([deliveryJob(await event(), { id })])
  await stores().jobs.claim({ kind, lane: id, limit: 1, holder: 'h', leaseMs: 30_000 })
  const [delivery] = (await app.call('GET', all)).body.data
  assert.deepEqual([delivery.status, delivery.attempts, delivery.next_attempt_at], ['pending', 1, undefined])
})

test('pages, and narrows by time', async () => {
  const { id, all } = await destination()
  const start = now()
  for (let count = 0; count < 5; count += 1) {
    await stores().jobs.enqueue([deliveryJob(await event(), { id })])
    app.clock.advance(10_000)
  }
  const seen: string[] = []
  let token = ''
  do {
    const { body } = await app.call('GET', `${all}?limit=2${token && `&page_token=${token}`}`)
    seen.push(...body.data.map((delivery: { created_at: number }) => String(delivery.created_at - start)))
    token = body.next_cursor ?? ''
  } while (token !== '')
  assert.deepEqual(seen, ['40', '30', '20', '10', '0'])
  const narrowed = await app.call('GET', `${all}?since=${start + 10}&until=${start + 30}`)
  assert.deepEqual(
    narrowed.body.data.map((delivery: { created_at: number }) => delivery.created_at - start),
    [30, 20, 10],
  )
})

test('refuses a query that makes no sense', async () => {
  const { all } = await destination()
  for (const [query, message] of [
    ['status=done', /^status /],
    ['limit=0', /^limit /],
    ['since=yesterday', /^since /],
    ['page_token=nope', /^page_token is not a next_cursor/],
    ['page_token=d1.zzzzzzzzzzzz', /^page_token is not a next_cursor/],
  ] as const) {
    const answer = await app.call('GET', `${all}?${query}`)
    assert.deepEqual([answer.status, answer.body.error.type], [400, '70005'], query)
    assert.match(answer.body.error.message, message)
  }
})

test('gives a delivery with its notification, while that is kept', async () => {
  const { id, all } = await destination()
  const made = await event()
  await attempted(id, made, again(1_000))
  const [listed] = (await app.call('GET', all)).body.data
  const answer = await app.call('GET', `${all}/${listed.id}`)
  assert.deepEqual(answer.body, {
    request_id: answer.headers.get('x-request-id'),
    data: {
      ...listed,
      event: {
        specversion: '1.0',
        type: 'grant.expired',
        source: '/nylas/system',
        id: made.id,
        time: made.createdAt,
        webhook_delivery_attempt: 1,
        data: { application_id: app.applicationId, object: { code: 25009, grant_id: grant } },
      },
    },
  })
  await stores().jobs.enqueue([deliveryJob({ ...made, id: 'no-longer-kept' }, { id })])
  const [unkept] = (await app.call('GET', all)).body.data
  assert.deepEqual((await app.call('GET', `${all}/${unkept.id}`)).body.data, unkept)
  const replayed = await app.call('POST', `${all}/${unkept.id}/replay`)
  assert.deepEqual(
    [replayed.status, replayed.body.error],
    [400, { type: '70005', message: 'the event of this delivery is no longer kept' }],
  )
})

test('sends a finished delivery again at once, and leaves a pending one alone', async () => {
  const { id, all } = await destination('failing')
  const events = [await event(), await event(), await event()]
  const outcomes = [delivered(), dead(), again(60_000)]
  for (const [at, made] of events.entries()) {
    const outcome = outcomes[at]
    assert.ok(outcome)
    await attempted(id, made, outcome)
  }
  const [retried, buried, done] = (await app.call('GET', all)).body.data
  app.clock.advance(5_000)
  for (const before of [done, buried]) {
    const answer = await app.call('POST', `${all}/${before.id}/replay`)
    const { finished_at: _finished, ...rest } = before
    assert.deepEqual(answer.body.data, {
      ...rest,
      status: 'pending',
      attempts: 0,
      next_attempt_at: now(),
      created_at: now(),
    })
  }
  assert.deepEqual((await app.call('POST', `${all}/${retried.id}/replay`)).body.data, retried)
  const audit = await stores().audit.list(
    { applicationId: app.applicationId, target: `webhook:${id}` },
    { limit: 9 },
  )
  assert.deepEqual(
    audit.map(({ action, detail }) => [action, detail]),
    [
      ['webhook.replayed', { delivery_id: buried.id }],
      ['webhook.replayed', { delivery_id: done.id }],
    ],
  )
})

test('replays a time range: what failed and what never was, of its triggers and of its application', async () => {
  app.clock.advance(1_000_000)
  const since = now()
  const { id, all } = await destination('active', ['grant.expired', 'message.created'])
  const [done, buried, pending, never] = [await event(), await event(), await event(), await event()]
  const implied = await event({ trigger: 'message.created.metadata' })
  await event({ trigger: 'grant.created' })
  await event({ applicationId: app.otherApplicationId })
  await event({ createdAt: since - 1 })
  await event({ createdAt: since + 11 })
  await attempted(id, done, delivered())
  await attempted(id, buried, dead())
  await attempted(id, pending, again(60_000))
  app.clock.advance(20_000)
  const replay = (fields: object = {}) =>
    app.call('POST', `${all}/replay`, { since, until: since + 10, ...fields })
  const answer = await replay()
  assert.deepEqual(answer.body, { request_id: answer.headers.get('x-request-id'), data: { replayed: 3 } })
  assert.deepEqual(await jobsOf(id), [
    [done.id, 'done', 1],
    [buried.id, 'waiting', 0],
    [pending.id, 'waiting', 1],
    [never.id, 'waiting', 0],
    [implied.id, 'waiting', 0],
  ])
  assert.deepEqual((await replay()).body.data, { replayed: 0 }, 'repeating it does nothing')
  assert.deepEqual((await replay({ only_failed: false })).body.data, { replayed: 1 })
  assert.deepEqual((await jobsOf(id))[0], [done.id, 'waiting', 0])
  const audit = await stores().audit.list(
    { applicationId: app.applicationId, target: `webhook:${id}` },
    { limit: 9 },
  )
  assert.deepEqual(
    audit.map(({ action, detail }) => [action, detail]),
    [false, true, true].map((only_failed) => ['webhook.replayed', { since, until: since + 10, only_failed }]),
  )
})

test('replays more events than one transaction takes, up to now', async () => {
  app.clock.advance(1_000_000)
  const since = now()
  const { id, all } = await destination()
  await app.database.transaction(async ({ outbox }) => {
    for (let count = 0; count < 450; count += 1) {
      await outbox.insert({
        id: randomUUID(),
        applicationId: app.applicationId,
        grantId: grant,
        trigger: 'grant.expired',
        source: '/nylas/system',
        data: {},
        createdAt: since,
      })
    }
  })
  assert.deepEqual((await app.call('POST', `${all}/replay`, { since })).body.data, { replayed: 450 })
  assert.equal((await jobsOf(id)).length, 450)
})

test('replays nothing to a destination that takes nothing', async () => {
  for (const status of ['pause', 'failed'] as const) {
    const { id, all } = await destination(status)
    await attempted(id, await event(), dead())
    const [delivery] = (await app.call('GET', all)).body.data
    for (const [path, body] of [
      [`${all}/${delivery.id}/replay`, undefined],
      [`${all}/replay`, { since: 0 }],
    ] as const) {
      const answer = await app.call('POST', path, body)
      const message = `the destination has the status ${status}: set it to active first`
      assert.deepEqual([answer.status, answer.body.error], [400, { type: '70005', message }])
    }
  }
})

test('refuses a range that is none', async () => {
  const { all } = await destination()
  for (const [body, message] of [
    [{}, /^since is required$/],
    [{ since: 'today' }, /^since /],
    [{ since: -1 }, /^since /],
    [{ since: 2, until: 1 }, /^until must not be before since$/],
    [{ since: 1, only_failed: 'no' }, /^only_failed /],
  ] as const) {
    const answer = await app.call('POST', `${all}/replay`, body)
    assert.deepEqual([answer.status, answer.body.error.type], [400, '70005'], JSON.stringify(body))
    assert.match(answer.body.error.message, message)
  }
})

test('knows no delivery of another destination, and no destination of another application', async () => {
  const mine = await destination()
  const another = await destination()
  await attempted(mine.id, await event(), dead())
  const [delivery] = (await app.call('GET', mine.all)).body.data
  const foreign = { authorization: `Bearer ${app.otherKey}` }
  for (const [method, path, headers, message] of [
    ['GET', `${another.all}/${delivery.id}`, {}, /^delivery\.id\.not\.found/],
    ['POST', `${another.all}/${delivery.id}/replay`, {}, /^delivery\.id\.not\.found/],
    ['GET', `${mine.all}/unknown`, {}, /^delivery\.id\.not\.found/],
    ['GET', mine.all, foreign, /^destination\.id\.not\.found/],
    ['GET', `${mine.all}/${delivery.id}`, foreign, /^destination\.id\.not\.found/],
    ['POST', `${mine.all}/${delivery.id}/replay`, foreign, /^destination\.id\.not\.found/],
    ['POST', `${mine.all}/replay`, foreign, /^destination\.id\.not\.found/],
  ] as const) {
    const answer = await app.call(
      method,
      path,
      path.endsWith('deliveries/replay') ? { since: 0 } : undefined,
      headers,
    )
    assert.deepEqual([answer.status, answer.body.error.type], [404, '70000'], `${method} ${path}`)
    assert.match(answer.body.error.message, message)
  }
  assert.equal((await app.call('GET', `${mine.all}/${delivery.id}`)).body.data.status, 'dead')
})
