import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import { startDovecot, type TestDovecot } from '../support/dovecot.ts'
import { file, hardMessages, noise } from '../support/hard-messages.ts'
import { assertSameMail } from '../support/same-mail.ts'
import { draftOf, draftProvider, RUN, stored, writer } from './draft-world.ts'
import { behind, whole } from './imap-world.ts'

const all = { limit: 200 }

let world: TestDovecot
let used: ReturnType<typeof draftProvider>
let mail: typeof used.mail

before(async () => {
  world = await startDovecot()
  used = draftProvider(world)
  mail = used.mail
})
after(async () => {
  await used.provider.close()
  await world.stop()
})

// All of them are written and read back beside draft-content.ts; here is what a server may change.
const HARD = [
  'emoji everywhere',
  'long line of UTF-8',
  'blind copies',
  'attached message',
  'every byte',
  '20 MB',
]

for (const { name, message } of hardMessages(RUN).filter((hard) => HARD.includes(hard.name))) {
  test(`keeps a draft as it was written, and through a change of something else: ${name}`, async () => {
    const session = await writer(world, used, 'alice')
    const made = await mail.drafts.create(session, message)
    assert.equal(made.id, message.messageId)
    assert.equal(made.object, 'draft')
    const [first] = await stored(world, 'alice', 'Drafts', message.messageId)
    assert.ok(first?.source)
    await assertSameMail(first.source, message, { withBcc: true })

    const replyTo = [{ email: 'other@elsewhere.example' }]
    const changed = await mail.drafts.update(session, made.id, { replyTo })
    assert.equal(changed.id, made.id)
    const [second, ...others] = await stored(world, 'alice', 'Drafts', message.messageId)
    assert.deepEqual(others, [])
    assert.ok(second?.source)
    const again = { ...message, replyTo, date: changed.date }
    await assertSameMail(second.source, again, { withBcc: true })
    await mail.drafts.delete(session, made.id)
    assert.deepEqual(await stored(world, 'alice', 'Drafts', message.messageId), [])
  })
}

test('a draft is read, drafted and seen, and flagged when it is starred', async () => {
  const session = await writer(world, used, 'alice')
  const draft = draftOf('alice', { starred: true })
  const made = await mail.drafts.create(session, draft)
  assert.deepEqual([made.unread, made.starred, made.folders], [false, true, ['Drafts']])
  assert.deepEqual(made.bcc, draft.bcc)
  const [copy] = await stored(world, 'alice', 'Drafts', made.id)
  assert.deepEqual([...(copy?.flags ?? [])].filter((flag) => flag !== '\\Recent').toSorted(), [
    '\\Draft',
    '\\Flagged',
    '\\Seen',
  ])
  const plain = await mail.drafts.update(session, made.id, { starred: false })
  assert.equal(plain.starred, false)
  assert.equal(plain.id, made.id)
  const starred = await mail.drafts.update(session, made.id, { starred: true, subject: 'x' })
  assert.deepEqual([starred.starred, starred.subject], [true, 'x'])
  await mail.drafts.delete(session, made.id)
})

test('an empty draft without recipients can be kept and completed', async () => {
  const session = await writer(world, used, 'carol')
  const empty = { to: [], cc: [], bcc: [], replyTo: [], subject: '', body: '', attachments: [], headers: [] }
  const made = await mail.drafts.create(session, draftOf('carol', empty))
  assert.deepEqual([made.to, made.subject, made.body, made.attachments], [[], '', '', []])
  await assert.rejects(mail.drafts.send(session, made.id), { kind: 'invalid-request' })
  const changed = await mail.drafts.update(session, made.id, {
    to: [{ email: 'b@elsewhere.example' }],
    body: '<b>x</b>',
  })
  assert.deepEqual(
    [changed.to, changed.body.trim(), changed.id],
    [[{ email: 'b@elsewhere.example' }], '<b>x</b>', made.id],
  )
  await mail.drafts.delete(session, made.id)
})

test('attachments given replace the whole list, none given leave it', async () => {
  const session = await writer(world, used, 'alice')
  const made = await mail.drafts.create(session, draftOf('alice'))
  assert.equal(made.attachments.length, 3)
  const same = await mail.drafts.update(session, made.id, { subject: 'Re' })
  const names = (draft: typeof made) => draft.attachments.map(({ filename }) => filename).toSorted()
  assert.deepEqual(names(same), names(made))
  const picture = same.attachments.find((entry) => entry.filename === 'pic.png')
  assert.deepEqual([picture?.is_inline, picture?.content_id], [true, 'pic1'])
  const binary = same.attachments.find((entry) => entry.content_type.startsWith('application/'))
  assert.ok(binary)
  const opened = await mail.attachments.open(session, { messageId: made.id, attachmentId: binary.id })
  assert.ok((await buffer(opened.content)).equals(noise(5000)))
  const one = await mail.drafts.update(session, made.id, { attachments: [file('n.txt', 'text/plain', 'n')] })
  assert.deepEqual(names(one), ['n.txt'])
  const none = await mail.drafts.update(session, made.id, { attachments: [] })
  assert.deepEqual(names(none), [])
  await mail.drafts.delete(session, made.id)
})

test('a plain text draft stays plain text, until HTML is given', async () => {
  const session = await writer(world, used, 'alice')
  const made = await mail.drafts.create(
    session,
    draftOf('alice', { body: 'a < b\n', isPlaintext: true, attachments: [] }),
  )
  const source = async () => (await stored(world, 'alice', 'Drafts', made.id))[0]?.source?.toString() ?? ''
  await mail.drafts.update(session, made.id, { body: 'c < d\n' })
  assert.equal((await source()).includes('text/html'), false)
  const html = await mail.drafts.update(session, made.id, { body: '<p>c</p>' })
  assert.ok((await source()).includes('text/html'))
  assert.equal(html.body.trim(), '<p>c</p>')
  const text = await mail.drafts.update(session, made.id, { isPlaintext: true })
  assert.equal(text.body.trim(), 'c')
  await mail.drafts.delete(session, made.id)
})

test('a draft without a Message-ID gets one, and its old id finds it', async () => {
  const session = await writer(world, used, 'carol')
  const foreign = 'From: carol@testworld.example\r\nSubject: nameless\r\n\r\ntext\r\n'
  await behind(world, 'carol', (client) => client.append('Drafts', Buffer.from(foreign), ['\\Draft']))
  const { items } = await mail.drafts.list(session, { ...all, subject: 'nameless' })
  const [found] = items
  assert.ok(found)
  assert.ok(found.id.startsWith('m.'))
  const changed = await mail.drafts.update(session, found.id, { subject: 'named' })
  assert.match(changed.id, /^<.+>$/)
  assert.equal((await mail.drafts.find(session, found.id, {})).id, changed.id)
  await mail.drafts.delete(session, found.id)
  await assert.rejects(mail.drafts.find(session, changed.id, {}), { kind: 'not-found' })
})

test('lists drafts newest first with filters, page by page, and nothing else', async () => {
  const session = await writer(world, used, 'carol')
  const made: string[] = []
  for (const at of [1, 2, 3, 4, 5]) {
    const draft = draftOf('carol', {
      subject: `page ${RUN} ${at}`,
      date: 1_780_000_000 + at,
      attachments: at === 3 ? [file('a.bin', 'application/octet-stream', 'x')] : [],
      starred: at === 4,
      to: [{ email: `t${at}@elsewhere.example` }],
    })
    made.unshift((await mail.drafts.create(session, draft)).id)
  }
  const ids = async (query: Partial<Parameters<typeof mail.drafts.list>[1]>) =>
    (await mail.drafts.list(session, { ...all, subject: `page ${RUN}`, ...query })).items.map(({ id }) => id)
  assert.deepEqual(await ids({}), made)
  assert.deepEqual(await ids({ starred: true }), [made[1]])
  assert.deepEqual(await ids({ hasAttachment: true }), [made[2]])
  assert.deepEqual(await ids({ to: 't5@elsewhere.example' }), [made[0]])
  assert.deepEqual(await ids({ anyEmail: ['t1@elsewhere.example', 't2@elsewhere.example'] }), made.slice(3))
  assert.deepEqual(await ids({ unread: true }), [])
  assert.deepEqual(await ids({ unread: false }), made)
  assert.deepEqual(await ids({ in: 'Drafts' }), made)
  assert.deepEqual(await ids({ in: 'INBOX' }), [])
  await assert.rejects(ids({ in: 'NoSuchFolder' }), { kind: 'invalid-request' })
  const pages: string[] = []
  let cursor: string | undefined
  do {
    const page = await mail.drafts.list(session, {
      limit: 2,
      subject: `page ${RUN}`,
      ...(cursor === undefined ? {} : { cursor }),
    })
    assert.ok(page.items.length <= 2 && page.items.every(({ object }) => object === 'draft'))
    pages.push(...page.items.map(({ id }) => id))
    cursor = page.nextCursor
  } while (cursor !== undefined)
  assert.deepEqual(pages, made)
  for (const id of made) await mail.drafts.delete(session, id)
  assert.deepEqual(await ids({}), [])
})

test('a message in another folder is no draft', async () => {
  const session = await writer(world, used, 'carol')
  const id = `<${randomUUID()}@testworld.example>`
  const source = `Message-ID: ${id}\r\nSubject: mail\r\nFrom: a@x.example\r\n\r\ntext`
  await behind(world, 'carol', (client) => client.append('INBOX', Buffer.from(source)))
  assert.equal(whole(await mail.messages.find(session, id, { fields: 'standard' })).id, id)
  await assert.rejects(mail.drafts.find(session, id, {}), { kind: 'not-found' })
  await assert.rejects(mail.drafts.update(session, id, { subject: 'x' }), { kind: 'not-found' })
  await assert.rejects(mail.drafts.delete(session, id), { kind: 'not-found' })
  await assert.rejects(mail.drafts.send(session, id), { kind: 'not-found' })
  assert.equal((await stored(world, 'carol', 'INBOX', id)).length, 1)
})

for (const [user, folder] of [
  ['frieda', 'Entwürfe'],
  ['bob', 'INBOX.Drafts'],
] as const) {
  test(`the drafts of ${user} are in ${folder}`, async () => {
    const session = await writer(world, used, user)
    const made = await mail.drafts.create(session, draftOf(user))
    assert.equal((await stored(world, user, folder, made.id)).length, 1)
    const changed = await mail.drafts.update(session, made.id, { subject: 'x' })
    assert.equal(changed.id, made.id)
    await mail.drafts.send(session, made.id)
    assert.deepEqual(await stored(world, user, folder, made.id), [])
  })
}

test('another process finds a changed draft under its id', async () => {
  const session = await writer(world, used, 'alice')
  const made = await mail.drafts.create(session, draftOf('alice'))
  const { provider, mail: other } = draftProvider(world)
  try {
    assert.equal((await other.drafts.find(session, made.id, {})).id, made.id)
    await mail.drafts.update(session, made.id, { subject: 'two' })
    assert.equal((await other.drafts.find(session, made.id, {})).subject, 'two')
    await mail.drafts.update(session, made.id, { subject: 'three' })
    assert.equal(whole(await other.messages.find(session, made.id, { fields: 'standard' })).subject, 'three')
    await mail.drafts.delete(session, made.id)
    await assert.rejects(other.drafts.find(session, made.id, {}), { kind: 'not-found' })
  } finally {
    await provider.close()
  }
})

test('changes at once leave one draft', async () => {
  const session = await writer(world, used, 'alice')
  const made = await mail.drafts.create(session, draftOf('alice', { attachments: [] }))
  await Promise.all([1, 2, 3, 4].map((at) => mail.drafts.update(session, made.id, { subject: `s${at}` })))
  assert.equal((await stored(world, 'alice', 'Drafts', made.id)).length, 1)
  await mail.drafts.delete(session, made.id)
})

test('a full mailbox refuses a draft, and keeps the version before', async () => {
  const session = await writer(world, used, 'dave')
  const big = file('big.bin', 'application/octet-stream', noise(2_000_000))
  await assert.rejects(mail.drafts.create(session, draftOf('dave', { attachments: [big] })), {
    kind: 'mailbox-full',
  })
  const made = await mail.drafts.create(session, draftOf('dave', { attachments: [] }))
  await assert.rejects(mail.drafts.update(session, made.id, { attachments: [big] }), { kind: 'mailbox-full' })
  assert.equal((await mail.drafts.find(session, made.id, {})).subject, made.subject)
  await mail.drafts.delete(session, made.id)
})
