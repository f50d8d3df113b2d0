// The acceptance list of the wire contract for mail, line by line, over HTTP as the SDKs speak it; the lines that need
// a real mail server are in mail-languages.servers.test.ts and mail-suite, whole SDKs of other languages in mail-languages.
// Needs no server outside, but too many seconds for the fast tests.
import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { startGoogleMail, startMicrosoftMail } from './mail-suite-worlds.ts'
import { apiError, everyItem, idsOf } from './sdk-client.ts'

let google: Awaited<ReturnType<typeof startGoogleMail>>
let microsoft: Awaited<ReturnType<typeof startMicrosoftMail>>
before(async () => {
  google = await startGoogleMail()
  microsoft = await startMicrosoftMail()
})
after(async () => {
  // Both end, whatever one of them finds to complain about.
  for (const ended of await Promise.allSettled([google.stop(), microsoft.stop()]))
    if (ended.status === 'rejected') throw ended.reason
})

interface Answer {
  readonly status: number
  readonly headers: Headers
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into bodies freely
  readonly body: any
}

/** One call to a path under google's grant; whatever comes back is JSON of exactly that type. */
async function call(
  method: string,
  path: string,
  body?: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(`${google.url}/v3/grants/${google.grant.id}${path}`, {
    method,
    headers: { authorization: `Bearer ${google.key}`, ...headers },
    ...(body === undefined ? {} : { body }),
  })
  // Ruby compares the whole header.
  assert.equal(response.headers.get('content-type'), 'application/json')
  const { status, headers: got } = response
  const answer: Answer = { status, headers: got, body: await response.json() }
  assert.equal(answer.body.request_id, response.headers.get('x-request-id'))
  return answer
}
const json = { 'content-type': 'application/json' }
const messageOf = (subject: string, more: object = {}) =>
  JSON.stringify({ to: [{ email: 'ben@globex.example' }], subject, body: '<p>x</p>', ...more })

/** A multipart body as it is on the wire. */
function multipart(parts: readonly (readonly [head: string, content: string | Buffer])[]) {
  const boundary = `b${randomUUID()}`
  const body = Buffer.concat([
    ...parts.flatMap(([head, content]) => [
      Buffer.from(`--${boundary}\r\n${head}\r\n\r\n`),
      Buffer.from(content),
      Buffer.from('\r\n'),
    ]),
    Buffer.from(`--${boundary}--\r\n`),
  ])
  return [new Uint8Array(body), { 'content-type': `multipart/form-data; boundary=${boundary}` }] as const
}
const file = (name: string, content: Buffer) =>
  [
    `Content-Disposition: form-data; name="${name}"; filename="a.bin"\r\nContent-Type: application/octet-stream`,
    content,
  ] as const

test('list, find, send and delete have the content type that Ruby wants, and no answer is empty', async () => {
  const listed = await call('GET', '/messages?limit=2')
  assert.deepEqual([listed.status, listed.body.data.length], [200, 2])
  const sent = await call('POST', '/messages/send', messageOf('ruby'), json)
  assert.deepEqual([sent.status, sent.body.grant_id], [200, google.grant.id])
  assert.equal((await call('GET', `/messages/${sent.body.data.id}`)).status, 200)
  const deleted = await call('DELETE', `/messages/${sent.body.data.id}`, '{}', json)
  assert.deepEqual([deleted.status, Object.keys(deleted.body)], [200, ['request_id']])
})

test('the message part of Python, which looks like a file, is the message', async () => {
  const content = randomBytes(100)
  const head = 'Content-Disposition: form-data; name="message"; filename=""\r\nContent-Type: application/json'
  const sent = await call(
    'POST',
    '/messages/send',
    ...multipart([[head, messageOf('python')], file('file0', content)]),
  )
  assert.deepEqual([sent.status, sent.body.data.subject], [200, 'python'], JSON.stringify(sent.body))
  assert.deepEqual(
    sent.body.data.attachments.map(({ filename }: { filename: string }) => filename),
    ['a.bin'],
  )
})

test('the message part of Ruby may come after the files', async () => {
  const content = randomBytes(3 * 1_048_576)
  const sent = await call(
    'POST',
    '/messages/send',
    ...multipart([
      file('file0', content),
      ['Content-Disposition: form-data; name="message"', messageOf('ruby, files first')],
    ]),
  )
  assert.deepEqual([sent.status, sent.body.data.subject], [200, 'ruby, files first'])
  const { id } = sent.body.data
  const { nylas, grant } = google
  const { data } = await nylas.messages.find({ identifier: grant.id, messageId: id })
  const bytes = await nylas.attachments.downloadBytes({
    identifier: grant.id,
    attachmentId: data.attachments?.[0]?.id ?? '',
    queryParams: { messageId: id },
  })
  assert.ok(bytes.equals(content))
})

test('Node’s list ends when more is asked for than there may be, and its iterator without a cursor', async () => {
  const { nylas, grant } = google
  const many = await nylas.messages.list({ identifier: grant.id, queryParams: { limit: 5000, select: 'id' } })
  assert.equal(many.nextCursor, undefined)
  const pages = nylas.messages.list({ identifier: grant.id, queryParams: { limit: 200, select: 'id' } })
  assert.deepEqual(idsOf(await everyItem(pages)), idsOf(many.data))
})

test('every spelling of a boolean and of a list gives the same', async () => {
  const ids = async (query: string) => {
    const { status, body } = await call('GET', `/messages?limit=200&${query}`)
    assert.equal(status, 200, query)
    return idsOf(body.data)
  }
  const unread = await ids('unread=true')
  assert.ok(unread.length > 0)
  for (const value of ['True', '1', 'TRUE']) assert.deepEqual(await ids(`unread=${value}`), unread, value)
  const { data } = await google.nylas.messages.list({ identifier: google.grant.id })
  const found = [...new Set(data.flatMap(({ from }) => from?.map(({ email }) => email) ?? []))].slice(0, 2)
  const [a = '', b = ''] = found.map(encodeURIComponent)
  const together = await ids(`any_email=${a}%2C${b}`)
  for (const one of [a, b])
    for (const id of await ids(`any_email=${one}`)) assert.ok(together.includes(id), one)
  for (const query of [`any_email=${a}&any_email=${b}`, `any_email=${a},${b}`])
    assert.deepEqual(await ids(query), together, query)
})

test('an unknown route is an error that every SDK can read', async () => {
  for (const [method, path] of [
    ['GET', '/nothing/at/all'],
    ['POST', '/messages/a/b/c'],
    ['PATCH', '/messages'],
  ] as const) {
    const { status, body } = await call(method, path)
    assert.ok([404, 405].includes(status), `${method} ${path}: ${status}`)
    assert.deepEqual([typeof body.error.type, typeof body.error.message], ['string', 'string'])
  }
  await assert.rejects(
    google.nylas.messages.find({ identifier: google.grant.id, messageId: '' }),
    (error: { statusCode?: number }) => [200, 400, 404].includes(error.statusCode ?? 200),
  )
})

test('drafts, threads, schedules and errors have every field that Java must have', async () => {
  const has = (object: Record<string, unknown>, fields: readonly string[]) => {
    for (const field of fields) assert.ok(object[field] !== undefined && object[field] !== null, field)
  }
  const draft = await call('POST', '/drafts', JSON.stringify({ subject: 'no recipient yet' }), json)
  has(draft.body.data, ['id', 'grant_id', 'date'])
  assert.ok(Number.isInteger(draft.body.data.date))
  const threads = await call('GET', '/threads?limit=5')
  for (const thread of threads.body.data) {
    has(thread, ['id', 'grant_id', 'message_ids', 'folders', 'latest_draft_or_message', 'participants'])
    for (const name of ['has_drafts', 'starred', 'unread']) assert.equal(typeof thread[name], 'boolean')
    assert.ok(['message', 'draft'].includes(thread.latest_draft_or_message.object))
  }
  const sendAt = Math.floor(Date.now() / 1000) + 3600
  const scheduled = await call('POST', '/messages/send', messageOf('later', { send_at: sendAt }), json)
  assert.equal(scheduled.status, 202)
  assert.equal(scheduled.body.schedule_id, scheduled.body.data.schedule_id)
  const schedules = await call('GET', '/messages/schedules')
  assert.ok(Array.isArray(schedules.body.data))
  for (const schedule of schedules.body.data) {
    has(schedule, ['schedule_id', 'status'])
    has(schedule.status, ['code', 'description'])
  }
  const stopped = await call('DELETE', `/messages/schedules/${scheduled.body.data.schedule_id}`)
  assert.deepEqual([stopped.status, typeof stopped.body.data.message], [202, 'string'])
  const refused = await call('GET', '/messages?limit=x')
  has(refused.body.error, ['type', 'message'])
})

test('an empty body that says it is JSON sends a draft, as no body and an empty object do', async () => {
  for (const [body, headers] of [
    ['', json], // Java
    [undefined, {}], // Python
    ['{}', json], // Node and Ruby
  ] as const) {
    const draft = await call('POST', '/drafts', messageOf('a draft'), json)
    const sent = await call('POST', `/drafts/${draft.body.data.id}`, body, headers)
    assert.deepEqual([sent.status, sent.body.data?.object], [200, 'message'], JSON.stringify(sent.body))
  }
})

test('3 MiB of a file in base64 are taken as JSON', async () => {
  const content = randomBytes(3 * 1_048_576).toString('base64')
  const attachments = [{ filename: 'a.bin', content_type: 'application/octet-stream', content }]
  const body = messageOf('large JSON', { attachments })
  assert.ok(body.length > 3.9 * 1_048_576)
  const sent = await call('POST', '/messages/send', body, json)
  assert.deepEqual([sent.status, sent.body.data.attachments[0].filename], [200, 'a.bin'])
})

test('an Idempotency-Key is replayed, refused for another message, held while it runs, and forgotten', async () => {
  const key = { ...json, 'idempotency-key': randomUUID() }
  const send = (subject: string) => call('POST', '/messages/send', messageOf(subject), key)
  const [one, two] = await Promise.all([send('once'), send('once')])
  const [first, other] = one.status === 200 ? [one, two] : [two, one]
  assert.equal(first.status, 200)
  // The other one came while the first ran, or right after it.
  if (other.status === 409) assert.equal(other.body.error.type, 'api.concurrent_idempotent_request')
  else assert.equal(other.body.data.id, first.body.data.id)
  const replay = await send('once')
  assert.deepEqual([replay.status, replay.headers.get('idempotent-response')], [200, 'true'])
  assert.deepEqual(replay.body.data, first.body.data)
  const different = await send('twice')
  assert.deepEqual([different.status, different.body.error.type], [409, 'api.invalid_idempotent_request'])
  const long = await call('POST', '/messages/send', messageOf('x'), {
    ...json,
    'idempotency-key': 'k'.repeat(257),
  })
  assert.deepEqual([long.status, long.body.error.type], [400, 'api.invalid_idempotency_key'])
  google.app.clock.advance(3_601_000)
  const later = await send('once')
  assert.equal(later.status, 200, JSON.stringify(later.body))
  assert.notEqual(later.body.data.id, first.body.data.id)
})

test('the raw form of a message has its four fields', async () => {
  const { body } = await call('GET', '/messages?limit=3&fields=raw_mime')
  assert.equal(body.data.length, 3)
  for (const message of body.data)
    assert.deepEqual(Object.keys(message).toSorted(), ['grant_id', 'id', 'object', 'raw_mime'])
})

test('a Graph mailbox never has more than four calls at once, however many ask', async () => {
  const { nylas, grant, graph } = microsoft
  const lists = Array.from({ length: 20 }, (_, at) =>
    nylas.messages.list({ identifier: grant.id, queryParams: { limit: 20 + at } }),
  )
  for (const { data } of await Promise.all(lists)) assert.ok(data.length >= 20)
  assert.ok(graph.maxConcurrent() > 1 && graph.maxConcurrent() <= 4, String(graph.maxConcurrent()))
})

test('parts of a Gmail batch that failed are asked for again, and the list is whole', async () => {
  const { nylas, grant, sandbox } = google
  const list = async () => {
    const queryParams = { limit: 20, in: ['INBOX'] }
    return (await nylas.messages.list({ identifier: grant.id, queryParams })).data
  }
  const whole = await list()
  google.app.clock.advance(3_600_000) // what was read is remembered for a while
  sandbox.control.fail({ target: 'part', mode: '429', times: 3, retryAfterSeconds: 0 })
  assert.deepEqual(await list(), whole)
})

test('a message that moves at Microsoft keeps its id', async () => {
  const { nylas, grant } = microsoft
  const identifier = grant.id
  const { data: folders } = await nylas.folders.list({ identifier })
  const target = folders.find(({ name }) => name === 'Projekte')
  const [message] = (await nylas.messages.list({ identifier })).data
  assert.ok(target && message)
  const requestBody = { folders: [target.id] }
  const { data: moved } = await nylas.messages.update({ identifier, messageId: message.id, requestBody })
  assert.deepEqual([moved.id, moved.folders], [message.id, [target.id]])
  const { data: found } = await nylas.messages.find({ identifier, messageId: message.id })
  assert.deepEqual(found.folders, [target.id])
})

test('smart compose without a model says so to every caller', async () => {
  await assert.rejects(
    google.nylas.messages.smartCompose.composeMessage({
      identifier: google.grant.id,
      requestBody: { prompt: 'x' },
    }),
    apiError(400, 'invalid_request_error'),
  )
})
