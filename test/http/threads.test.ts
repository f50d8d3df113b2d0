import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import type { Mail } from '../../src/core/ports/mail.ts'
import type { GrantRecord } from '../../src/core/ports/records.ts'
import { ProviderError } from '../../src/kit/provider-error.ts'
import { aThread, type MailWorld, startMailWorld } from '../support/mail-world.ts'

let world: MailWorld
let grant: GrantRecord
let base: string
let calls: unknown[][] = []

const never = () => Promise.reject(new Error('not asked'))
const yahoo: Mail = {
  messages: { list: never, find: never },
  folders: { list: never, find: never },
}
const google: Mail = {
  ...yahoo,
  threads: {
    async list(session, query) {
      calls.push(['list', query])
      return { items: [aThread(session.grantId, 't1')], nextCursor: 'page 2' }
    },
    async find(session, id, options) {
      calls.push(['find', id, options])
      session.spend({ requests: 1, gmailUnits: 40 })
      if (id === 'gone') throw new ProviderError('not-found', 'no such thread')
      if (id !== 'with-draft') return aThread(session.grantId, id)
      const draft = { id: 'r-1', grant_id: session.grantId, object: 'draft' as const, date: 1 }
      return aThread(session.grantId, id, { latest_draft_or_message: draft })
    },
    async update(session, id, change) {
      calls.push(['update', id, change])
      return aThread(session.grantId, id, { unread: change.unread ?? true })
    },
    async delete(_session, id, options) {
      calls.push(['delete', id, options])
    },
  },
}

before(async () => {
  world = await startMailWorld({ google, yahoo })
  grant = await world.addGrant()
  base = `/v3/grants/${grant.id}/threads`
})
after(() => world.stop())
beforeEach(() => {
  calls = []
})

const call = (method: string, path: string, body?: unknown) => world.app.call(method, base + path, body)

test('lists 20 threads, whole, with a cursor that gives the next page of the same list only', async () => {
  const answer = await call('GET', '')
  assert.deepEqual(calls, [['list', { limit: 20 }]])
  assert.deepEqual(answer.body, {
    request_id: answer.body.request_id,
    data: [aThread(grant.id, 't1')],
    next_cursor: answer.body.next_cursor,
  })
  const { next_cursor } = answer.body
  assert.equal((await call('GET', `?page_token=${next_cursor}&limit=3`)).status, 200)
  assert.deepEqual(calls.at(-1), ['list', { limit: 3, cursor: 'page 2' }])
  assert.equal((await call('GET', `?page_token=${next_cursor}&unread=true`)).status, 400)
  assert.equal((await call('GET', '?page_token=made-up')).status, 400)
})

const READ: readonly (readonly [query: string, expected: object])[] = [
  ['limit=51&offset=5', { limit: 50 }],
  ['latest_message_before=20&latest_message_after=10', { latestMessageBefore: 20, latestMessageAfter: 10 }],
  ['earliest_message_date=7', { earliestMessageDate: 7 }],
  ['any_email=a@x.example&any_email=b@x.example', { anyEmail: ['a@x.example', 'b@x.example'] }],
  ['q=from%3Aa', { searchQueryNative: 'from:a' }],
  ['unread=True&starred=0&has_attachment=true', { unread: true, starred: false, hasAttachment: true }],
  ['subject=a+b&from=a@x.example&to=b@x.example', { subject: 'a b', from: 'a@x.example', to: 'b@x.example' }],
  [
    'in=F1&thread_id=t&cc=c@x.example&bcc=d@x.example',
    { in: 'F1', threadId: 't', cc: 'c@x.example', bcc: 'd@x.example' },
  ],
  ['shared_from=s@x.example&shared_folder_id=f', { sharedFrom: 's@x.example', sharedFolderId: 'f' }],
  ['select=id,snippet', { select: ['id', 'snippet'] }],
]
for (const [query, expected] of READ) {
  test(`reads ${query}`, async () => {
    const answer = await call('GET', `?${query}`)
    assert.equal(answer.status, 200, answer.text)
    assert.deepEqual(calls, [['list', { limit: 20, ...expected }]])
  })
}

for (const [query, message] of [
  ['limit=0', /^limit /],
  ['latest_message_after=soon', /^latest_message_after /],
  ['from=nobody', /^from must be one email address/],
  ['shared_from=s@x.example', /^shared_from needs a folder/],
] as const) {
  test(`refuses ${query}`, async () => {
    const answer = await call('GET', `?${query}`)
    assert.equal(answer.status, 400)
    assert.match(answer.body.error.message, message)
    assert.deepEqual(calls, [])
  })
}

test('gets a thread, whole or what is selected', async () => {
  const answer = await call('GET', '/t1?shared_from=s@x.example')
  assert.deepEqual(answer.body, { request_id: answer.body.request_id, data: aThread(grant.id, 't1') })
  assert.deepEqual(calls, [['find', 't1', { sharedFrom: 's@x.example' }]])
  assert.deepEqual((await call('GET', '/t1?select=id,has_drafts')).body.data, { id: 't1', has_drafts: true })
  const missing = await call('GET', '/gone')
  assert.deepEqual([missing.status, missing.body.error.type], [404, 'not_found_error'])
  assert.equal(missing.headers.get('nylas-gmail-quota-usage'), '40')
})

test('shows a draft as the newest of a thread', async () => {
  const draft = { id: 'r-1', grant_id: grant.id, object: 'draft' as const, date: 1 }
  const thread = aThread(grant.id, 'with-draft', { latest_draft_or_message: draft })
  assert.deepEqual((await call('GET', '/with-draft')).body.data, thread)
})

test('changes all of a thread, and answers it as it is then', async () => {
  const answer = await call('PUT', '/t1', { unread: false, folders: ['A'], metadata: { key1: 'v' } })
  assert.deepEqual(answer.body, {
    request_id: answer.body.request_id,
    data: aThread(grant.id, 't1', { unread: false }),
  })
  assert.deepEqual(calls, [['update', 't1', { unread: false, folders: ['A'] }]])
  for (const body of [undefined, {}, { metadata: {} }, { starred: 'x' }]) {
    assert.equal((await call('PUT', '/t1', body)).status, 400)
  }
  assert.equal(calls.length, 1)
})

test('moves a thread into the trash', async () => {
  const answer = await call('DELETE', '/t1', {})
  assert.equal(answer.status, 200)
  assert.deepEqual(answer.body, { request_id: answer.body.request_id })
  assert.deepEqual(calls, [['delete', 't1', {}]])
})

test('says that a grant without threads has none', async () => {
  const other = await world.addGrant({ provider: 'yahoo' })
  for (const [method, path, message] of [
    ['GET', '', 'A yahoo grant cannot read threads.'],
    ['GET', '/t1', 'A yahoo grant cannot read threads.'],
    ['PUT', '/t1', 'A yahoo grant cannot change threads.'],
    ['DELETE', '/t1', 'A yahoo grant cannot delete threads.'],
  ] as const) {
    const body = method === 'PUT' ? { unread: true } : undefined
    const answer = await world.app.call(method, `/v3/grants/${other.id}/threads${path}`, body)
    assert.equal(answer.status, 400)
    assert.deepEqual(answer.body.error, { type: 'api.invalid_request_error', message })
  }
})
