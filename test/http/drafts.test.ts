import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import type { MessageTracking } from '../../src/core/ports/mail-services.ts'
import { ProviderError } from '../../src/kit/provider-error.ts'
import { type OutgoingApp, startOutgoingApp } from '../support/outgoing-app.ts'
import { rawRequest } from '../support/raw-http.ts'

let app: OutgoingApp
let prepared: unknown[] = []
const tracking: MessageTracking = {
  check: () => undefined,
  prepare: (_grant, { body }, options) => {
    prepared.push(options)
    return Promise.resolve({ body: `${body}<img src="pixel">`, tracking: { id: 'tr', options, links: [] } })
  },
  sent: () => Promise.resolve(),
  optionsOf: () => Promise.resolve(new Map()),
}

before(async () => {
  const signatures = { html: (_grant: unknown, id: string) => Promise.resolve(`<b>${id}</b>`) }
  app = await startOutgoingApp({ parts: { tracking, signatures } })
})
after(() => app.close())
beforeEach(() => {
  app.sent.length = 0
  app.queries.length = 0
  app.drafts.clear()
  prepared = []
  app.onSend = () => Promise.resolve()
})

const call = (method: string, path: string, body?: unknown) =>
  app.call(method, `${app.base}/drafts${path}`, body)
const create = async (body: object) => (await call('POST', '', body)).body.data

test('refuses without a key', async () => {
  const answer = await app.call('GET', `${app.base}/drafts`, undefined, { authorization: 'Bearer none' })
  assert.equal(answer.status, 401)
})

test('creates a draft without recipients, and finds it with what this server keeps', async () => {
  const answer = await call('POST', '', {
    subject: 'S',
    body: '<p>x</p>',
    starred: true,
    signature_id: 'sig',
    metadata: { key1: 'v' },
    tracking_options: { opens: true },
    send_at: 1,
    use_draft: true,
  })
  assert.equal(answer.status, 200, answer.text)
  const draft = {
    id: 'd1',
    grant_id: app.grant.id,
    object: 'draft',
    date: 1_767_225_600,
    created_at: 1_767_225_600,
    thread_id: '',
    subject: 'S',
    from: [{ email: 'ben@globex.example' }],
    to: [],
    cc: [],
    bcc: [],
    reply_to: [],
    folders: ['DRAFT'],
    unread: false,
    starred: true,
    snippet: 'x sig',
    body: '<p>x</p><br><b>sig</b>',
    attachments: [],
    metadata: { key1: 'v' },
    tracking_options: { opens: true, links: false, thread_replies: false, label: '' },
  }
  assert.deepEqual(answer.body, { request_id: answer.headers.get('x-request-id'), data: draft })
  assert.deepEqual((await call('GET', '/d1')).body.data, draft)
  assert.deepEqual((await call('GET', '/d1?select=id,date')).body.data, { id: 'd1', date: draft.date })
  assert.deepEqual((await call('GET', '')).body.data, [draft])
})

test('lists with every filter, and pages', async () => {
  await create({ subject: 'one' })
  await create({ subject: 'two' })
  const query =
    'subject=S&any_email=a@x.example&to=b@x.example&cc=c@x.example&bcc=d@x.example&from=e@x.example'
  const page = await call(
    'GET',
    `?limit=1&in=F&unread=false&starred=True&thread_id=t&has_attachment=1&query_imap=1&${query}`,
  )
  assert.equal(page.status, 200, page.text)
  assert.deepEqual(app.queries, [
    {
      limit: 1,
      subject: 'S',
      anyEmail: ['a@x.example'],
      to: 'b@x.example',
      cc: 'c@x.example',
      bcc: 'd@x.example',
      from: 'e@x.example',
      in: 'F',
      unread: false,
      starred: true,
      threadId: 't',
      hasAttachment: true,
      queryImap: true,
    },
  ])
  const first = await call('GET', '?limit=1')
  const next = await call('GET', `?limit=1&page_token=${first.body.next_cursor}`)
  assert.equal(next.status, 200)
  assert.deepEqual(app.queries.at(-1), { limit: 1, cursor: 'more' })
  assert.equal((await call('GET', `?limit=1&subject=x&page_token=${first.body.next_cursor}`)).status, 400)
})

test('finds drafts by a pair of metadata, and leaves out those that are gone', async () => {
  for (const subject of ['one', 'two', 'three']) await create({ subject, metadata: { key2: 'pair' } })
  app.drafts.delete('d2')
  const first = await call('GET', '?metadata_pair=key2:pair&limit=2')
  assert.deepEqual(
    first.body.data.map(({ id }: { id: string }) => id),
    ['d3'],
  )
  const rest = await call('GET', `?metadata_pair=key2:pair&limit=2&page_token=${first.body.next_cursor}`)
  assert.deepEqual(
    rest.body.data.map(({ id }: { id: string }) => id),
    ['d1'],
  )
  assert.equal(rest.body.next_cursor, undefined)
  assert.equal((await call('GET', '?metadata_pair=key2:pair&unread=true')).status, 400)
})

test('changes only what is given', async () => {
  const to = [{ email: 'ada@acme.example' }]
  await create({ to, subject: 'S', body: 'x', metadata: { key1: 'a' } })
  const answer = await call('PUT', '/d1', { subject: 'T', starred: true, metadata: { key2: 'b' } })
  assert.equal(answer.status, 200, answer.text)
  const { subject, body, starred, metadata } = answer.body.data
  assert.deepEqual(
    { subject, body, starred, metadata },
    { subject: 'T', body: 'x', starred: true, metadata: { key2: 'b' } },
  )
  assert.deepEqual(answer.body.data.to, to)
  assert.equal((await call('PUT', '/d1', {})).body.data.subject, 'T')
  assert.equal((await call('PATCH', '/d1', { signature_id: 's' })).body.data.body, 'x\ns')
  assert.equal((await call('PUT', '/d1', { subject: 'x\ny' })).status, 400)
  assert.equal((await call('PUT', '/none', { subject: 'x' })).status, 404)
})

test('attachments are replaced as a whole list; one of the draft is kept by its id', async () => {
  const file = (filename: string) => ({
    filename,
    content_type: 'text/plain',
    content: Buffer.from(filename).toString('base64'),
  })
  const draft = await create({ attachments: [file('a'), file('b')] })
  const [, b] = draft.attachments
  const answer = await call('PUT', '/d1', { attachments: [{ id: b.id }, file('c')] })
  assert.equal(answer.status, 200, answer.text)
  assert.deepEqual(
    answer.body.data.attachments.map(({ filename, content_type }: Record<string, unknown>) => [
      filename,
      content_type,
    ]),
    [
      ['b', 'text/plain'],
      ['c', 'text/plain'],
    ],
  )
  assert.deepEqual(app.drafts.get('d1')?.files.map(String), ['b', 'c'])
  assert.match(
    (await call('PUT', '/d1', { attachments: [{ id: 'none' }] })).body.error.message,
    /^attachments\.0\.id/,
  )
  assert.deepEqual((await call('PUT', '/d1', { attachments: [] })).body.data.attachments, [])
})

test('tracking options merge; domain_name is inherited, and without opens and links there is none', async () => {
  await create({ tracking_options: { opens: true, label: 'L', domain_name: 't.example' } })
  const put = (options: object) => call('PUT', '/d1', { tracking_options: options })
  assert.deepEqual((await put({ links: true })).body.data.tracking_options, {
    opens: true,
    links: true,
    thread_replies: false,
    label: 'L',
  })
  const { draftTracking } = app.database.stores
  const stored = async () => (await draftTracking.find(app.grant.id, ['d1'])).get('d1')
  assert.equal((await stored())?.domain_name, 't.example')
  await put({ opens: false, links: false, thread_replies: true })
  assert.deepEqual(await stored(), { opens: false, links: false, thread_replies: true, label: 'L' })
  assert.equal((await put({ domain_name: 'x.example' })).status, 400)
  await put({ thread_replies: false })
  assert.equal(await stored(), undefined)
})

test('sends a draft as each SDK asks for it', async () => {
  for (const head of [
    'Content-Type: application/json\r\nContent-Length: 0\r\n\r\n',
    'Content-Length: 0\r\n\r\n',
    'Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}',
  ]) {
    const { id } = await create({
      to: [{ email: 'ada@acme.example' }],
      subject: 'S',
      body: '<p>x</p>',
      metadata: { key1: 'v' },
    })
    const answer = await rawRequest(
      app.port,
      `POST ${app.base}/drafts/${id} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${app.key}\r\nConnection: close\r\n${head}`,
    )
    assert.equal(answer.status, 200, answer.body)
    const { data } = JSON.parse(answer.body)
    assert.deepEqual(
      [data.object, data.thread_id, data.folders, data.metadata, data.schedule_id],
      ['message', 't1', ['SENT'], { key1: 'v' }, ''],
    )
    const find = (kind: 'draft' | 'message', of: string) =>
      app.database.stores.metadata.find({ grantId: app.grant.id, kind }, [of])
    assert.equal((await find('draft', id)).size, 0)
    assert.deepEqual((await find('message', data.id)).get(data.id), { key1: 'v' })
  }
  assert.equal((await call('POST', '/none', {})).status, 404)
})

test('sends a draft with a signature and with tracking; a failed send leaves the draft as it was', async () => {
  await create({ to: [{ email: 'ada@acme.example' }], body: '<p>x</p>', tracking_options: { opens: true } })
  app.onSend = () => Promise.reject(new ProviderError('rejected', 'no'))
  assert.equal((await call('POST', '/d1', { signature_id: 's' })).status, 402)
  assert.equal(app.drafts.get('d1')?.wire.body, '<p>x</p>')
  app.onSend = () => Promise.resolve()
  const answer = await call('POST', '/d1', { signature_id: 's' })
  assert.equal(answer.status, 200, answer.text)
  assert.equal(answer.body.data.body, '<p>x</p><br><b>s</b>')
  assert.equal(app.sent[0]?.source, '<p>x</p><br><b>s</b><img src="pixel">')
  assert.deepEqual(prepared.at(-1), { opens: true })
  assert.equal((await app.database.stores.draftTracking.find(app.grant.id, ['d1'])).size, 0)
})

test('deletes a draft with what this server keeps about it', async () => {
  await create({ metadata: { key1: 'v' }, tracking_options: { opens: true } })
  const answer = await call('DELETE', '/d1', {})
  assert.deepEqual([answer.status, answer.body], [200, { request_id: answer.body.request_id }])
  const { metadata, draftTracking } = app.database.stores
  assert.equal((await metadata.find({ grantId: app.grant.id, kind: 'draft' }, ['d1'])).size, 0)
  assert.equal((await draftTracking.find(app.grant.id, ['d1'])).size, 0)
  assert.equal((await call('DELETE', '/d1')).status, 404)
})
