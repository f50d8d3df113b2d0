import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import type { MessageTracking } from '../../src/core/ports/mail-services.ts'
import { ProviderError } from '../../src/kit/provider-error.ts'
import { type OutgoingApp, startOutgoingApp } from '../support/outgoing-app.ts'

let app: OutgoingApp
const scheduled: unknown[] = []
const tracked: unknown[] = []
const tracking: MessageTracking = {
  check: () => undefined,
  prepare: (_grant, { body }, options) =>
    Promise.resolve({ body: `${body}<img src="pixel">`, tracking: { id: 'tr', options, links: [] } }),
  sent: (_grant, prepared, { id, threadId }) => {
    tracked.push([prepared.id, id, threadId])
    return Promise.resolve()
  },
  optionsOf: () => Promise.resolve(new Map()),
}

before(async () => {
  app = await startOutgoingApp({
    parts: {
      tracking,
      signatures: { html: (_grant, id) => Promise.resolve(`<b>${id}</b>`) },
      templates: {
        render: (_grant, { id, variables }) =>
          Promise.resolve({ subject: `Subject of ${id}`, body: `<p>${String(variables?.['name'])}</p>` }),
      },
      scheduler: {
        schedule: (_grant, prepared, when) => {
          scheduled.push([prepared, when])
          return Promise.resolve('schedule-1')
        },
        leavingDrafts: () => Promise.resolve(new Set()),
      },
    },
    facts: { schedulesDrafts: true },
  })
})
after(() => app.close())
beforeEach(() => {
  app.sent.length = 0
  scheduled.length = 0
  tracked.length = 0
  app.onSend = () => Promise.resolve()
})

const TO = [{ email: 'ada@acme.example', name: 'Ada Moreau' }]
const send = (body: unknown, query = '', headers = {}) =>
  app.call('POST', `${app.base}/messages/send${query}`, body, headers)

test('refuses without a key', async () => {
  const answer = await send({ to: TO }, '', { authorization: 'Bearer none' })
  assert.deepEqual([answer.status, answer.body.error.type], [401, 'token.unauthorized_access'])
})

test('sends JSON and answers the message with grant_id at the top', async () => {
  const answer = await send({
    to: TO,
    cc: [{ email: 'c@acme.example' }],
    reply_to: [{ email: 'r@acme.example', name: '' }],
    bcc: null,
    subject: 'Re: Q1 figures',
    body: '<p>Thanks</p>',
    reply_to_message_id: 'm7',
    metadata: { key1: 'v' },
    unknown: 1,
    attachments: [
      { filename: 'é.txt', content_type: 'text/plain; charset=utf-8', content: 'aGV5', size: 3 },
      { filename: 'x.png', content_type: 'image/png', content: 'a-_\nA', content_id: '<logo>' },
    ],
  })
  assert.equal(answer.status, 200, answer.text)
  const file = { grant_id: app.grant.id, id: '' }
  assert.deepEqual(answer.body, {
    request_id: answer.headers.get('x-request-id'),
    grant_id: app.grant.id,
    data: {
      id: 's1',
      grant_id: app.grant.id,
      object: 'message',
      thread_id: 't1',
      date: 1_767_225_700,
      created_at: 1_767_225_700,
      subject: 'Re: Q1 figures',
      body: '<p>Thanks</p>',
      snippet: 'Thanks',
      from: [{ email: 'ben@globex.example', name: 'Ben Ito' }],
      to: TO,
      cc: [{ email: 'c@acme.example' }],
      bcc: [],
      reply_to: [{ email: 'r@acme.example' }],
      attachments: [
        {
          ...file,
          filename: 'é.txt',
          content_type: 'text/plain; charset=utf-8',
          size: 3,
          is_inline: false,
        },
        {
          ...file,
          filename: 'x.png',
          content_type: 'image/png',
          size: 3,
          content_id: 'logo',
          is_inline: true,
        },
      ],
      folders: ['SENT'],
      unread: false,
      starred: false,
      reply_to_message_id: 'm7',
      schedule_id: '',
      metadata: { key1: 'v' },
    },
  })
  assert.equal(answer.headers.get('nylas-provider-request-count'), '1')
  const [sent] = app.sent
  assert.match(sent?.message?.messageId ?? '', /^<[0-9a-f-]{36}@globex\.example>$/)
  assert.equal(sent?.message?.date, 1_767_225_600)
  assert.deepEqual(sent?.files.map(String), ['hey', Buffer.from('a+/A', 'base64').toString()])
  const kept = await app.database.stores.metadata.find({ grantId: app.grant.id, kind: 'message' }, ['s1'])
  assert.deepEqual(kept.get('s1'), { key1: 'v' })
})

test('answers headers in the asked form', async () => {
  const all = await send({ to: TO }, '?fields=include_headers')
  assert.deepEqual(
    all.body.data.headers.map(({ name }: { name: string }) => name),
    ['Message-ID', 'X-Made-By'],
  )
  const basic = await send({ to: TO }, '?fields=include_basic_headers')
  assert.deepEqual(
    basic.body.data.headers.map(({ name }: { name: string }) => name),
    ['Message-ID'],
  )
})

test('puts template, signature and tracking into the body, and shows it without tracking', async () => {
  const answer = await send({
    to: TO,
    template: { id: 'welcome', variables: { name: 'Ada' } },
    signature_id: 'sig',
    tracking_options: { opens: true, label: 'L' },
  })
  assert.equal(answer.status, 200, answer.text)
  const { subject, body, tracking_options } = answer.body.data
  assert.deepEqual(
    { subject, body, tracking_options },
    {
      subject: 'Subject of welcome',
      body: '<p>Ada</p><br><b>sig</b>',
      tracking_options: { opens: true, links: false, thread_replies: false, label: 'L' },
    },
  )
  assert.equal(app.sent[0]?.message?.body, '<p>Ada</p><br><b>sig</b><img src="pixel">')
  assert.deepEqual(tracked, [['tr', 's1', 't1']])
  const own = await send({
    to: TO,
    subject: 'Mine',
    template: { id: 'welcome' },
    body: '<body>x</body>',
    signature_id: 's',
  })
  assert.equal(own.body.data.subject, 'Mine')
  assert.equal(own.body.data.body, '<body>x<br><b>s</b></body>')
  // Lower case of İ is two characters.
  const turkish = await send({ to: TO, body: '<body>İİİİ</BODY>', signature_id: 's' })
  assert.equal(turkish.body.data.body, '<body>İİİİ<br><b>s</b></BODY>')
  const text = await send({ to: TO, body: 'x', is_plaintext: true, signature_id: 's' })
  assert.equal(text.body.data.body, 'x\ns')
})

test('schedules with 202 and the same at the top', async () => {
  const sendAt = 1_767_225_600 + 60
  const answer = await send({ to: TO, subject: 'Later', body: 'x', send_at: sendAt })
  assert.equal(answer.status, 202, answer.text)
  const schedule = { schedule_id: 'schedule-1', send_at: sendAt, use_draft: false }
  assert.deepEqual(answer.body, {
    request_id: answer.headers.get('x-request-id'),
    grant_id: app.grant.id,
    ...schedule,
    data: {
      grant_id: app.grant.id,
      object: 'message',
      subject: 'Later',
      body: 'x',
      snippet: 'x',
      from: [{ email: 'ben@globex.example', name: 'Ben Ito' }],
      to: TO,
      cc: [],
      bcc: [],
      reply_to: [],
      attachments: [],
      reply_to_message_id: '',
      ...schedule,
    },
  })
  assert.deepEqual([app.sent, scheduled.length], [[], 1])
  const draft = await send({ to: TO, send_at: 1_767_225_600 + 90 * 86_400, use_draft: true })
  assert.deepEqual([draft.status, draft.body.use_draft], [202, true])
})

const to = TO
const REFUSED: readonly (readonly [body: unknown, message: RegExp])[] = [
  [{}, /^to is required/],
  [{ to: null }, /^to is required/],
  [{ to: [] }, /^to /],
  [[], /must be a JSON object/],
  ['null', /^to is required/],
  [{ to: [{ name: 'x' }] }, /^to\.0\.email is required/],
  [{ to: [{ email: 'nobody' }] }, /^to\.0\.email must be an email address/],
  [{ to: [{ email: 'a@b.example\r\nBcc: c@d.example' }] }, /^to\.0\.email must be/],
  [{ to: [{ email: 'a\u0000@b.example' }] }, /^to\.0\.email must be/],
  [{ to: [{ email: 'a@b.example', name: 'x\nBcc: y' }] }, /^to\.0\.name must not contain line breaks/],
  [{ to, from: [{ email: 'a@b.example' }, { email: 'c@d.example' }] }, /^from /],
  [{ to, bcc: [{ email: 'a b@c.example' }] }, /^bcc\.0\.email/],
  [{ to, subject: 'x\r\nBcc: y' }, /^subject must not contain/],
  [{ to, subject: 7 }, /^subject /],
  [{ to, attachments: [{ filename: 'x' }] }, /^attachments\.0\.content is required/],
  [{ to, attachments: [{ filename: 'x', content: '!!!' }] }, /^attachments\.0\.content must be base64/],
  [{ to, attachments: [{ filename: 'x', content: 'abcde' }] }, /^attachments\.0\.content must be base64/],
  [{ to, attachments: [{ filename: 'x', content: 'ab=c' }] }, /^attachments\.0\.content must be base64/],
  [{ to, attachments: [{ filename: 'x\r\ny', content: '' }] }, /^attachments\.0\.filename must not/],
  [{ to, attachments: [{ content_type: 'a/b\r\nX: y', content: '' }] }, /^attachments\.0\.content_type/],
  [{ to, attachments: [{ content_id: 'a b', content: '' }] }, /^attachments\.0\.content_id/],
  [{ to, attachments: [{ id: 'up' }] }, /^attachments\.0\.id names no completed upload: up$/],
  [{ to, custom_headers: [{ name: 'Bcc', value: 'x' }] }, /^custom_headers\.0\.name: Bcc is set/],
  [{ to, custom_headers: [{ name: 'content-type', value: 'x' }] }, /^custom_headers\.0\.name/],
  [{ to, custom_headers: [{ name: 'X y', value: 'x' }] }, /^custom_headers\.0\.name is no header name/],
  [{ to, custom_headers: [{ name: 'X', value: 'x\r\ny' }] }, /^custom_headers\.0\.value/],
  [
    { to, reply_to_message_id: 'm', custom_headers: [{ name: 'References', value: 'x' }] },
    /^custom_headers\.0\.name: References is set by reply_to_message_id/,
  ],
  [{ to, use_draft: true }, /^use_draft needs send_at/],
  [{ to, send_at: 1_767_225_659 }, /^send_at must be at least 1 minute/],
  [{ to, send_at: 1_767_225_600 + 30 * 86_400 + 1 }, /^send_at must be at most 30 days/],
  [{ to, send_at: 1, use_draft: true }, /^send_at must be in the future/],
  [{ to, send_at: 'soon' }, /^send_at /],
  [{ to, tracking_options: { domain_name: 'x.example' } }, /^tracking_options\.domain_name needs/],
  [{ to, tracking_options: { opens: true, label: 'x'.repeat(2049) } }, /^tracking_options\.label /],
  [{ to, metadata: { a: 1 } }, /^metadata\.a must be a string/],
]
for (const [body, message] of REFUSED) {
  test(`refuses ${JSON.stringify(body).slice(0, 90)}`, async () => {
    const answer = await send(body)
    assert.deepEqual([answer.status, answer.body.error.type], [400, 'api.invalid_request_error'], answer.text)
    assert.match(answer.body.error.message, message)
    assert.deepEqual([app.sent, scheduled], [[], []])
  })
}

test('says which option this server does not have', async () => {
  const plain = await startOutgoingApp()
  try {
    for (const [fields, name] of [
      [{ signature_id: 's' }, 'signature_id'],
      [{ template: { id: 't' } }, 'template'],
    ] as const) {
      const answer = await plain.call('POST', `${plain.base}/messages/send`, { to, ...fields })
      assert.deepEqual(
        [answer.status, answer.body.error.message],
        [400, `${name} is not supported by this server`],
      )
    }
    const draft = { to, send_at: 1_767_225_900, use_draft: true }
    const answer = await plain.call('POST', `${plain.base}/messages/send`, draft)
    assert.match(answer.body.error.message, /^use_draft is not supported by google grants/)
  } finally {
    await plain.close()
  }
})

test('refuses over the ceiling of the provider before anything is sent', async () => {
  const content = 'A'.repeat(20_000_000)
  const answer = await send({ to, attachments: [{ filename: 'x', content }] })
  assert.deepEqual([answer.status, answer.body.error.type], [413, 'invalid_request_error'])
  assert.deepEqual(app.sent, [])
})

test('takes 3.9 MB of JSON', async () => {
  const content = 'A'.repeat(4_000_000)
  const answer = await send({ to, attachments: [{ filename: 'x', content }] })
  assert.equal(answer.status, 200)
  assert.equal(app.sent[0]?.files[0]?.length, 3_000_000)
})

test('answers what the provider says about a message', async () => {
  for (const [kind, status, type] of [
    ['rejected', 402, 'provider_error'],
    ['send-as-denied', 403, 'provider_error'],
    ['not-found', 404, 'not_found_error'],
    ['rate-limited', 429, 'rate_limit_error'],
    ['timeout', 504, 'api.provider_error'],
  ] as const) {
    app.onSend = () => Promise.reject(new ProviderError(kind, 'no'))
    const answer = await send({ to })
    assert.deepEqual([answer.status, answer.body.error.type], [status, type])
  }
})

test('a lone surrogate is sent as a replacement character', async () => {
  const answer = await send(`{"to":[{"email":"a@b.example"}],"subject":"x\\ud800","body":"\\udfff"}`)
  assert.equal(answer.status, 200, answer.text)
  assert.equal(app.sent[0]?.message?.subject, 'x\ufffd')
})

test('other methods of the address are refused', async () => {
  const answer = await app.call('GET', `${app.base}/messages/send`)
  assert.deepEqual([answer.status, answer.headers.get('allow')], [405, 'POST'])
})
