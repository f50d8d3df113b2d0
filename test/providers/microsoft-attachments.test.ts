import assert from 'node:assert/strict'
import { buffer } from 'node:stream/consumers'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import { fails } from '../support/fake-graph/fails.ts'
import { graphError } from '../support/fake-graph/graph-mail.ts'
import type { FakeAttachment } from '../support/fake-graph/seed.ts'
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
afterEach(() => world.graph.intercept(null))
after(async () => {
  await world.stop()
  assert.deepEqual(world.graph.violations, [])
  assert.ok(world.graph.maxConcurrent() <= 4)
})

const port = () => world.microsoft.mail!.attachments!
const idOf = (at: number) => `AAMkMsg-${String(at).padStart(4, '0')}=`
const ref = (at: number, kind = 'fileAttachment') => ({
  messageId: idOf(at),
  attachmentId: `AAMkAtt-${kind}-${at}=`,
})

test('tells what an attachment is, as the message does', async () => {
  for (const at of [0, 13]) {
    const message = await world.microsoft.mail!.messages.find(session, idOf(at), { fields: 'standard' })
    assert.deepEqual(
      await port().find(session, ref(at)),
      'attachments' in message && message.attachments?.[0],
    )
  }
})

test('streams its bytes, with their exact number', async () => {
  const opened = await port().open(session, ref(0))
  assert.equal(opened.attachment.filename, 'Übersicht.pdf')
  const content = await buffer(opened.content)
  assert.equal(opened.sizeBytes, content.length)
  assert.ok(content.equals(Buffer.alloc(2048, 'Übersicht.pdf')))
})

test('a message inside a message is an .eml; a link to a file is none', async () => {
  const { attachment, content } = await port().open(session, ref(14, 'itemAttachment'))
  assert.deepEqual([attachment.filename, attachment.content_type], ['Forwarded: hello.eml', 'message/rfc822'])
  assert.match((await buffer(content)).toString(), /^Subject: hello/)
  await assert.rejects(port().find(session, ref(15, 'referenceAttachment')), fails('not-found'))
  await assert.rejects(port().open(session, ref(15, 'referenceAttachment')), fails('not-found'))
})

test('takes ids of the hosted service by name, type and size', async () => {
  const text = (value: string) => Buffer.from(value).toString('base64')
  const hosted = (size: number) => `v0:${text('Übersicht.pdf')}:${text('application/pdf; name="x"')}:${size}`
  const messageId = idOf(9)
  assert.equal(
    (await port().find(session, { messageId, attachmentId: hosted(2057) })).id,
    'AAMkAtt-fileAttachment-9=',
  )
  const { content } = await port().open(session, { messageId, attachmentId: hosted(2057) })
  assert.equal((await buffer(content)).length, 2057)
  await assert.rejects(port().find(session, { messageId, attachmentId: hosted(1) }), fails('not-found'))
})

test('what is not there is not found; what is no id is refused', async () => {
  await assert.rejects(
    port().find(session, { messageId: idOf(0), attachmentId: 'AAMkAtt-none-1=' }),
    fails('not-found'),
  )
  await assert.rejects(
    port().open(session, { messageId: 'AAMkNowhere-1=', attachmentId: 'AAMkAtt-none-1=' }),
    fails('not-found'),
  )
  for (const attachmentId of ['../x', 'a/b', '$value', '']) {
    await assert.rejects(port().find(session, { messageId: idOf(0), attachmentId }), fails('invalid-request'))
  }
  await assert.rejects(
    port().find(session, { messageId: 'inbox', attachmentId: 'AAMkAtt-none-1=' }),
    fails('invalid-request'),
  )
})

test('a refusal of the bytes is an error before the first of them, and a throttle is waited for', async () => {
  const answers = [graphError(429, 'ApplicationThrottled', 'slow down', { 'retry-after': '0' })]
  world.graph.intercept(({ path }) => (path.endsWith('/$value') ? answers.shift() : undefined))
  await buffer((await port().open(session, ref(0))).content)
  world.graph.intercept(({ path }) =>
    path.endsWith('/$value') ? graphError(403, 'ErrorAccessDenied', 'no') : undefined,
  )
  await assert.rejects(port().open(session, ref(0)), fails('scope-missing'))
})

test('many downloads at once keep to the mailbox’s slots, and one that is given up frees its own', async () => {
  const message = world.graph.mailboxes.get('ada@contoso.example')!.messages[0]!
  const large = Buffer.alloc(2_000_000, 'large')
  const [entry] = message.attachments
  ;(message.attachments as FakeAttachment[])[0] = { ...entry!, content: large }
  const given = await port().open(session, ref(0))
  given.content.destroy()
  const all = await Promise.all(
    Array.from({ length: 10 }, async () =>
      (await buffer((await port().open(session, ref(0))).content)).equals(large),
    ),
  )
  assert.deepEqual(
    all,
    Array.from({ length: 10 }, () => true),
  )
})
