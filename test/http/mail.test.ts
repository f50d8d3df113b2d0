import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import type { WireMessage } from '../../src/contract/message.ts'
import type { MailService } from '../../src/core/ports/services.ts'
import { emptyMail, grantRecord, startHttpApp, type HttpApp } from '../support/http-app.ts'

let app: HttpApp
let calls: unknown[][] = []
const grant = grantRecord()
const base = `/v3/grants/${grant.id}`

const FULL: WireMessage = {
  id: 'm1',
  grant_id: grant.id,
  object: 'message',
  date: 1,
  created_at: 1,
  thread_id: 't',
  subject: 'S',
  from: [{ email: 'a@b.example', name: 'A' }],
  to: [],
  cc: [],
  bcc: [],
  reply_to: [],
  folders: ['INBOX'],
  unread: true,
  starred: false,
  snippet: 's',
  body: '<p>s</p>',
  attachments: [],
  metadata: { key1: 'v' },
}

const mail: MailService = {
  ...emptyMail,
  listMessages: (_grant, request) => {
    calls.push([request])
    return Promise.resolve({ items: [FULL, { id: 'raw', raw_mime: 'eA' }], nextCursor: 'next' })
  },
  findMessage: (_grant, id, options) => {
    calls.push([id, options])
    return Promise.resolve({ ...FULL, id, planted_secret: 'x' })
  },
  listFolders: (_grant, request) => {
    calls.push([request])
    return Promise.resolve({ items: [] })
  },
  findFolder: (_grant, id, options) => {
    calls.push([id, options])
    return Promise.resolve({ id, grant_id: grant.id, object: 'folder', name: 'N' })
  },
}

before(async () => {
  app = await startHttpApp({ services: { mail } })
  await app.database.stores.grants.insert({ ...grant, applicationId: app.applicationId })
})
after(() => app.close())
beforeEach(() => {
  calls = []
})

async function request(query: string): Promise<unknown> {
  const answer = await app.call('GET', `${base}/messages?${query}`)
  assert.equal(answer.status, 200, answer.text)
  return calls.at(-1)?.[0]
}

test('reads no query as 50 standard messages', async () => {
  const answer = await app.call('GET', `${base}/messages`)
  assert.deepEqual(calls, [[{ limit: 50, fields: 'standard' }]])
  assert.deepEqual(answer.body, {
    request_id: answer.body.request_id,
    data: [FULL, { id: 'raw', raw_mime: 'eA' }],
    next_cursor: 'next',
  })
})

const STANDARD = { limit: 50, fields: 'standard' }
const READ: readonly (readonly [query: string, expected: object])[] = [
  ['limit=5000&offset=7&unknown=x', { limit: 200 }],
  ['page_token=abc', { pageToken: 'abc' }],
  ['unread=True&starred=false&has_attachment=1', { unread: true, starred: false, hasAttachment: true }],
  ['to=x@a.example&to=y@a.example&in=F1&in=F2', { to: 'y@a.example', in: 'F2' }],
  ['any_email=a@x.example&any_email=b@x.example,a@x.example', { anyEmail: ['a@x.example', 'b@x.example'] }],
  [
    'subject=two+words%21&search_query_native=from%3Aa%20b',
    { subject: 'two words!', searchQueryNative: 'from:a b' },
  ],
  ['q=from%3Aa', { searchQueryNative: 'from:a' }],
  ['q=x&search_query_native=y', { searchQueryNative: 'y' }],
  ['received_before=20&received_after=10', { receivedBefore: 20, receivedAfter: 10 }],
  ['fields=include_headers', { fields: 'include_headers' }],
  ['metadata_pair=key1:a,b%20c&limit=3', { limit: 3, metadataPair: 'key1:a,b c' }],
  ['query_imap=true&in=INBOX', { queryImap: true, in: 'INBOX' }],
  ['shared_from=a@x.example&shared_folder_id=f', { sharedFrom: 'a@x.example', sharedFolderId: 'f' }],
  [
    'thread_id=t&from=&cc=c@x.example&bcc=d@x.example',
    { threadId: 't', cc: 'c@x.example', bcc: 'd@x.example' },
  ],
  ['select=id,subject', { select: ['id', 'subject'] }],
]
for (const [query, expected] of READ) {
  test(`reads ${query}`, async () => {
    assert.deepEqual(await request(query), { ...STANDARD, ...expected })
  })
}

const MANY = Array.from({ length: 26 }, (_, index) => `u${index}@x.example`).join(',')
const REFUSED: readonly (readonly [query: string, message: RegExp])[] = [
  ['limit=0', /^limit /],
  ['limit=all', /^limit /],
  ['limit=1.5', /^limit /],
  ['unread=maybe', /^unread /],
  ['received_after=noon', /^received_after /],
  ['fields=everything', /^fields /],
  ['from=Ada <ada@x.example>', /^from must be one email address/],
  ['to=a@x.example,b@x.example', /^to must be one/],
  ['cc=nobody', /^cc must be one/],
  ['any_email=a@x.example,nobody', /^any_email must be one/],
  [`any_email=${MANY}`, /^any_email takes at most 25/],
  ['metadata_pair=key6:x', /^metadata_pair must be/],
  ['metadata_pair=key1', /^metadata_pair must be/],
  ['metadata_pair=key1:x&metadata_pair=key2:y', /^metadata_pair takes exactly one/],
  ['metadata_pair=key1:x&unread=false', /^metadata_pair cannot be combined with unread/],
  ['query_imap=true', /^query_imap needs a folder/],
  ['shared_from=a@x.example', /^shared_from needs a folder/],
]
for (const [query, message] of REFUSED) {
  test(`refuses ${query.slice(0, 60)}`, async () => {
    const answer = await app.call('GET', `${base}/messages?${query}`)
    assert.equal(answer.status, 400)
    assert.equal(answer.body.error.type, 'api.invalid_request_error')
    assert.match(answer.body.error.message, message)
    assert.deepEqual(calls, [])
  })
}

test('answers only selected fields, and never one that is not declared', async () => {
  const list = await app.call('GET', `${base}/messages?select=id,planted_secret`)
  assert.deepEqual(list.body.data, [{ id: 'm1' }, { id: 'raw' }])
  const one = await app.call('GET', `${base}/messages/m1?select=planted_secret,subject`)
  assert.deepEqual(one.body.data, { subject: 'S' })
  const all = await app.call(
    'GET',
    `${base}/messages/m1?fields=include_basic_headers&query_imap=True&shared_from=a`,
  )
  assert.deepEqual(all.body.data, FULL)
  assert.deepEqual(calls.at(-1), [
    'm1',
    { fields: 'include_basic_headers', queryImap: true, sharedFrom: 'a' },
  ])
})

test('decodes a message id exactly once', async () => {
  for (const [path, id] of [
    [encodeURIComponent('<a/b+c#d@x>'), '<a/b+c#d@x>'],
    ['AAMk-_=', 'AAMk-_='],
    ['a+b', 'a+b'],
    ['a%252Fb', 'a%2Fb'],
    ['%C3%A9', 'é'],
    [`a${'b'.repeat(600)}`, `a${'b'.repeat(600)}`],
  ] as const) {
    const answer = await app.call('GET', `${base}/messages/${path}`)
    assert.equal(answer.status, 200, answer.text)
    assert.equal(calls.at(-1)?.[0], id)
  }
})

test('takes a folder id encoded and as raw path segments', async () => {
  for (const [path, id] of [
    ['INBOX', 'INBOX'],
    ['INBOX/Sub', 'INBOX/Sub'],
    ['INBOX%2FSub', 'INBOX/Sub'],
    ['A/B/C%20D/%C3%A9', 'A/B/C D/é'],
    ['a%252Fb', 'a%2Fb'],
    [`AAMk${'x'.repeat(400)}=`, `AAMk${'x'.repeat(400)}=`],
  ] as const) {
    const answer = await app.call('GET', `${base}/folders/${path}?shared_from=s`)
    assert.equal(answer.status, 200, answer.text)
    assert.deepEqual(calls.at(-1), [id, { sharedFrom: 's' }])
    assert.equal(answer.body.data.id, id)
  }
  assert.equal((await app.call('GET', `${base}/folders/`)).status, 404)
})

test('reads the query of a folder list', async () => {
  await app.call('GET', `${base}/folders`)
  await app.call(
    'GET',
    `${base}/folders?limit=300&page_token=p&parent_id=f&include_hidden_folders=True&single_level=true&shared_from=s`,
  )
  const defaults = { limit: 50, includeHiddenFolders: false, singleLevel: false }
  assert.deepEqual(calls, [
    [defaults],
    [
      {
        limit: 200,
        includeHiddenFolders: true,
        singleLevel: true,
        pageToken: 'p',
        parentId: 'f',
        sharedFrom: 's',
      },
    ],
  ])
})

test('does not take reserved words for message ids', async () => {
  for (const word of ['send', 'clean', 'schedules', 'smart-compose']) {
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const answer = await app.call(method, `${base}/messages/${word}`, method === 'GET' ? undefined : {})
      assert.notEqual(answer.body.error?.type, 'not_found_error', `${method} ${word}`)
    }
  }
  assert.deepEqual(calls, [])
})
