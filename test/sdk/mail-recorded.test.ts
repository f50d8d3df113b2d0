// What the official SDKs of Ruby and Java were recorded to send for mail, on the wire as it was, over the sandbox.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { startGoogleMail } from './mail-suite-worlds.ts'

let google: Awaited<ReturnType<typeof startGoogleMail>>
before(async () => {
  google = await startGoogleMail()
})
after(() => google.stop())

/** The size of the file that both SDKs were given: just enough to make them send multipart. */
const FILE_LENGTH = 3_145_828

interface Reply {
  readonly status: number
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into bodies freely
  readonly body: any
}

/** What the SDK's models cannot do without, and what later requests name. */
const EXPECTED: { readonly [name: string]: (reply: Reply, values: Map<string, string>) => void } = {
  list_any_email: isList,
  list(reply, values) {
    isList(reply)
    values.set('message_id', reply.body.data[0].id)
  },
  find: ({ status, body }, values) =>
    assert.deepEqual([status, body.data.id], [200, values.get('message_id')]),
  send({ status, body }) {
    assert.deepEqual([status, body.data.object], [200, 'message'])
  },
  send_multipart({ status, body }, values) {
    const [file, ...more] = body.data.attachments
    assert.deepEqual([status, file.filename, more], [200, 'big.bin', []])
    values.set('sent_id', body.data.id)
  },
  draft_create({ status, body }, values) {
    assert.deepEqual([status, body.data.object, Number.isInteger(body.data.date)], [200, 'draft', true])
    values.set('draft_id', body.data.id)
  },
  draft_find: ({ status, body }, values) =>
    assert.deepEqual(
      [status, body.data.id, body.data.grant_id],
      [200, values.get('draft_id'), google.grant.id],
    ),
  draft_send: ({ status, body }) => assert.deepEqual([status, body.data.object], [200, 'message']),
  threads_list(reply, values) {
    isList(reply)
    values.set('thread_id', reply.body.data[0].id)
  },
  thread_update: ({ status, body }) => assert.deepEqual([status, body.data.unread], [200, true]),
  send_later({ status, body }, values) {
    assert.equal(status, 202)
    values.set('schedule_id', body.data.schedule_id)
  },
  schedules(reply) {
    isList(reply)
    for (const { schedule_id, status } of reply.body.data)
      assert.deepEqual(
        [schedule_id, status.code, status.description].map((value) => typeof value),
        ['string', 'string', 'string'],
      )
  },
  folders_list: isList,
  folder_create({ status, body }, values) {
    assert.equal(status, 200)
    values.set('folder_id', body.data.id)
  },
  folder_destroy: isGone,
  message_destroy: isGone,
  find_nothing: ({ status, body }) =>
    assert.deepEqual(
      [status, body.error.type, typeof body.error.message],
      [404, 'not_found_error', 'string'],
    ),
}

for (const [recording, count] of [
  ['ruby-6.8.0-mail.http', 14],
  ['java-2.18.1-mail.http', 15],
] as const) {
  test(`every mail call of ${recording} is answered as the SDK needs it`, async () => {
    const text = readFileSync(join(import.meta.dirname, 'recorded', recording), 'utf8')
    const values = new Map([
      ['api_key', google.key],
      ['grant_id', google.grant.id],
      ['host', new URL(google.url).host],
      ['send_at', String(Math.floor(Date.now() / 1000) + 3600)],
      ['file', 'x'.repeat(FILE_LENGTH)],
      ['file_length', String(FILE_LENGTH)],
    ])
    const parts = text.split('\n### ').slice(1)
    assert.equal(parts.length, count)
    for (const part of parts) {
      const [, name = '', head = '', content = ''] = /^(\w+)\n(.*?)\n(?:\n(.*))?$/s.exec(part) ?? []
      const isForm = head.includes('multipart/form-data')
      const body = filled(content.trimEnd() + (isForm ? '\n' : ''), values).replaceAll('\n', '\r\n')
      const lines = filled(head.trimEnd(), values.set('length', String(Buffer.byteLength(body))))
      assert.ok(!lines.includes('{{'), `${name}: ${lines}`)
      const reply = await send(`${lines.replaceAll('\n', '\r\n')}\r\n\r\n${body}`)
      const check = EXPECTED[name]
      assert.ok(check, name)
      try {
        check(reply, values)
      } catch (error) {
        throw new Error(`${name}: ${JSON.stringify(reply).slice(0, 500)}`, { cause: error })
      }
    }
  })
}

function filled(text: string, values: ReadonlyMap<string, string>): string {
  return text.replaceAll(/\{\{(\w+)\}\}/g, (whole, name: string) => values.get(name) ?? whole)
}

function isList({ status, body }: Reply): void {
  assert.deepEqual([status, Array.isArray(body.data)], [200, true])
}

function isGone({ status, body }: Reply): void {
  assert.deepEqual([status, Object.keys(body)], [200, ['request_id']])
}

/** Sends exact bytes on a connection of their own, and reads until the answer's length is there. */
function send(request: string): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(google.url).port), '127.0.0.1', () => socket.write(request))
    let got = Buffer.alloc(0)
    socket.setTimeout(20_000, () => socket.destroy(new Error('no whole answer')))
    socket.on('error', reject)
    socket.on('close', () => reject(new Error(`closed after ${got.toString('latin1').slice(0, 500)}`)))
    socket.on('data', (chunk) => {
      got = Buffer.concat([got, chunk])
      const end = got.indexOf('\r\n\r\n')
      const head = got.subarray(0, Math.max(end, 0)).toString('latin1')
      const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? Number.NaN)
      const body = got.subarray(end + 4)
      if (end < 0 || !(body.length >= length)) return
      socket.destroy()
      // Ruby compares the content type as a whole.
      if (!/^content-type: application\/json$/im.test(head)) return reject(new Error(head))
      const plain = /^content-encoding: gzip$/im.test(head) ? gunzipSync(body) : body
      resolve({ status: Number(head.split(' ')[1]), body: JSON.parse(plain.toString('utf8')) })
    })
  })
}
