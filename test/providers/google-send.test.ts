// Sending by Gmail through the port, over HTTP against the sandbox; what was sent is read back as source and compared
// by a parser that is not ours.
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import PostalMime from 'postal-mime'
import type { FullMessage, RawMessage } from '../../src/contract/message.ts'
import type { OutgoingMessage, SendPort } from '../../src/core/ports/outgoing.ts'
import { ProviderError, type ProviderErrorKind } from '../../src/kit/provider-error.ts'
import { file } from '../support/hard-messages.ts'
import { type GoogleWorld, startGoogleWorld, type TestSession } from '../support/sandbox.ts'

const ADA = 'ada@sandbox.example'
const BEN = 'ben@sandbox.example'
const ALICE = 'alice@testworld.example'
const OWN_LIMIT = 36_700_160
let world: GoogleWorld
let session: TestSession
let number = 0

before(async () => {
  world = await startGoogleWorld()
  world.sandbox.control.addSendAs(ADA, { email: ALICE, displayName: 'Alice W.', isVerified: true })
  world.sandbox.control.addSendAs(ADA, { email: 'new@testworld.example', isVerified: false })
})
beforeEach(() => {
  session = world.session('sandbox-refresh-token-ada')
})
after(async () => {
  await world.stop()
  assert.deepEqual(world.validator.violations, [])
  assert.ok(world.validator.knownCount() > 30)
})

const port = (): SendPort => {
  const send = world.google.mail?.send
  assert.ok(send)
  return send
}
function message(more: Partial<OutgoingMessage> = {}): OutgoingMessage {
  number += 1
  return {
    to: [{ email: BEN, name: 'Ben' }],
    cc: [],
    bcc: [],
    replyTo: [],
    subject: `Subject ${number}`,
    body: '<p>body</p>',
    isPlaintext: false,
    attachments: [],
    headers: [],
    messageId: `<send-${number}@testworld.example>`,
    date: 1_790_000_000,
    ...more,
  }
}
const send = (more: Partial<OutgoingMessage> = {}, withHeaders = false) =>
  port().send(session, message(more), { withHeaders })
const find = async (id: string, of = session) =>
  (await world.google.mail!.messages.find(of, id, { fields: 'include_headers' })) as FullMessage
async function sourceOf(id: string): Promise<Buffer> {
  const raw = (await world.google.mail!.messages.find(session, id, { fields: 'raw_mime' })) as RawMessage
  return Buffer.from(raw.raw_mime, 'base64url')
}
const header = ({ headers = [] }: Pick<FullMessage, 'headers'>, name: string) =>
  headers.find((one) => one.name.toLowerCase() === name)?.value
const paths = (from: number) =>
  world.validator.seen.slice(from).map(({ method, url }) => `${method} ${new URL(url).pathname}`)
const fails =
  (kind: ProviderErrorKind, more: (error: ProviderError) => void = () => {}) =>
  (error: unknown) => {
    assert.ok(error instanceof ProviderError, String(error))
    assert.equal(error.kind, kind)
    more(error)
    return true
  }

test('a small message takes one call; a large one goes up as an upload, in its thread', async () => {
  await send()
  const first = await send()
  const original = await find(first.id)
  let from = world.validator.seen.length
  await send()
  assert.deepEqual(paths(from), ['POST /gmail/v1/users/me/messages/send'])
  from = world.validator.seen.length
  const large = await send({
    subject: `Re: ${original.subject}`,
    replyToMessageId: first.id,
    attachments: [file('large.bin', 'application/octet-stream', Buffer.alloc(3 * 1024 * 1024, 'large'))],
  })
  assert.equal(large.threadId, first.threadId)
  assert.equal(paths(from).at(-1), 'POST /upload/gmail/v1/users/me/messages/send')
})

test('Bcc is kept in the copy of the sender, and nobody else sees it', async () => {
  const { messageId, ...rest } = message({ bcc: [{ email: 'kim@workspace.sandbox.example' }] })
  const sent = await port().send(session, { ...rest, messageId }, { withHeaders: false })
  assert.deepEqual((await find(sent.id)).bcc, [{ email: 'kim@workspace.sandbox.example' }])
  for (const user of ['ben', 'kim']) {
    const other = world.session(`sandbox-refresh-token-${user}`)
    const { items } = await world.google.mail!.messages.list(other, { limit: 1, fields: 'include_headers' })
    assert.equal(header(items[0] as FullMessage, 'message-id'), messageId)
    assert.deepEqual((items[0] as FullMessage).bcc, [])
  }
})

test('a reply by Gmail id or by Message-ID stands behind its forerunners, in their thread', async () => {
  const root = await find((await send()).id)
  const subject = `Re: ${root.subject}`
  const second = await send({ subject, replyToMessageId: root.id })
  const middle = await find(second.id)
  assert.equal(second.threadId, root.thread_id)
  assert.equal(header(middle, 'in-reply-to'), header(root, 'message-id'))
  const third = await find(
    (await send({ subject, replyToMessageId: String(header(middle, 'message-id')) })).id,
  )
  assert.equal(third.thread_id, root.thread_id)
  assert.equal(header(third, 'in-reply-to'), header(middle, 'message-id'))
  assert.equal(header(third, 'references'), `${header(root, 'message-id')} ${header(middle, 'message-id')}`)
})

test('a reply to what does not exist is not sent', async () => {
  const from = world.validator.seen.length
  for (const replyToMessageId of ['00000000000000ff', '<nobody@nowhere.example>', '<a b>', '../x', 'r-1']) {
    await assert.rejects(send({ replyToMessageId }), fails('not-found'))
  }
  assert.ok(paths(from).every((path) => !path.endsWith('/send')))
})

test('From is the own address with the name Gmail knows, or an alias with its own', async () => {
  assert.deepEqual((await find((await send()).id)).from, [{ email: ADA, name: 'Ada Moreau' }])
  const alias = await find((await send({ from: { email: 'Alice@testworld.example' } })).id)
  assert.deepEqual(alias.from, [{ email: 'Alice@testworld.example', name: 'Alice W.' }])
  const named = await find((await send({ from: { email: ADA, name: 'A. M.' } })).id)
  assert.deepEqual(named.from, [{ email: ADA, name: 'A. M.' }])
})

test('an address that is not confirmed, or of somebody else, is denied; one that is new is found', async () => {
  await send()
  const from = world.validator.seen.length
  for (const email of ['new@testworld.example', BEN]) {
    await assert.rejects(send({ from: { email, name: 'N' } }), fails('send-as-denied'))
  }
  const raw = Buffer.from(`From: ${BEN}\r\nTo: ${BEN}\r\nSubject: x\r\n\r\ntext\r\n`)
  await assert.rejects(port().sendRaw(session, raw, { withHeaders: false }), fails('send-as-denied'))
  assert.ok(paths(from).every((path) => !path.endsWith('/send')))
  world.sandbox.control.addSendAs(ADA, { email: 'later@testworld.example', isVerified: true })
  const sent = await send({ from: { email: 'later@testworld.example', name: 'L' } })
  assert.equal((await find(sent.id)).from[0]?.email, 'later@testworld.example')
})

test('a grant that may send alone sends from its address, without a name', async () => {
  const token = world.sandbox.control.mintRefreshToken(BEN, [
    'openid',
    'https://www.googleapis.com/auth/gmail.send',
  ])
  const alone = { ...world.session(token), email: BEN }
  const sent = await port().send(alone, message({ to: [{ email: ADA }] }), { withHeaders: true })
  assert.equal(sent.headers, undefined)
  const { items } = await world.google.mail!.messages.list(session, { limit: 1, fields: 'standard' })
  assert.deepEqual((items[0] as FullMessage).from, [{ email: BEN }])
  await assert.rejects(
    port().send(alone, message({ replyToMessageId: sent.id }), { withHeaders: false }),
    fails('scope-missing'),
  )
})

test('headers are read back where they are asked for, also a Message-ID that Gmail replaced', async () => {
  world.sandbox.control.configure({ replacesMessageIds: true })
  const sent = await send({ headers: [{ name: 'X-Own', value: 'yes' }] }, true)
  world.sandbox.control.configure({ replacesMessageIds: false })
  assert.match(String(header({ headers: [...(sent.headers ?? [])] }, 'message-id')), /@mail\.gmail\.com>$/)
  assert.equal(header({ headers: [...(sent.headers ?? [])] }, 'x-own'), 'yes')
})

test('nothing is sent again: not after a lost answer, a 5xx, a throttle, an answer that is none', async () => {
  await send()
  const cases = [
    ['drop-after', 'unavailable', false],
    ['drop-before', 'unavailable', false],
    ['503', 'unavailable', true],
    ['429', 'rate-limited', true],
    ['403', 'rate-limited', true],
    ['html', 'malformed-response', true],
  ] as const
  for (const [mode, kind, answered] of cases) {
    const from = world.validator.seen.length
    world.sandbox.control.fail({ target: 'send', mode })
    await assert.rejects(
      send(),
      fails(kind, (error) => assert.equal(error.details.answered, answered)),
    )
    assert.equal(paths(from).filter((path) => path.endsWith('/send')).length, 1, mode)
  }
})

test('what fails before a message is sent leaves nothing open', async () => {
  const first = await send()
  const unsent = fails('unavailable', (error) => assert.equal(error.details.answered, true))
  world.sandbox.control.fail({ target: 'api', mode: 'drop-before' })
  await assert.rejects(send({ replyToMessageId: first.id }), unsent)
})

test('a token that has expired is replaced, and the message sent once', async () => {
  await send()
  world.sandbox.control.expireAccessTokens(ADA)
  const { messageId, ...rest } = message()
  await port().send(session, { ...rest, messageId }, { withHeaders: false })
  const { items } = await world.google.mail!.messages.list(session, {
    limit: 5,
    fields: 'standard',
    searchQueryNative: `rfc822msgid:${messageId.slice(1, -1)}`,
  })
  assert.equal(items.length, 1)
})

test('the daily limit tells when it ends', async () => {
  world.sandbox.control.fail({ target: 'send', mode: 'send-limit', retryAfterSeconds: 1800 })
  await assert.rejects(
    send(),
    fails('rate-limited', ({ details }) => {
      const seconds = details.retryAfterSeconds ?? 0
      assert.ok(seconds > 1700 && seconds <= 1801, String(seconds))
    }),
  )
})

test('a message over the ceiling is too large, without asking Gmail', async () => {
  const from = world.validator.seen.length
  const source = Buffer.alloc(OWN_LIMIT + 1, 'x')
  await assert.rejects(port().sendRaw(session, source, { withHeaders: false }), fails('too-large'))
  assert.ok(paths(from).every((path) => !path.endsWith('/send')))
  assert.equal(world.google.mail?.facts?.maxMessageBytes, OWN_LIMIT)
})

test('a source goes out byte by byte', async () => {
  const source = Buffer.from(
    `From: "Ada" <${ADA}>\r\nTo: ${BEN}\r\nBcc: kim@workspace.sandbox.example\r\nSubject: =?utf-8?Q?R=C3=A4w?=\r\n` +
      `Message-ID: <raw-1@testworld.example>\r\nDate: Mon, 05 Jan 2026 10:00:00 +0000\r\n\r\nGr\u00fc\u00dfe\r\n`,
  )
  const sent = await port().sendRaw(session, source, { withHeaders: true })
  assert.deepEqual(await sourceOf(sent.id), source)
  assert.equal(header({ headers: [...(sent.headers ?? [])] }, 'subject'), 'Räw')
  const nobody = Buffer.from(`From: ${ADA}\r\nSubject: x\r\n\r\ntext\r\n`)
  await assert.rejects(port().sendRaw(session, nobody, { withHeaders: false }), fails('rejected'))
})

test('the attachments of the answer stand in the order they were given', async () => {
  const sent = await send({
    body: '<img src="cid:one">',
    attachments: [
      file('a.pdf', 'application/pdf', 'a'),
      file('pixel.png', 'image/png', 'pixel', { contentId: 'one', isInline: true }),
      file('b.txt', 'text/plain; charset=utf-8', 'bb'),
    ],
  })
  assert.deepEqual(
    sent.attachments?.map(({ filename, size, is_inline }) => [filename, size, is_inline]),
    [
      ['a.pdf', 1, false],
      ['pixel.png', 5, true],
      ['b.txt', 2, false],
    ],
  )
  const mail = await PostalMime.parse(await sourceOf(sent.id))
  assert.equal(mail.attachments.length, 3)
})

test('the session hears of every request and unit', async () => {
  const before = world.sandbox.control.spent(ADA)
  const first = await send({}, true)
  await send({ replyToMessageId: first.id })
  const { requests, units } = world.sandbox.control.spent(ADA)
  assert.deepEqual(session.spent(), { requests: requests - before.requests, units: units - before.units })
})
