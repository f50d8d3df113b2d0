import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import type { FullMessage } from '../../src/contract/message.ts'
import type { Mail } from '../../src/core/ports/mail.ts'
import type { GrantRecord } from '../../src/core/ports/records.ts'
import { ProviderError } from '../../src/kit/provider-error.ts'
import { aMessage, type MailWorld, startMailWorld } from '../support/mail-world.ts'

let world: MailWorld
let grant: GrantRecord
let base: string
let calls: unknown[][] = []

const messages: Mail['messages'] = {
  list: async () => ({ items: [] }),
  find: async (session, id) => {
    session.spend({ requests: 1, gmailUnits: 20 })
    if (id === 'gone') throw new ProviderError('not-found', 'no such message')
    return aMessage(session.grantId, id)
  },
}
const google: Mail = {
  messages,
  folders: { list: async () => ({ items: [] }), find: () => Promise.reject(new Error('not asked')) },
  messageChanges: {
    async update(session, id, change) {
      calls.push(['update', id, change])
      session.spend({ requests: 2, gmailUnits: 25 })
      if (id === 'gone') throw new ProviderError('not-found', 'no such message')
      const { unread, starred, folders } = change
      return aMessage(session.grantId, id, {
        ...(unread === undefined ? {} : { unread }),
        ...(starred === undefined ? {} : { starred }),
        ...(folders === undefined ? {} : { folders: [...folders] }),
      })
    },
    async delete(session, id, options) {
      calls.push(['delete', id, options])
      session.spend({ requests: 1 })
      if (options.hard) throw new ProviderError('scope-missing', 'needs https://mail.google.com/')
    },
  },
}
const yahoo: Mail = { messages, folders: google.folders }

before(async () => {
  world = await startMailWorld({ google, yahoo })
  grant = await world.addGrant()
  base = `/v3/grants/${grant.id}/messages`
})
after(() => world.stop())
beforeEach(() => {
  calls = []
})

const call = (method: string, path: string, body?: unknown) => world.app.call(method, base + path, body)

test('changes exactly what the body names, and answers the message as it is then', async () => {
  const rows: readonly (readonly [body: object, expected: Partial<FullMessage>])[] = [
    [{ unread: false }, { unread: false }],
    [{ starred: true, unread: true }, { starred: true }],
    [{ folders: ['A', 'B/C'] }, { folders: ['A', 'B/C'] }],
    [{ folders: [], something: 1 }, { folders: [] }],
  ]
  for (const [body, expected] of rows) {
    const answer = await call('PUT', '/m1', body)
    const { something: _dropped, ...change } = body as { something?: number }
    assert.deepEqual(answer.body, {
      request_id: answer.body.request_id,
      data: aMessage(grant.id, 'm1', expected),
    })
    assert.deepEqual(calls.at(-1), ['update', 'm1', change])
    assert.equal(answer.headers.get('nylas-provider-request-count'), '2')
    assert.equal(answer.headers.get('nylas-gmail-quota-usage'), '25')
  }
})

test('refuses a body without a change, or with one of the wrong type, and asks the provider nothing', async () => {
  for (const [body, message] of [
    [undefined, /^The request body must have unread, starred, folders or metadata/],
    [{}, /^The request body must have/],
    [{ subject: 'x' }, /^The request body must have/],
    [{ unread: 'no' }, /unread/],
    [{ folders: 'INBOX' }, /folders/],
    [{ folders: [1] }, /folders/],
    [{ starred: null }, /starred/],
    [{ metadata: [] }, /metadata/],
    [{ unread: true, metadata: { key1: 1 } }, /^metadata\.key1 must be a string/],
  ] as const) {
    const answer = await call('PUT', '/m1', body)
    assert.deepEqual([answer.status, answer.body.error.type], [400, 'api.invalid_request_error'])
    assert.match(answer.body.error.message, message)
    assert.equal(answer.headers.get('nylas-provider-request-count'), null)
  }
  assert.deepEqual(calls, [])
})

test('select narrows the answer to a change', async () => {
  const answer = await call('PUT', '/m1?select=id,unread', { unread: false })
  assert.deepEqual(answer.body.data, { id: 'm1', unread: false })
})

test('changes a message in a shared mailbox, by an id in any encoding', async () => {
  const path = `/${encodeURIComponent('<a/b+c#d@x>')}?shared_from=team@x.example&query_imap=true`
  assert.equal((await call('PUT', path, { unread: true })).status, 200)
  assert.equal((await call('DELETE', path)).status, 200)
  assert.deepEqual(calls, [
    ['update', '<a/b+c#d@x>', { unread: true, sharedFrom: 'team@x.example' }],
    ['delete', '<a/b+c#d@x>', { hard: false, sharedFrom: 'team@x.example' }],
  ])
})

test('a shared mailbox may be named by its owner’s grant', async () => {
  const owner = await world.addGrant({ email: 'team@x.example', emailKey: 'team@x.example' })
  for (const name of [owner.id, `grant:${owner.id}`]) {
    assert.equal((await call('DELETE', `/m1?shared_from=${name}`)).status, 200)
  }
  assert.deepEqual(calls, [
    ['delete', 'm1', { hard: false, sharedFrom: 'team@x.example' }],
    ['delete', 'm1', { hard: false, sharedFrom: 'team@x.example' }],
  ])
  const unknown = await call('DELETE', '/m1?shared_from=11111111-2222-4333-8444-555555555555')
  assert.deepEqual([unknown.status, unknown.body.error.type], [404, 'grant.not_found'])
  assert.equal(calls.length, 2)
})

test('deletes into the trash, with and without a body', async () => {
  for (const [path, body] of [
    ['/m1', undefined],
    ['/m1', {}],
    ['/m1?hard_delete=False', undefined],
  ] as const) {
    const answer = await call('DELETE', path, body)
    assert.equal(answer.status, 200)
    assert.deepEqual(answer.body, { request_id: answer.body.request_id })
    assert.deepEqual(calls.at(-1), ['delete', 'm1', { hard: false }])
  }
})

test('answers 403 where deleting for good needs a scope, and what it has cost', async () => {
  const answer = await call('DELETE', '/m1?hard_delete=True')
  assert.equal(answer.status, 403)
  assert.deepEqual(answer.body, {
    request_id: answer.body.request_id,
    error: {
      type: 'insufficient_scopes',
      message: 'needs https://mail.google.com/',
      provider_error: { code: 'scope-missing', message: 'needs https://mail.google.com/' },
    },
  })
  assert.deepEqual(calls, [['delete', 'm1', { hard: true }]])
  assert.equal(answer.headers.get('nylas-provider-request-count'), '1')
  assert.equal(answer.headers.get('nylas-gmail-quota-usage'), null)
})

test('answers 404 for a message that is gone, with the cost of finding out', async () => {
  for (const [method, body, units] of [
    ['GET', undefined, '20'],
    ['PUT', { unread: true }, '25'],
    ['PUT', { metadata: { key1: 'v' } }, '20'],
  ] as const) {
    const answer = await call(method, '/gone', body)
    assert.deepEqual([answer.status, answer.body.error.type], [404, 'not_found_error'])
    assert.equal(answer.headers.get('nylas-gmail-quota-usage'), units)
  }
})

test('says what a grant of this provider cannot do', async () => {
  const other = await world.addGrant({ provider: 'yahoo' })
  const none = await world.addGrant({ provider: 'zoom' })
  const rows = [
    [other, 'PUT', { unread: true }, 'A yahoo grant cannot change messages.'],
    [other, 'DELETE', undefined, 'A yahoo grant cannot delete messages.'],
    [none, 'PUT', { unread: true }, 'A zoom grant has no mail.'],
  ] as const
  for (const [owner, method, body, message] of rows) {
    const answer = await world.app.call(method, `/v3/grants/${owner.id}/messages/m1`, body)
    assert.equal(answer.status, 400)
    assert.deepEqual(answer.body.error, { type: 'api.invalid_request_error', message })
  }
})

test('every message says that it is not tracked where that is asked for', async () => {
  const tracking_options = { opens: false, thread_replies: false, links: false, label: '' }
  const answer = await call('GET', '/m1?fields=include_tracking_options')
  assert.deepEqual(answer.body.data, { ...aMessage(grant.id, 'm1'), tracking_options })
})
