import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, beforeEach, test } from 'node:test'
import { type OutgoingApp, startOutgoingApp } from '../support/outgoing-app.ts'

// Forms as each SDK writes them (contract/email.md 4.3 and 17).

let app: OutgoingApp
before(async () => {
  app = await startOutgoingApp()
})
after(() => app.close())
beforeEach(() => {
  app.sent.length = 0
})

const B = '----b0undary'
const JSON_TEXT = JSON.stringify({
  to: [{ email: 'ada@acme.example' }],
  subject: 'Ünïcode',
  body: '<p>Hi <img src="cid:chart1"></p>',
})

/** A part: its headers as lines, and its content. */
type Part = readonly [headers: readonly string[], content: string]
const disposition = (rest: string) => `Content-Disposition: form-data; ${rest}`

function bodyOf(parts: readonly Part[]): string {
  const text = parts.map(([headers, content]) => `--${B}\r\n${headers.join('\r\n')}\r\n\r\n${content}\r\n`)
  return `${text.join('')}--${B}--\r\n`
}

const post = (
  parts: readonly Part[] | string,
  path = '/messages/send',
  type = `multipart/form-data; boundary=${B}`,
) =>
  app.call('POST', app.base + path, typeof parts === 'string' ? parts : bodyOf(parts), {
    'content-type': type,
  })

function shown() {
  const [sent] = app.sent
  return (sent?.message?.attachments ?? []).map(({ filename, contentType, contentId, isInline }, index) => [
    filename,
    contentType,
    contentId ?? null,
    isInline,
    sent?.files[index]?.toString(),
  ])
}

const NODE: readonly Part[] = [
  [[disposition('name="message"')], JSON_TEXT],
  [[disposition('name="chart1"; filename="chart.png"'), 'Content-Type: image/png'], 'PNG'],
  [[disposition('name="file0"; filename="a.txt"'), 'Content-Type: text/plain'], 'text'],
]
const EXPECTED = [
  ['chart.png', 'image/png', 'chart1', true, 'PNG'],
  ['a.txt', 'text/plain', null, false, 'text'],
]

test('reads the form of the Node SDK, chunked and cut anywhere', async () => {
  const body = Buffer.from(bodyOf(NODE), 'utf8')
  const head =
    `POST ${app.base}/messages/send HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${app.key}\r\n` +
    `Content-Type: multipart/form-data; boundary=${B}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n`
  const chunks: string[] = []
  for (let at = 0; at < body.length; at += 7) {
    const chunk = body.subarray(at, at + 7).toString('latin1')
    chunks.push(`${chunk.length.toString(16)}\r\n${chunk}\r\n`)
  }
  const answer = await rawBytes(`${head}${chunks.join('')}0\r\n\r\n`)
  assert.match(answer, /^HTTP\/1\.1 200 /)
  assert.deepEqual(shown(), EXPECTED)
  assert.equal(app.sent[0]?.message?.subject, 'Ünïcode')
})

test('reads the form of the Python SDK, whose message is a file without a name', async () => {
  const answer = await post([
    [[disposition('name="message"; filename=""'), 'Content-Type: application/json'], JSON_TEXT],
    ...NODE.slice(1),
  ])
  assert.equal(answer.status, 200, answer.text)
  assert.deepEqual(shown(), EXPECTED)
})

test('reads the form of the Ruby SDK, whose files come first', async () => {
  const answer = await post([...NODE.slice(1), ...NODE.slice(0, 1)])
  assert.equal(answer.status, 200, answer.text)
  assert.deepEqual(shown(), EXPECTED)
})

test('reads the form of the Java SDK, and the part name of the published description', async () => {
  const answer = await post([
    [
      [disposition('name="draft"'), 'Content-Type: application/json; charset=utf-8', 'Content-Length: 9'],
      JSON_TEXT,
    ],
    [[disposition('name="file0"; filename="chart.png"'), 'Content-Type: image/png'], 'PNG'],
  ])
  assert.equal(answer.status, 200, answer.text)
  assert.deepEqual(shown(), [['chart.png', 'image/png', null, false, 'PNG']])
})

test('a name of any other kind is a content id, inline only where the HTML shows it', async () => {
  const part = (name: string): Part => [[disposition(`name="${name}"; filename="${name}.x"`)], name]
  await post([
    ...NODE.slice(0, 1),
    ...['file', 'attachment', 'attachments3', 'attachments[]', 'chart', 'chart1'].map(part),
  ])
  assert.deepEqual(
    shown().map(([, , contentId, isInline]) => [contentId, isInline]),
    [
      [null, false],
      [null, false],
      [null, false],
      [null, false],
      ['chart', false],
      ['chart1', true],
    ],
  )
})

test('reads hard file names', async () => {
  const file = (name: string): Part => [
    [disposition(`name="file1"; ${name}`), 'Content-Type: text/plain'],
    '',
  ]
  const answer = await post([
    ...NODE.slice(0, 1),
    file(`filename*=UTF-8''%e2%82%ac%20rates.txt`),
    file(`filename="na\u00efve \u65e5\u672c.txt"`),
    file(`filename="with \\"quotes\\".txt"`),
    file('filename="../../etc/passwd"'),
    file('size=1'),
  ])
  assert.equal(answer.status, 200, answer.text)
  assert.deepEqual(
    shown().map(([name]) => name),
    ['€ rates.txt', 'naïve 日本.txt', 'with "quotes".txt', 'passwd', 'attachment5'],
  )
})

const MIME =
  'From: ben@globex.example\r\nTo: "Ada" <ada@acme.example>\r\nBcc: b@x.example\r\nSubject: =?utf-8?q?=C3=A9?=\r\n\r\nHello\r\n'

test('sends a raw message from a field or a file, and completes it', async () => {
  for (const rest of ['name="mime"', 'name="mime"; filename="message.eml"']) {
    const answer = await post([[[disposition(rest)], MIME]], '/messages/send?type=mime')
    assert.equal(answer.status, 200, answer.text)
    const { data } = answer.body
    assert.deepEqual(
      [data.subject, data.body.trim(), data.to, data.bcc, data.from, data.schedule_id],
      [
        'é',
        'Hello',
        [{ email: 'ada@acme.example', name: 'Ada' }],
        [{ email: 'b@x.example' }],
        [{ email: 'ben@globex.example' }],
        '',
      ],
    )
  }
  assert.match(
    app.sent[0]?.source ?? '',
    /^Date: .*\+0000\r\nMessage-ID: <[0-9a-f-]+@globex\.example>\r\nFrom: ben/,
  )
})

test('refuses a raw message without what it needs', async () => {
  const raw = (parts: readonly Part[]) => post(parts, '/messages/send?type=mime')
  for (const [answer, message] of [
    [await raw(NODE), /^mime is required/],
    [await raw([[[disposition('name="mime"')], 'Subject: x\r\n\r\nto nobody']]), /^mime has no recipient/],
    [await raw([[[disposition('name="mime"')], '']]), /^mime has no recipient/],
    [await post(NODE, '/messages/send?type=eml'), /^type /],
    [await app.call('POST', `${app.base}/messages/send?type=mime`, {}), /^mime is required/],
  ] as const) {
    assert.deepEqual([answer.status, answer.body.error.type], [400, 'api.invalid_request_error'])
    assert.match(answer.body.error.message, message)
  }
})

const BROKEN: readonly (readonly [what: string, body: string, type?: string])[] = [
  ['an empty body', ''],
  ['no parts', `--${B}--\r\n`],
  ['an end that is missing', bodyOf(NODE).slice(0, -20)],
  ['a part without a name', bodyOf([[['Content-Type: text/plain'], 'x']])],
  ['another boundary', bodyOf(NODE), 'multipart/form-data; boundary=other'],
  ['no boundary', bodyOf(NODE), 'multipart/form-data'],
  ['broken JSON', bodyOf([[[disposition('name="message"')], '{']])],
  ['JSON that is no object', bodyOf([[[disposition('name="message"')], '[]']])],
  ['deep JSON', bodyOf([[[disposition('name="message"')], `{"a":${'['.repeat(5000)}${']'.repeat(5000)}}`]])],
  ['bytes', '\u0000\u0001'.repeat(500)],
]
for (const [what, body, type] of BROKEN) {
  test(`answers 400 to a form with ${what}`, async () => {
    const answer = await post(body, '/messages/send', type)
    assert.equal(answer.status, 400, answer.text)
    assert.match(answer.body.error.type, /^api\.invalid_request_(payload|error)$/)
    assert.deepEqual(app.sent, [])
  })
}

test('refuses a form over 25 MB with 413, and one with too many parts', async () => {
  const huge = 'x'.repeat(25 * 1024 * 1024)
  const answer = await post([...NODE.slice(0, 1), [[disposition('name="file0"; filename="x"')], huge]])
  assert.deepEqual([answer.status, answer.body.error.type], [413, 'api.invalid_request_error'])
  const many = Array.from({ length: 1001 }, (_, index): Part => [[disposition(`name="file${index}"`)], ''])
  assert.equal((await post(many)).status, 413)
  assert.deepEqual(app.sent, [])
})

test('drafts take the same forms', async () => {
  const answer = await post(NODE, '/drafts')
  assert.equal(answer.status, 200, answer.text)
  assert.deepEqual(
    answer.body.data.attachments.map(({ filename, is_inline }: Record<string, unknown>) => [
      filename,
      is_inline,
    ]),
    [
      ['chart.png', true],
      ['a.txt', false],
    ],
  )
})

test('other routes take no forms', async () => {
  const answer = await post(NODE, '/folders')
  assert.ok([405, 415].includes(answer.status), answer.text)
})

test('a client that hangs up in the middle of a form hurts nobody', async () => {
  await new Promise<void>((resolve) => {
    const socket = connect(app.port, '127.0.0.1', () => {
      const head = `POST ${app.base}/messages/send HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${app.key}\r\nContent-Type: multipart/form-data; boundary=${B}\r\nContent-Length: 100000\r\n\r\n`
      socket.write(head + bodyOf(NODE).slice(0, 200), () => socket.destroy())
    })
    socket.on('close', () => resolve())
  })
  assert.equal((await post(NODE)).status, 200)
  assert.equal(app.sent.length, 1)
})

/** The bytes of a latin1 string are the request. */
function rawBytes(request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(app.port, '127.0.0.1', () => socket.write(request, 'latin1'))
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk.toString('utf8')
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(text))
  })
}
