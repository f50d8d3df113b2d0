// Identical reads that overlap are one at the provider; what they may not share is kept apart.
import assert from 'node:assert/strict'
import { request } from 'node:http'
import { after, before, beforeEach, test } from 'node:test'
import type { GrantSession } from '../../src/core/ports/grant-session.ts'
import type { Mail } from '../../src/core/ports/mail.ts'
import type { GrantRecord } from '../../src/core/ports/records.ts'
import { ProviderError } from '../../src/kit/provider-error.ts'
import { aMessage, type MailWorld, startMailWorld } from '../support/mail-world.ts'

/** A call that has reached the provider and waits for the test to answer it. */
interface Asked {
  readonly what: string
  readonly session: GrantSession
  readonly answer: (subject?: string) => void
  readonly fail: (error: Error) => void
}

let world: MailWorld
let grant: GrantRecord
let base: string
let asked: Asked[] = []

function ask(what: string, session: GrantSession): Promise<string> {
  session.spend({ requests: 2, gmailUnits: 25 })
  return new Promise((resolve, reject) => {
    asked.push({ what, session, answer: (subject = '') => resolve(subject), fail: reject })
    session.signal.addEventListener('abort', () => reject(new ProviderError('timeout', 'given up')))
  })
}

const google: Mail = {
  messages: {
    async list(session, query) {
      const subject = await ask(`list ${JSON.stringify(query)}`, session)
      return { items: [aMessage(session.grantId, 'm1', { subject })] }
    },
    async find(session, id) {
      const subject = await ask(`find ${id}`, session)
      return aMessage(session.grantId, id, { subject })
    },
  },
  messageChanges: {
    async update(session, id) {
      return aMessage(session.grantId, id, { subject: await ask(`update ${id}`, session) })
    },
    delete: () => Promise.reject(new Error('not asked')),
  },
  folders: {
    list: async () => ({ items: [] }),
    async find(session, id) {
      await ask(`folder ${id}`, session)
      throw new ProviderError('not-found', 'no such folder')
    },
  },
}

before(async () => {
  world = await startMailWorld({ google })
})
after(() => world.stop())
beforeEach(async () => {
  asked = []
  grant = await world.addGrant()
  base = `/v3/grants/${grant.id}`
})

const turn = () => new Promise((resolve) => setImmediate(resolve))
const until = async (isSo: () => boolean) => {
  const giveUpAt = performance.now() + 10_000
  while (!isSo()) {
    assert.ok(performance.now() < giveUpAt, 'the provider was not asked')
    await turn()
  }
}
/** Requests that have come in are at the provider, or have joined, once another request has been answered after them. */
const settled = async () => {
  for (let round = 0; round < 3; round += 1) await world.app.call('GET', `/v3/grants/${grant.id}`)
}
const get = (path: string) => world.app.call('GET', base + path)
const costOf = ({ headers }: { headers: Headers }) => [
  headers.get('nylas-provider-request-count'),
  headers.get('nylas-gmail-quota-usage'),
]

test('many clients that ask the same at once cost the provider one call, on the bill of the first', async () => {
  const first = get('/messages?limit=5&unread=true')
  await until(() => asked.length === 1)
  const others = Array.from({ length: 20 }, (_, n) =>
    // The same query in other words.
    get(n % 2 ? '/messages?unread=True&limit=5&offset=3' : '/messages?limit=5&unread=1'),
  )
  await settled()
  asked[0]?.answer('same')
  const answers = await Promise.all([first, ...others])
  assert.equal(asked.length, 1)
  for (const { body } of answers) assert.deepEqual(body.data, answers[0]?.body.data)
  assert.equal(new Set(answers.map(({ body }) => body.request_id)).size, 21)
  assert.deepEqual(answers.map(costOf), [['2', '25'], ...others.map(() => [null, null])])
})

test('an answer is for those who waited: who comes later asks anew', async () => {
  for (const subject of ['one', 'two']) {
    const answer = get('/messages/m1')
    await until(() => asked.length > 0)
    asked.pop()?.answer(subject)
    assert.equal((await answer).body.data.subject, subject)
  }
})

test('other grants, objects, queries and page sizes are other reads', async () => {
  const twin = await world.addGrant()
  const paths = [
    `${base}/messages/m1`,
    `/v3/grants/${twin.id}/messages/m1`,
    `${base}/messages/m2`,
    `${base}/messages/m1?fields=include_headers`,
    `${base}/messages/m1?select=id`,
    `${base}/messages`,
    `${base}/messages?limit=7`,
    `${base}/messages?subject=m1`,
  ]
  const answers = paths.map((path) => world.app.call('GET', path))
  await until(() => asked.length === paths.length)
  for (const { answer } of asked) answer()
  for (const { status, headers } of await Promise.all(answers)) {
    assert.deepEqual([status, headers.get('nylas-provider-request-count')], [200, '2'])
  }
})

test('a read that begins after a change was answered does not join one from before', async () => {
  const before = get('/messages/m1')
  await until(() => asked.length === 1)
  const change = world.app.call('PUT', `${base}/messages/m1`, { unread: true })
  await until(() => asked.length === 2)
  asked[1]?.answer('changed')
  assert.equal((await change).status, 200)
  const afterwards = get('/messages/m1')
  await until(() => asked.length === 3)
  const joined = get('/messages/m1')
  await settled()
  asked[0]?.answer('old')
  asked[2]?.answer('new')
  assert.equal((await before).body.data.subject, 'old')
  for (const answer of await Promise.all([afterwards, joined])) {
    assert.equal(answer.body.data.subject, 'new')
  }
  assert.equal(asked.length, 3)
})

test('neither after a change that failed: it may have been carried out', async () => {
  const before = get('/messages/m1')
  await until(() => asked.length === 1)
  const change = world.app.call('PUT', `${base}/messages/m1`, { unread: true })
  await until(() => asked.length === 2)
  asked[1]?.fail(new ProviderError('timeout', 'no answer', { answered: false }))
  assert.equal((await change).status, 504)
  const afterwards = get('/messages/m1')
  await until(() => asked.length === 3)
  asked[0]?.answer('old')
  asked[2]?.answer('new')
  assert.deepEqual([(await before).body.data.subject, (await afterwards).body.data.subject], ['old', 'new'])
})

test('a change of metadata alone is a change, too', async () => {
  const before = get('/messages/m1')
  await until(() => asked.length === 1)
  const change = world.app.call('PUT', `${base}/messages/m1`, { metadata: { key1: 'v' } })
  await until(() => asked.length === 2)
  asked[1]?.answer()
  assert.equal((await change).status, 200)
  const afterwards = get('/messages/m1')
  await until(() => asked.length === 3)
  asked[0]?.answer()
  asked[2]?.answer()
  assert.deepEqual((await afterwards).body.data.metadata, { key1: 'v' })
  await before
})

test('an error is shared like an answer', async () => {
  const first = get('/folders/F1')
  await until(() => asked.length === 1)
  const second = get('/folders/F1')
  await settled()
  asked[0]?.answer()
  const answers = await Promise.all([first, second])
  assert.deepEqual(
    answers.map(({ status, body }) => [status, body.error.type]),
    [
      [404, 'not_found_error'],
      [404, 'not_found_error'],
    ],
  )
  assert.deepEqual(answers.map(costOf), [
    ['2', '25'],
    [null, null],
  ])
  assert.equal(asked.length, 1)
})

function hangUpSoon(path: string) {
  const outgoing = request(world.app.url + base + path, {
    headers: { authorization: `Bearer ${world.app.key}` },
    agent: false,
  })
  const closed = new Promise((resolve) => outgoing.on('close', resolve))
  outgoing.on('error', () => undefined)
  outgoing.end()
  return {
    async hangUp() {
      outgoing.destroy()
      await closed
      await settled()
    },
  }
}

test('a client that hangs up takes the answer from nobody else, even if it came first', async () => {
  const first = hangUpSoon('/messages/m1')
  await until(() => asked.length === 1)
  const second = get('/messages/m1')
  await settled()
  await first.hangUp()
  assert.equal(asked[0]?.session.signal.aborted, false)
  asked[0]?.answer('for the second')
  assert.equal((await second).body.data.subject, 'for the second')
})

test('a read ends when everybody has gone, and who comes then asks anew', async () => {
  const clients = [hangUpSoon('/messages/m1')]
  await until(() => asked.length === 1)
  clients.push(hangUpSoon('/messages/m1'))
  await settled()
  const [read] = asked
  assert.ok(read)
  const aborted = new Promise((resolve) => read.session.signal.addEventListener('abort', resolve))
  for (const client of clients) await client.hangUp()
  await aborted
  const late = get('/messages/m1')
  await until(() => asked.length === 2)
  asked[1]?.answer('anew')
  assert.equal((await late).body.data.subject, 'anew')
})

test('nobody joins a read that hangs for long', async () => {
  const hung = get('/messages/m1')
  await until(() => asked.length === 1)
  world.app.clock.advance(20_000)
  const late = get('/messages/m1')
  await until(() => asked.length === 2)
  asked[1]?.answer('late')
  assert.equal((await late).body.data.subject, 'late')
  asked[0]?.answer('hung')
  assert.equal((await hung).body.data.subject, 'hung')
})

test('a grant that became invalid meanwhile joins nothing', async () => {
  const first = get('/messages/m1')
  await until(() => asked.length === 1)
  const reason = { code: 'x', message: 'm', advice: 'a', at: 1 }
  await world.app.application.database.stores.grants.markInvalid(grant.applicationId, grant.id, reason)
  assert.equal((await get('/messages/m1')).status, 401)
  asked[0]?.answer()
  assert.equal((await first).status, 200)
})
