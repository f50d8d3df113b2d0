import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import type { OutgoingMessage } from '../../src/core/ports/outgoing.ts'
import { fails } from '../support/fake-graph/fails.ts'
import { graphError } from '../support/fake-graph/graph-mail.ts'
import { outgoing, outgoingFile } from '../support/fake-graph/outgoing.ts'
import type { FakeMessage } from '../support/fake-graph/seed.ts'
import {
  type MicrosoftSession,
  type MicrosoftWorld,
  startMicrosoftWorld,
} from '../support/fake-graph/world.ts'

let world: MicrosoftWorld
let session: MicrosoftSession

before(async () => {
  world = await startMicrosoftWorld()
})
beforeEach(() => {
  session = world.session()
})
afterEach(() => {
  world.graph.intercept(null)
  world.graph.loseAnswerOf(null)
  world.graph.behaviour.sentLag = 0
  assert.deepEqual(ownDrafts(), [], 'no draft is left behind')
})
after(async () => {
  await world.stop()
  assert.deepEqual(world.graph.violations, [])
})

const SENT = 'AAMkFolder-out-02='
const mailbox = () => world.graph.mailboxes.get('ada@contoso.example')!
const ownDrafts = () => mailbox().messages.filter(({ id, isDraft }) => isDraft && id.startsWith('AAMkDraft'))
const lastSent = (): FakeMessage => world.graph.sent.at(-1)!
const send = (message: Partial<OutgoingMessage> = {}, withHeaders = false, of = session) =>
  world.microsoft.mail!.send!.send(of, outgoing(message), { withHeaders })
const calls = (from: number) =>
  world.graph.seen
    .slice(from)
    .map(({ method, path }) => `${method} ${path.split('?')[0]}`.replaceAll(/AAMk[^/]+/g, 'ID'))

test('sends by a draft, whose id is that of the copy in Sent Items', async () => {
  const from = world.graph.seen.length
  const people = {
    to: [{ email: 'ben@globex.example', name: 'Ben Ito' }],
    cc: [{ email: 'c@x.example' }],
    bcc: [{ email: 'b@x.example' }],
    replyTo: [{ email: 'r@x.example' }],
  }
  const result = await send({ ...people, headers: [{ name: 'X-Campaign', value: 'q1' }] })
  assert.deepEqual(calls(from), ['POST /me/messages', 'POST /me/messages/ID/send', 'GET /me/messages/ID'])
  assert.equal(session.spent(), 3)
  const copy = lastSent()
  assert.equal(result.id, copy.id)
  assert.equal(result.threadId, copy.conversationId)
  assert.deepEqual(result.folders, [SENT])
  assert.ok(Math.abs(result.date - Date.now() / 1000) < 60)
  assert.equal(copy.subject, 'Zahlen für Q1')
  assert.deepEqual(copy.body, { contentType: 'html', content: '<p>Grüße</p>' })
  const emails = (list: FakeMessage['toRecipients']) => list?.map(({ emailAddress }) => emailAddress.address)
  assert.deepEqual(emails(copy.toRecipients), ['ben@globex.example'])
  assert.deepEqual(emails(copy.ccRecipients), ['c@x.example'])
  assert.deepEqual(emails(copy.bccRecipients), ['b@x.example'])
  assert.deepEqual(emails(copy.replyTo), ['r@x.example'])
  assert.ok(copy.internetMessageHeaders?.some(({ name, value }) => name === 'X-Campaign' && value === 'q1'))
  const found = await world.microsoft.mail!.messages.find(session, result.id, { fields: 'standard' })
  assert.equal('subject' in found && found.subject, 'Zahlen für Q1')
})

test('sends plain text as plain text, and gives the headers of what was sent', async () => {
  const { headers } = await send({ body: 'nur Text', isPlaintext: true }, true)
  assert.deepEqual(lastSent().body, { contentType: 'text', content: 'nur Text' })
  assert.ok(headers?.some(({ name }) => name === 'Message-ID'))
})

test('headers that Graph’s JSON cannot carry go as a source', async () => {
  const headers = [
    { name: 'List-Unsubscribe', value: '<https://x.example/u>' },
    { name: 'List-Unsubscribe-Post', value: 'List-Unsubscribe=One-Click' },
  ]
  const file = outgoingFile('Übersicht.txt', Buffer.from('eins'), { contentType: 'text/csv' })
  await send({ headers, bcc: [{ email: 'b@x.example' }], attachments: [file] })
  const copy = lastSent()
  for (const { name, value } of headers) {
    assert.ok(
      copy.internetMessageHeaders?.some((one) => one.name === name && one.value === value),
      name,
    )
  }
  assert.equal(copy.subject, 'Zahlen für Q1')
  assert.match(copy.body?.content ?? '', /<p>Grüße<\/p>/)
  assert.deepEqual(
    copy.bccRecipients?.map(({ emailAddress }) => emailAddress.address),
    ['b@x.example'],
  )
  assert.deepEqual(
    copy.attachments.map(({ name, content }) => [name, content?.toString()]),
    [['Übersicht.txt', 'eins']],
  )
  const many = Array.from({ length: 6 }, (_, at) => ({ name: `X-${at}`, value: `${at}` }))
  await send({ headers: many })
  assert.equal(lastSent().internetMessageHeaders?.filter(({ name }) => /^X-\d$/.test(name)).length, 6)
})

for (const [form, reference] of [
  ['id', 'AAMkMsg-0005='],
  ['Message-ID', '<5@globex.example>'],
] as const) {
  test(`a reply by ${form} is in the conversation and names its ancestors`, async () => {
    const result = await send({ replyToMessageId: reference, subject: 'Re: Invoice 5' })
    assert.equal(result.threadId, 'AAQkConv-1=')
    const value = (wanted: string) =>
      lastSent().internetMessageHeaders?.find(({ name }) => name.toLowerCase() === wanted)?.value
    assert.equal(value('in-reply-to'), '<5@globex.example>')
    assert.equal(value('references')?.replace(/\s+/g, ' '), '<4@globex.example> <5@globex.example>')
    const index = Buffer.from(value('thread-index') ?? '', 'base64')
    const parent = Buffer.from(mailbox().messages[5]!.conversationIndex!, 'base64')
    assert.equal(index.length, 27)
    assert.deepEqual(index.subarray(0, 22), parent)
    assert.deepEqual(
      lastSent().toRecipients?.map(({ emailAddress }) => emailAddress.address),
      ['ben@globex.example'],
    )
  })
}

test('a reply to one’s own mail, whose headers Graph hides, finds them in the source', async () => {
  await send({ replyToMessageId: 'AAMkMsg-0007=' })
  const references = lastSent().internetMessageHeaders?.find(({ name }) => name === 'References')?.value
  assert.equal(references?.replace(/\s+/g, ' '), '<a@x> <b@x> <7@contoso.example>')
})

test('a reply to what is not there is not sent', async () => {
  const before = world.graph.sent.length
  for (const replyToMessageId of ['AAMkNowhere-1=', '<nobody@x.example>']) {
    await assert.rejects(send({ replyToMessageId }), fails('not-found'))
  }
  await assert.rejects(send({ replyToMessageId: 'inbox' }), fails('invalid-request'))
  assert.equal(world.graph.sent.length, before)
})

test('attachments of every size arrive byte for byte, in order', async () => {
  const bytes = (size: number, seed: number) => Buffer.alloc(size, `${seed}-bytes `)
  const files = [
    outgoingFile('small.txt', bytes(10, 1)),
    outgoingFile('middle.bin', bytes(2_900_000, 2)),
    outgoingFile('chart.png', bytes(20, 3), {
      contentType: 'image/png',
      isInline: true,
      contentId: 'chart1',
    }),
    outgoingFile('large.bin', bytes(7_000_001, 4)),
  ]
  const from = world.graph.uploads.seen.length
  const { attachments } = await send({ attachments: files })
  assert.deepEqual(
    attachments?.map(({ filename }) => filename),
    ['small.txt', 'middle.bin', 'chart.png', 'large.bin'],
  )
  assert.deepEqual([attachments?.[2]?.is_inline, attachments?.[2]?.content_id], [true, 'chart1'])
  const sent = new Map(lastSent().attachments.map(({ name, content }) => [name, content]))
  for (const [at, file] of files.entries()) {
    assert.ok(sent.get(file.filename)?.equals(bytes(file.sizeBytes, at + 1)), file.filename)
  }
  assert.deepEqual(
    world.graph.uploads.seen.slice(from).map(({ range }) => range),
    ['bytes 0-3276799/7000001', 'bytes 3276800-6553599/7000001', 'bytes 6553600-7000000/7000001'],
  )
})

test('small attachments travel with the message: no further call', async () => {
  const from = world.graph.seen.length
  const { attachments } = await send({
    attachments: [outgoingFile('a.txt', Buffer.from('a')), outgoingFile('b.txt', Buffer.from('b'))],
  })
  assert.deepEqual(calls(from), ['POST /me/messages', 'POST /me/messages/ID/send', 'GET /me/messages/ID'])
  assert.equal(attachments?.length, 2)
})

test('an upload goes on after a failure, and after an answer that was lost', async () => {
  const content = Buffer.alloc(4_000_000, 'x')
  for (const how of ['503', 'taken without an answer'] as const) {
    world.graph.uploads.failNext(how)
    await send({ attachments: [outgoingFile('large.bin', content)] })
    assert.ok(lastSent().attachments[0]?.content?.equals(content), how)
  }
})

test('an upload address that the egress guard refuses is not used, and no draft stays', async () => {
  const before = world.graph.sent.length
  for (const uploadUrl of [
    'http://10.0.0.1/x',
    'https://169.254.169.254/x',
    'file:///etc/passwd',
    7,
    undefined,
  ]) {
    world.graph.intercept(({ path }) =>
      path.endsWith('createUploadSession') ? { status: 201, body: { uploadUrl } } : undefined,
    )
    await assert.rejects(send({ attachments: [outgoingFile('l.bin', Buffer.alloc(3_000_000))] }))
  }
  assert.equal(world.graph.sent.length, before)
})

test('an attachment over 150 MB is refused before anything is asked', async () => {
  const from = world.graph.seen.length
  const huge = outgoingFile('huge.bin', Buffer.alloc(1), { sizeBytes: 150 * 1024 * 1024 + 1 })
  await assert.rejects(send({ attachments: [huge] }), fails('too-large'))
  assert.equal(world.graph.seen.length, from)
})

test('an attachment that is shorter than announced is not sent', async () => {
  const before = world.graph.sent.length
  const short = outgoingFile('short.bin', Buffer.alloc(3_100_000), { sizeBytes: 3_200_000 })
  await assert.rejects(send({ attachments: [short] }), fails('invalid-request'))
  assert.equal(world.graph.sent.length, before)
})

test('another sender needs the permission', async () => {
  const sender = { email: 'team@contoso.example', name: 'Team' }
  await assert.rejects(send({ from: sender }), fails('send-as-denied'))
  world.graph.behaviour.mayBeSentAs.add('team@contoso.example')
  await send({ from: sender })
  assert.deepEqual(lastSent().from?.emailAddress, { address: 'team@contoso.example', name: 'Team' })
})

test('a refusal is told as what it is', async () => {
  await assert.rejects(send({ to: [{ email: 'nobody' }] }), fails('rejected'))
  const cases = [
    [413, 'ErrorMessageSizeExceeded', 'too-large'],
    [507, 'ErrorQuotaExceeded', 'mailbox-full'],
    [403, 'ErrorAccessDenied', 'scope-missing'],
    [429, 'ErrorExceededMessageLimit', 'quota-exhausted'],
  ] as const
  for (const [status, code, kind] of cases) {
    const headers = status === 429 ? { 'retry-after': '60' } : {}
    world.graph.intercept(({ method, path }) =>
      method === 'POST' && path === '/me/messages' ? graphError(status, code, 'no', headers) : undefined,
    )
    await assert.rejects(send(), fails(kind), code)
  }
})

test('a throttled send is sent once more; a busy one is passed on with its time', async () => {
  const answers = [graphError(429, 'ApplicationThrottled', 'slow down', { 'retry-after': '0' })]
  world.graph.intercept(({ path }) => (path.endsWith('/send') ? answers.shift() : undefined))
  const before = world.graph.sent.length
  await send()
  assert.equal(world.graph.sent.length, before + 1)
  world.graph.intercept(({ path }) =>
    path.endsWith('/send') ? graphError(503, 'ErrorServerBusy', 'busy', { 'retry-after': '30' }) : undefined,
  )
  await assert.rejects(
    send(),
    fails('rate-limited', ({ details }) => assert.equal(details.retryAfterSeconds, 30)),
  )
  assert.equal(world.graph.sent.length, before + 1)
})

test('a lost answer to send is no second send: it is looked whether it went', async () => {
  const before = world.graph.sent.length
  world.graph.loseAnswerOf(({ path }) => path.endsWith('/send'))
  const result = await send()
  assert.equal(result.id, lastSent().id)
  assert.equal(world.graph.sent.length, before + 1)
})

test('a failure of send that says nothing leaves the draft and says that it is open', async () => {
  let asked = 0
  world.graph.intercept(({ path }) => {
    if (!path.endsWith('/send')) return undefined
    asked += 1
    return graphError(500, 'ErrorInternalServerError', 'no')
  })
  await assert.rejects(
    send(),
    fails('unavailable', ({ details }) => assert.equal(details.answered, false)),
  )
  assert.equal(asked, 1)
  assert.equal(ownDrafts().length, 1)
  mailbox().messages.splice(mailbox().messages.indexOf(ownDrafts()[0]!), 1)
})

test('a copy that lags behind is waited for, and the answer does without it at last', async () => {
  world.graph.behaviour.sentLag = 1
  assert.deepEqual((await send()).folders, [SENT])
  world.graph.behaviour.sentLag = 100
  const result = await send()
  assert.equal(result.id, lastSent().id)
  assert.equal(result.threadId, lastSent().conversationId)
  assert.deepEqual(result.folders, [SENT])
})

test('a source is sent as it is', async () => {
  const source = [
    'From: Ada <ada@contoso.example>',
    'To: ben@globex.example',
    'Bcc: hidden@x.example',
    'Subject: =?utf-8?B?R3LDvMOfZQ==?=',
    'X-Own: 1',
    'Message-ID: <own@contoso.example>',
    '',
    'text',
  ].join('\r\n')
  const { id, headers } = await world.microsoft.mail!.send!.sendRaw(session, Buffer.from(source), {
    withHeaders: true,
  })
  assert.equal(id, lastSent().id)
  assert.equal(lastSent().source?.toString(), source)
  assert.equal(lastSent().subject, 'Grüße')
  assert.ok(headers?.some(({ name, value }) => name === 'X-Own' && value === '1'))
  assert.ok(!headers?.some(({ name }) => name.toLowerCase() === 'bcc'))
  const large = Buffer.concat([Buffer.from(`${source}\r\n`), Buffer.alloc(3_100_000, 'x')])
  await assert.rejects(
    world.microsoft.mail!.send!.sendRaw(session, large, { withHeaders: false }),
    fails('too-large'),
  )
})

test('a draft is removed although the request’s own time is over', async () => {
  const given = new AbortController()
  const impatient = world.session({ signal: given.signal })
  world.graph.intercept(({ path }) => {
    if (path.endsWith('/attachments')) given.abort()
    return undefined
  })
  await assert.rejects(
    send({ attachments: [outgoingFile('m.bin', Buffer.alloc(2_000_000))] }, false, impatient),
    fails('timeout'),
  )
})
