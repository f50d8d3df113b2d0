import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { startDovecot, type TestDovecot } from '../support/dovecot.ts'
import { eventually } from '../support/eventually.ts'
import { assertSameMail } from '../support/same-mail.ts'
import { arrived, draftOf, draftProvider, stored, writer } from './draft-world.ts'
import { addressOf, behind, whole } from './imap-world.ts'

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

test('a reply stays in its thread through changes, and is sent there', async () => {
  const session = await writer(world, used, 'alice')
  const original = draftOf('alice', { attachments: [] })
  const sent = await mail.send.send(session, original, { withHeaders: false })
  const made = await mail.drafts.create(
    session,
    draftOf('alice', { replyToMessageId: sent.id, attachments: [] }),
  )
  assert.equal(made.thread_id, sent.threadId)
  const changed = await mail.drafts.update(session, made.id, { body: '<p>later</p>' })
  assert.equal(changed.thread_id, sent.threadId)
  const result = await mail.drafts.send(session, made.id)
  assert.equal(result.threadId, sent.threadId)
  const source = await eventually('the reply at the far side', async () => (await arrived(world, made.id))[0])
  assert.match(
    source.toString('latin1').replace(/\r\n[ \t]+/g, ' '),
    new RegExp(`^References: ${sent.id}\r?$`, 'm'),
  )
})

test('a draft of another mail client keeps its headers and its text', async () => {
  const session = await writer(world, used, 'alice')
  const id = `<${randomUUID()}@client.example>`
  const foreign = [
    `Message-ID: ${id}`,
    'X-Mozilla-Draft-Info: internal/draft; vcard=0; receipt=0',
    'FCC: imap://alice@mail.example/Sent',
    'From: Alice <alice@testworld.example>',
    'To: =?utf-8?Q?J=C3=BCrgen?= <j@elsewhere.example>, undisclosed-recipients:;',
    'Subject: =?iso-8859-1?Q?Gr=FC=DFe?=',
    'X-Priority: 1 (Highest)',
    'Disposition-Notification-To: Alice <alice@testworld.example>',
    'Content-Type: text/plain; charset=iso-8859-15; format=flowed',
    'Content-Transfer-Encoding: 8bit',
    '',
    'zehn \xa4\r\n',
  ].join('\r\n')
  await behind(world, 'alice', (client) =>
    client.append('Drafts', Buffer.from(foreign, 'latin1'), ['\\Draft', '$label1']),
  )
  const found = await mail.drafts.find(session, id.slice(1, -1), {})
  assert.deepEqual([found.subject, found.body.trim(), found.unread], ['Grüße', 'zehn €', false])
  const changed = await mail.drafts.update(session, id, { cc: [{ email: 'c@elsewhere.example' }] })
  assert.deepEqual([changed.subject, changed.body.trim(), changed.id], ['Grüße', 'zehn €', id])
  assert.deepEqual(changed.to, [{ name: 'Jürgen', email: 'j@elsewhere.example' }])
  const [copy] = await stored(world, 'alice', 'Drafts', id)
  assert.ok(copy?.flags?.has('$label1'))
  for (const line of ['X-Priority: 1 (Highest)', 'Disposition-Notification-To: Alice']) {
    assert.ok(copy?.source?.includes(line), line)
  }
  await mail.drafts.send(session, id)
  const source = await eventually('the mail at the far side', async () => (await arrived(world, id))[0])
  assert.ok(source.includes('X-Priority: 1'))
  assert.equal(/X-Mozilla|FCC:/.test(source.toString('latin1')), false)
})

test('a draft is sent once by many requests at once, filed and gone', async () => {
  const session = await writer(world, used, 'alice')
  const draft = draftOf('alice')
  const made = await mail.drafts.create(session, draft)
  const outcomes = await Promise.allSettled([1, 2, 3].map(() => mail.drafts.send(session, made.id)))
  const [sent, ...more] = outcomes.flatMap((outcome) =>
    outcome.status === 'fulfilled' ? [outcome.value] : [],
  )
  assert.deepEqual(more, [])
  assert.ok(sent)
  assert.deepEqual([sent.id, sent.folders], [made.id, ['Sent']])
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') assert.match(outcome.reason.kind, /^(conflict|not-found)$/)
  }
  await assert.rejects(mail.drafts.send(session, made.id), { kind: 'not-found' })
  const source = await eventually('the mail at the far side', async () => (await arrived(world, made.id))[0])
  await assertSameMail(source, { ...draft, date: sent.date }, { withBcc: false })
  assert.equal(source.includes('hidden@'), false)
  assert.deepEqual(await stored(world, 'alice', 'Drafts', made.id), [])
  const [copy, ...copies] = await stored(world, 'alice', 'Sent', made.id)
  assert.deepEqual(copies, [])
  assert.ok(copy?.source?.includes('hidden@') && !copy.flags?.has('\\Draft'))
  assert.equal((await arrived(world, made.id)).length, 1)
  const found = whole(await mail.messages.find(session, sent.id, { fields: 'standard' }))
  assert.deepEqual([found.id, found.folders], [made.id, ['Sent']])
  const listed = await mail.messages.list(session, { limit: 5, fields: 'standard', in: 'Sent' })
  assert.equal(listed.items[0]?.id, made.id)
})

test('a refused draft stays, and is sent when it was put right', async () => {
  const session = await writer(world, used, 'alice')
  const made = await mail.drafts.create(session, draftOf('alice', { to: [{ email: addressOf('nobody') }] }))
  await assert.rejects(mail.drafts.send(session, made.id), { kind: 'rejected' })
  const [copy] = await stored(world, 'alice', 'Drafts', made.id)
  assert.ok(copy?.flags && ![...copy.flags].some((flag) => flag.toLowerCase() === '$submitpending'))
  assert.deepEqual(await stored(world, 'alice', 'Sent', made.id), [])
  await mail.drafts.update(session, made.id, { to: [{ email: 'b@elsewhere.example' }] })
  assert.equal((await mail.drafts.send(session, made.id)).id, made.id)
})

test('a send that was cut off is finished when the copy is there, and never repeated when it is not', async () => {
  const session = await writer(world, used, 'alice')
  const mark = (id: string) =>
    behind(world, 'alice', async (client) => {
      await client.mailboxOpen('Drafts')
      const uids = await client.search({ header: { 'Message-ID': id } }, { uid: true })
      await client.messageFlagsAdd(uids || [], ['$SubmitPending'], { uid: true })
    })
  const gone = await mail.drafts.create(session, draftOf('alice'))
  await mark(gone.id)
  const [copy] = await stored(world, 'alice', 'Drafts', gone.id)
  const source = copy?.source
  assert.ok(source)
  await behind(world, 'alice', (client) => client.append('Sent', source, ['\\Seen']))
  const result = await mail.drafts.send(session, gone.id)
  assert.deepEqual([result.id, result.folders], [gone.id, ['Sent']])
  assert.deepEqual(await stored(world, 'alice', 'Drafts', gone.id), [])

  const open = await mail.drafts.create(session, draftOf('alice'))
  await mark(open.id)
  await assert.rejects(mail.drafts.send(session, open.id), { kind: 'conflict', message: /update it first/ })
  await mail.drafts.update(session, open.id, { subject: 'again' })
  await mail.drafts.send(session, open.id)
  await eventually('the mail at the far side', async () => (await arrived(world, open.id))[0])
  assert.deepEqual(await arrived(world, gone.id), [])
})
