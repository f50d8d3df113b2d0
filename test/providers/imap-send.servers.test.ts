import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { randomUUID } from 'node:crypto'
import type { GrantSession } from '../../src/core/ports/grant-session.ts'
import type { Mail } from '../../src/core/ports/mail.ts'
import type { OutgoingMessage } from '../../src/core/ports/outgoing.ts'
import { startDovecot, type TestDovecot } from '../support/dovecot.ts'
import { eventually } from '../support/eventually.ts'
import { relayed, type Relayed } from '../support/far-side.ts'
import { hardMessages } from '../support/hard-messages.ts'
import { assertSameMail } from '../support/same-mail.ts'
import { addressOf, behind, imapProvider, settingsOf, signedIn } from './imap-world.ts'

const RUN = randomUUID().slice(0, 8)
const options = { withHeaders: false }

let world: TestDovecot
let provider: ReturnType<typeof imapProvider>
let mail: Mail & { readonly send: NonNullable<Mail['send']> }

before(async () => {
  world = await startDovecot()
  provider = imapProvider(world)
  assert.ok(provider.mail?.send)
  mail = { ...provider.mail, send: provider.mail.send }
})
after(async () => {
  await provider.close()
  await world.stop()
})

const sender = (user: string): Promise<GrantSession> =>
  signedIn(
    provider,
    settingsOf(world, user, {
      smtp_host: world.host,
      smtp_port: world.smtpStarttlsPort,
      smtp_tls: 'starttls',
    }),
  )

function plain(user: string, more: Partial<OutgoingMessage> = {}): OutgoingMessage {
  const [hard] = hardMessages(RUN)
  assert.ok(hard)
  return {
    ...hard.message,
    from: { email: addressOf(user) },
    messageId: `<${randomUUID()}@testworld.example>`,
    ...more,
  }
}

/** The message as the far side got it, with its recipients. */
const arrived = (messageId: string): Promise<Relayed> =>
  eventually(`${messageId} at the far side`, async () => (await relayed(world, messageId))[0])

/** Copies of a message in a folder, with their flags. */
function stored(user: string, path: string, messageId: string) {
  return behind(world, user, async (client) => {
    await client.mailboxOpen(path, { readOnly: true })
    const found = await client.search({ header: { 'Message-ID': messageId } }, { uid: true })
    const uids = found ? [...found] : []
    if (uids.length === 0) return []
    return client.fetchAll(uids, { source: true, flags: true }, { uid: true })
  })
}

for (const { name, message } of hardMessages(RUN)) {
  test(`arrives and is filed as it was written: ${name}`, async () => {
    const sent = await mail.send.send(await sender('alice'), message, options)
    assert.equal(sent.id, message.messageId)
    assert.deepEqual(sent.folders, ['Sent'])
    const { source } = await arrived(message.messageId)
    await assertSameMail(source, message, { withBcc: false })
    const [copy, ...others] = await stored('alice', 'Sent', message.messageId)
    assert.ok(copy?.source)
    assert.deepEqual(others, [])
    assert.ok(copy.flags?.has('\\Seen'))
    await assertSameMail(copy.source, message, { withBcc: true })
    assert.deepEqual(
      sent.attachments?.map((file) => file.filename),
      message.attachments.map((file) => file.filename),
    )
  })
}

test('hides blind copies from everybody, and sends them their copy', async () => {
  const message = plain('alice', { bcc: [{ email: 'hidden@elsewhere.example' }] })
  await mail.send.send(await sender('alice'), message, options)
  const { source } = await arrived(message.messageId)
  assert.equal(source.includes('hidden@elsewhere.example'), false)
})

test('sends as nobody else, and files nothing then', async () => {
  const message = plain('bob')
  await assert.rejects(mail.send.send(await sender('alice'), message, options), { kind: 'send-as-denied' })
  assert.deepEqual(await stored('alice', 'Sent', message.messageId), [])
})

test('sends nothing when one recipient is unknown, and names it', async () => {
  const message = plain('alice', {
    to: [{ email: 'b@elsewhere.example' }, { email: addressOf('nobody') }],
  })
  await assert.rejects(mail.send.send(await sender('alice'), message, options), {
    kind: 'rejected',
    message: /nobody@testworld\.example/,
  })
  assert.deepEqual(await stored('alice', 'Sent', message.messageId), [])
})

test('a full mailbox does not fail what has been sent', async () => {
  const message = plain('dave', { body: `<p>${'full '.repeat(300_000)}</p>` })
  const sent = await mail.send.send(await sender('dave'), message, options)
  assert.equal(sent.id, message.messageId)
  assert.deepEqual(sent.folders, [])
  await arrived(message.messageId)
})

for (const [user, folder] of [
  ['frieda', 'Gesendete Objekte'],
  ['bob', 'INBOX.Sent'],
] as const) {
  test(`files the copy of ${user} in ${folder}`, async () => {
    const message = plain(user)
    await mail.send.send(await sender(user), message, options)
    assert.equal((await stored(user, folder, message.messageId)).length, 1)
  })
}

test('a reply names its ancestors and stays in the thread', async () => {
  const session = await sender('alice')
  const first = plain('alice')
  const second = plain('alice', { replyToMessageId: first.messageId })
  const third = plain('alice', { replyToMessageId: second.messageId.slice(1, -1) })
  const threads = []
  for (const message of [first, second, third]) {
    threads.push((await mail.send.send(session, message, options)).threadId)
  }
  assert.equal(new Set(threads).size, 1)
  const { source } = await arrived(third.messageId)
  const unfolded = source.toString('latin1').replace(/\r\n[ \t]+/g, ' ')
  assert.match(unfolded, new RegExp(`^References: ${first.messageId} ${second.messageId}\r$`, 'm'))
  assert.match(unfolded, new RegExp(`^In-Reply-To: ${second.messageId}\r$`, 'm'))
  const unknown = plain('alice', { replyToMessageId: '<no-such@testworld.example>' })
  await assert.rejects(mail.send.send(session, unknown, options), { kind: 'not-found' })
})

test('sends a complete source, adds what it lacks and keeps Bcc to the own copy', async () => {
  const source = `To: b@elsewhere.example\nBcc: hidden@elsewhere.example\nSubject: raw\n\n.\nraw text\n`
  const sent = await mail.send.sendRaw(await sender('alice'), Buffer.from(source), { withHeaders: true })
  const there = await arrived(sent.id)
  assert.match(there.source.toString(), /^From: alice@testworld\.example\r?$/m)
  assert.match(there.source.toString(), /^Date: /m)
  assert.match(there.source.toString(), /\n\.\r?\nraw text/)
  assert.equal(there.source.includes('hidden@'), false)
  assert.ok(sent.headers?.every(({ name }) => name.toLowerCase() !== 'bcc'))
  const [copy] = await stored('alice', 'Sent', sent.id)
  assert.ok(copy?.source?.includes('Bcc: hidden@elsewhere.example'))
})
