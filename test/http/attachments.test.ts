import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:http'
import { PassThrough, Readable } from 'node:stream'
import { after, before, beforeEach, test } from 'node:test'
import type { Attachment } from '../../src/contract/message.ts'
import type { AttachmentRef, Mail, OpenedAttachment } from '../../src/core/ports/mail.ts'
import type { GrantRecord } from '../../src/core/ports/records.ts'
import { ProviderError } from '../../src/kit/provider-error.ts'
import { type MailWorld, startMailWorld } from '../support/mail-world.ts'

let world: MailWorld
let grant: GrantRecord
let base: string
let calls: AttachmentRef[] = []
/** What the provider opens next. */
let opens: () => Omit<OpenedAttachment, 'attachment'> & { readonly filename?: string }

const never = () => Promise.reject(new Error('not asked'))
const yahoo: Mail = { messages: { list: never, find: never }, folders: { list: never, find: never } }

function anAttachment(id: string, filename = 'chart.png'): Attachment {
  return {
    id,
    grant_id: grant.id,
    filename,
    content_type: 'image/png; name="chart.png"',
    size: 2048,
    is_inline: true,
    content_id: 'chart1',
    content_disposition: 'inline; filename="chart.png"',
  }
}

const google: Mail = {
  ...yahoo,
  attachments: {
    async find(session, ref) {
      calls.push(ref)
      session.spend({ requests: 1, gmailUnits: 20 })
      if (ref.attachmentId === 'gone') throw new ProviderError('not-found', 'no such attachment')
      return anAttachment(ref.attachmentId)
    },
    async open(session, ref) {
      calls.push(ref)
      session.spend({ requests: 2, gmailUnits: 40 })
      if (ref.attachmentId === 'gone') throw new ProviderError('not-found', 'no such attachment')
      const { filename, ...opened } = opens()
      return { attachment: anAttachment(ref.attachmentId, filename), ...opened }
    },
  },
}

before(async () => {
  world = await startMailWorld({ google, yahoo })
  grant = await world.addGrant()
  base = `/v3/grants/${grant.id}`
})
after(() => world.stop())
beforeEach(() => {
  calls = []
  opens = () => ({ content: Readable.from([Buffer.from('hello')]), sizeBytes: 5 })
})

const call = (path: string) => world.app.call('GET', base + path)

function download(path: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(world.app.url + base + path, {
    headers: { authorization: `Bearer ${world.app.key}`, ...headers },
  })
}

/** Downloads over a plain socket's worth of HTTP, to see the answer begin and how it ends. */
async function beginDownload(path: string) {
  const outgoing = request(world.app.url + base + path, {
    headers: { authorization: `Bearer ${world.app.key}` },
    agent: false,
  })
  outgoing.end()
  const [answer] = await once(outgoing, 'response')
  return { outgoing, answer: answer as Readable & { statusCode: number; complete: boolean } }
}

const IDS: readonly (readonly [path: string, id: string])[] = [
  ['a0.MS4yOjIwNDg', 'a0.MS4yOjIwNDg'],
  ['v0:VGVzdA==:YXBw/bGlj=:10132', 'v0:VGVzdA==:YXBw/bGlj=:10132'],
  [encodeURIComponent('v0:VGVzdA==:YXBw/bGlj=:10132'), 'v0:VGVzdA==:YXBw/bGlj=:10132'],
  ['a+b%2Bc/d', 'a+b+c/d'],
]
for (const [path, id] of IDS) {
  test(`finds and downloads ${path}, and at the place where the command line tool looks`, async () => {
    const message = encodeURIComponent('<a/b+c#d@x>')
    for (const [url, expected] of [
      [`/attachments/${path}?message_id=${message}&query_imap=true`, { messageId: '<a/b+c#d@x>' }],
      [`/messages/${message}/attachments/${path}?x=y`, { messageId: '<a/b+c#d@x>' }],
      [
        `/attachments/${path}?message_id=m1&shared_from=s@x.example`,
        { messageId: 'm1', sharedFrom: 's@x.example' },
      ],
    ] as const) {
      const found = await call(url)
      assert.deepEqual(found.body, { request_id: found.body.request_id, data: anAttachment(id) })
      assert.deepEqual(calls.pop(), { ...expected, attachmentId: id })
      const bytes = await download(url.replace('?', '/download?'))
      assert.equal(bytes.status, 200)
      assert.equal(await bytes.text(), 'hello')
      assert.deepEqual(calls.pop(), { ...expected, attachmentId: id })
    }
  })
}

test('downloads bytes as they are, with their length, name and cost', async () => {
  const content = Buffer.from(Array.from({ length: 300_000 }, (_, n) => n % 251))
  opens = () => ({
    content: Readable.from([content.subarray(0, 100_000), content.subarray(100_000)]),
    sizeBytes: content.length,
    filename: `Q1 "figures"; ✉ it's (1)*\r\nx: y\ud800.png`,
  })
  const answer = await download('/attachments/a/download?message_id=m1', { 'accept-encoding': 'gzip' })
  assert.deepEqual(Buffer.from(await answer.arrayBuffer()), content)
  const { headers } = answer
  assert.equal(headers.get('content-type'), 'application/octet-stream')
  assert.equal(headers.get('content-length'), '300000')
  assert.equal(headers.get('content-encoding'), null)
  assert.equal(
    headers.get('content-disposition'),
    "attachment; filename*=UTF-8''Q1%20%22figures%22%3B%20%E2%9C%89%20it%27s%20%281%29%2A%0D%0Ax%3A%20y%EF%BF%BD.png",
  )
  assert.match(headers.get('x-request-id') ?? '', /^[0-9a-f-]{36}$/)
  assert.equal(headers.get('nylas-provider-request-count'), '2')
  assert.equal(headers.get('nylas-gmail-quota-usage'), '40')
})

test('downloads what is empty, has no name, or is of unknown length', async () => {
  opens = () => ({ content: Readable.from([]), sizeBytes: 0, filename: '' })
  const empty = await download('/attachments/a/download?message_id=m1')
  assert.equal(await empty.text(), '')
  assert.equal(empty.headers.get('content-disposition'), 'attachment')
  opens = () => ({ content: Readable.from([Buffer.from('ab'), Buffer.from('c')]) })
  const unknown = await download('/attachments/a/download?message_id=m1')
  assert.equal(await unknown.text(), 'abc')
  assert.equal(unknown.headers.get('content-length'), null)
})

test('answers errors as JSON, those of the first byte included', async () => {
  const failing = (error: Error) => () => ({
    content: new Readable({
      read() {
        this.destroy(error)
      },
    }),
    sizeBytes: 5,
  })
  opens = failing(new ProviderError('unavailable', 'the provider fails'))
  for (const [path, status, type] of [
    ['/attachments/a/download?message_id=m1', 504, 'api.provider_error'],
    ['/attachments/gone/download?message_id=m1', 404, 'not_found_error'],
    ['/attachments/gone?message_id=m1', 404, 'not_found_error'],
    ['/attachments/a', 400, 'api.invalid_request_error'],
    ['/attachments/a?message_id=', 400, 'api.invalid_request_error'],
    ['/attachments/a/download', 400, 'api.invalid_request_error'],
    ['/attachments/?message_id=m1', 404, 'api.not_found_error'],
    ['/attachments/download?message_id=m1', 200, undefined],
  ] as const) {
    const answer = await call(path)
    assert.deepEqual([answer.status, answer.body.error?.type], [status, type], path)
    assert.equal(answer.headers.get('content-type'), 'application/json')
    assert.equal(answer.headers.get('content-disposition'), null)
  }
  assert.match((await call('/attachments/a')).body.error.message, /message_id/)
})

for (const [name, open, fail] of [
  [
    'the provider fails',
    () => ({ sizeBytes: 10 }),
    (content: PassThrough) => content.destroy(new ProviderError('unavailable', 'x')),
  ],
  [
    'the provider fails and the length is not known',
    () => ({}),
    (content: PassThrough) => content.destroy(new ProviderError('unavailable', 'x')),
  ],
  ['fewer bytes come than announced', () => ({ sizeBytes: 10 }), (content: PassThrough) => content.end()],
  ['more bytes come than announced', () => ({ sizeBytes: 6 }), (content: PassThrough) => content.end('xx')],
] as const) {
  test(`cuts the connection where ${name} in the middle`, async () => {
    const content = new PassThrough()
    content.write('hello')
    opens = () => ({ ...open(), content })
    const { answer } = await beginDownload('/attachments/a/download?message_id=m1')
    assert.equal(answer.statusCode, 200)
    await once(answer, 'readable')
    fail(content)
    await assert.rejects(async () => {
      for await (const chunk of answer) assert.ok(chunk)
    })
    assert.equal(answer.complete, false)
  })
}

test('stops the stream of the provider when the client hangs up', async () => {
  for (const first of ['hello', '']) {
    const content = new PassThrough()
    if (first) content.write(first)
    opens = () => ({ content })
    // It may be destroyed with an error or without.
    content.on('error', () => undefined)
    const closed = new Promise((resolve) => content.on('close', resolve))
    if (first) {
      const { outgoing } = await beginDownload('/attachments/a/download?message_id=m1')
      outgoing.destroy()
    } else {
      // Hung up before the first byte.
      const outgoing = request(`${world.app.url}${base}/attachments/a/download?message_id=m1`, {
        headers: { authorization: `Bearer ${world.app.key}` },
        agent: false,
      })
      outgoing.on('error', () => undefined)
      outgoing.end()
      while (calls.length === 1) await new Promise((resolve) => setImmediate(resolve))
      outgoing.destroy()
    }
    await closed
    assert.equal(content.destroyed, true)
  }
})

test('holds no more than a little of an attachment that nobody reads', async () => {
  let given = 0
  const chunk = Buffer.alloc(64 * 1024)
  opens = () => ({
    content: new Readable({
      read() {
        given += chunk.length
        this.push(given > 512 * 1024 * 1024 ? null : chunk)
      },
    }),
  })
  const { outgoing, answer } = await beginDownload('/attachments/a/download?message_id=m1')
  await once(answer, 'readable')
  let before = -1
  // Until the kernel's buffers are full, too.
  while (before !== given) {
    before = given
    for (let turn = 0; turn < 200; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  }
  assert.ok(given < 64 * 1024 * 1024, `${given} bytes were read ahead`)
  outgoing.destroy()
})

test('says that a grant of this provider cannot read attachments', async () => {
  const other = await world.addGrant({ provider: 'yahoo' })
  for (const path of ['a', 'a/download']) {
    const answer = await world.app.call('GET', `/v3/grants/${other.id}/attachments/${path}?message_id=m`)
    assert.deepEqual(
      [answer.status, answer.body.error.message],
      [400, 'A yahoo grant cannot read attachments.'],
    )
  }
})
