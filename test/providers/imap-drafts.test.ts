import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { GrantSession } from '../../src/core/ports/grant-session.ts'
import type { OutgoingDraft } from '../../src/core/ports/outgoing.ts'
import { Secret } from '../../src/kit/secret.ts'
import { openImapSession } from '../../src/protocols/imap/open-session.ts'
import { submitMessage } from '../../src/protocols/smtp/submit-message.ts'
import { createImapMail } from '../../src/standards/imap-mail/create-imap-mail.ts'
import { startFakeSmtp } from '../support/fake-smtp.ts'
import { type ImapCall, type ImapScript, startImapScript } from '../support/imap-script-server.ts'
import { sessionOf } from './imap-world.ts'

const login = (port: number) =>
  ({
    host: '127.0.0.1',
    port,
    tls: 'starttls',
    username: 'user',
    auth: { password: new Secret('planted-password') },
  }) as const
const clear = { allowPlaintext: true }
const FOLDERS = [{ path: 'INBOX' }, { path: 'Drafts' }, { path: 'Sent' }]

/** A mailbox on a server that does as the script says, and a submission server. */
async function world(
  t: TestContext,
  script: ImapScript = {},
  smtpOptions: Parameters<typeof startFakeSmtp>[0] = {},
) {
  const append = (call: ImapCall) => {
    const [, path = '', flags = '', source = ''] =
      /^"?([^" ]+)"? \(([^)]*)\) "[^"]*" "(.*)"$/s.exec(call.args) ?? []
    const folder = imap.mailbox.folders.get(path)
    if (!folder) return call.reply('NO [TRYCREATE] no such folder')
    const [headers = '', body = ''] = source.split(/\r\n\r\n(.*)/s)
    folder.messages.push({ uid: folder.uidNext++, flags: new Set(flags.split(' ')), headers, body })
    call.reply('OK stored')
  }
  const { APPEND, ...on } = script.on ?? {}
  const imap = await startImapScript({
    folders: FOLDERS,
    ...script,
    on: { ...on, APPEND: APPEND ? (call) => APPEND({ ...call, usual: () => append(call) }) : append },
  })
  const smtp = await startFakeSmtp(smtpOptions)
  const mail = createImapMail({
    accountOf: () =>
      Promise.resolve({
        key: 'scripted',
        open: (signal) => openImapSession(login(imap.port), clear, signal),
      }),
    smtpAccountOf: () =>
      Promise.resolve({
        storesSent: false,
        submit: (message, signal) => submitMessage(login(smtp.port), clear, message, signal),
      }),
  })
  t.after(async () => {
    await mail.close()
    await imap.close()
    await smtp.stop()
  })
  const { drafts, messages } = mail
  assert.ok(drafts)
  const session: GrantSession = sessionOf('user@x.example', { kind: 'none' }, new AbortController().signal)
  const stored = (path: string) => imap.mailbox.folder(path).messages
  return { imap, smtp, drafts, messages, session, stored }
}

const ID = '<draft@x.example>'
const draft: OutgoingDraft = {
  to: [{ email: 'b@x.example' }],
  cc: [],
  bcc: [],
  replyTo: [],
  subject: 'one',
  body: 'text',
  isPlaintext: true,
  attachments: [],
  headers: [],
  messageId: ID,
  date: 1_780_000_000,
}
const subjectsOf = (messages: readonly { readonly headers: string }[]) =>
  messages.map(({ headers }) => /^Subject: (.*)$/m.exec(headers)?.[1]?.trim())

test('makes the folder of drafts where there is none, and lists nothing before', async (t) => {
  const { drafts, session, stored } = await world(t, { folders: [{ path: 'INBOX' }] })
  assert.deepEqual(await drafts.list(session, { limit: 50 }), { items: [] })
  await assert.rejects(drafts.find(session, ID, {}), { kind: 'not-found' })
  const made = await drafts.create(session, draft)
  assert.deepEqual([made.id, made.folders], [ID, ['Drafts']])
  assert.equal(stored('Drafts').length, 1)
})

test('without UIDPLUS a change leaves one draft under its id, and what others marked alone', async (t) => {
  const others = {
    headers: 'Subject: theirs\r\nMessage-ID: <theirs@x.example>',
    flags: ['\\Deleted'],
  }
  const folders = [{ path: 'INBOX' }, { path: 'Drafts', messages: [others] }]
  const { drafts, messages, session, stored } = await world(t, { folders })
  await drafts.create(session, draft)
  for (const subject of ['two', 'three']) {
    assert.equal((await drafts.update(session, ID, { subject })).id, ID)
  }
  const { items } = await drafts.list(session, { limit: 50 })
  assert.deepEqual(
    items.map(({ id, subject }) => [id, subject]),
    [[ID, 'three']],
  )
  const found = await messages.find(session, ID, { fields: 'standard' })
  assert.equal('subject' in found && found.subject, 'three')
  assert.ok(subjectsOf(stored('Drafts')).includes('theirs'))
  await drafts.delete(session, ID)
  await assert.rejects(drafts.find(session, ID, {}), { kind: 'not-found' })
  assert.deepEqual((await drafts.list(session, { limit: 50 })).items, [])
})

test('a full mailbox keeps the version before', async (t) => {
  const refusing = {
    APPEND: (call: ImapCall) => (call.count > 1 ? call.reply('NO [OVERQUOTA] full') : call.usual()),
  }
  const { drafts, session } = await world(t, { on: refusing })
  await drafts.create(session, draft)
  await assert.rejects(drafts.update(session, ID, { subject: 'two' }), { kind: 'mailbox-full' })
  assert.equal((await drafts.find(session, ID, {})).subject, 'one')
})

test('a connection that breaks while a draft is stored loses no version', async (t) => {
  const breaking = {
    APPEND: (call: ImapCall) => (call.count === 2 ? call.connection.cut() : call.usual()),
  }
  const { drafts, session } = await world(t, { on: breaking })
  await drafts.create(session, draft)
  await assert.rejects(drafts.update(session, ID, { subject: 'two' }), { kind: 'unavailable' })
  assert.equal((await drafts.find(session, ID, {})).subject, 'one')
  assert.equal((await drafts.update(session, ID, { subject: 'three' })).subject, 'three')
})

test('a version that could not be removed holds the id no more', async (t) => {
  const breaking = {
    'UID STORE': (call: ImapCall) => (call.count === 1 ? call.connection.cut() : call.usual()),
  }
  const { drafts, session } = await world(t, { on: breaking })
  await drafts.create(session, draft)
  await assert.rejects(drafts.update(session, ID, { subject: 'two' }))
  assert.equal((await drafts.find(session, ID, {})).subject, 'two')
  const { items } = await drafts.list(session, { limit: 50 })
  assert.deepEqual(new Set(items.map(({ id }) => id)).size, 2)
  const old = items.find(({ subject }) => subject === 'one')
  assert.ok(old)
  await drafts.delete(session, old.id)
  assert.equal((await drafts.find(session, ID, {})).subject, 'two')
})

test('an unanswered send is never repeated, and the draft stays until it is changed', async (t) => {
  const answers = ['hang-up', '250 queued']
  const { drafts, session, smtp, stored } = await world(t, {}, { afterMessage: () => answers.shift() })
  await drafts.create(session, draft)
  const failure: unknown = await drafts.send(session, ID).catch((error: unknown) => error)
  assert.ok(failure instanceof Error && 'details' in failure)
  assert.partialDeepStrictEqual(failure.details, { answered: false })
  assert.deepEqual(subjectsOf(stored('Drafts')), ['one'])
  await assert.rejects(drafts.send(session, ID), { kind: 'conflict' })
  assert.equal(smtp.messages.length, 1)
  await drafts.update(session, ID, { subject: 'two' })
  await drafts.send(session, ID)
  assert.equal(smtp.messages.length, 2)
  assert.deepEqual([stored('Drafts').length, subjectsOf(stored('Sent'))], [0, ['two']])
})

test('a refused send leaves the draft as it was, and it can be sent again', async (t) => {
  const answers = ['554 5.7.1 spam', '451 4.3.0 later', '250 queued']
  const { drafts, session, smtp, stored } = await world(t, {}, { afterMessage: () => answers.shift() })
  await drafts.create(session, draft)
  await assert.rejects(drafts.send(session, ID), { kind: 'rejected' })
  await assert.rejects(drafts.send(session, ID), { kind: 'rate-limited' })
  assert.deepEqual([...(stored('Drafts')[0]?.flags ?? [])], ['\\Draft', '\\Seen'])
  assert.equal((await drafts.send(session, ID)).id, ID)
  assert.equal(smtp.messages.length, 3)
})

test('while a draft is being sent, whatever else wants it is refused', { timeout: 10_000 }, async (t) => {
  let accept: (reply: string) => void = () => undefined
  const accepted = new Promise<string>((resolve) => {
    accept = resolve
  })
  const { drafts, session, smtp, stored } = await world(t, {}, { afterMessage: () => accepted })
  await drafts.create(session, draft)
  const sending = drafts.send(session, ID)
  await smtp.waitForMessage()
  const conflict = { kind: 'conflict', message: /being sent/ }
  await assert.rejects(drafts.send(session, ID), conflict)
  await assert.rejects(drafts.send(session, ID.slice(1, -1)), conflict)
  await assert.rejects(drafts.update(session, ID, { subject: 'two' }), conflict)
  await assert.rejects(drafts.delete(session, ID), conflict)
  assert.equal((await drafts.find(session, ID, {})).subject, 'one')
  accept('250 queued')
  assert.deepEqual((await sending).folders, ['Sent'])
  assert.equal(smtp.messages.length, 1)
  assert.equal(stored('Drafts').length, 0)
})

test('a draft that has gone is gone, also when its copy can not be filed', async (t) => {
  const refusing = {
    APPEND: (call: ImapCall) => (call.count > 1 ? call.reply('NO [OVERQUOTA] full') : call.usual()),
  }
  const { drafts, session, smtp, stored } = await world(t, { on: refusing })
  await drafts.create(session, draft)
  assert.deepEqual((await drafts.send(session, ID)).folders, [])
  assert.deepEqual([smtp.messages.length, stored('Drafts').length], [1, 0])
})

test('a draft that can not be removed after it went is not sent again', async (t) => {
  const breaking = {
    'UID STORE': (call: ImapCall) =>
      call.args.includes('\\Deleted') && call.count < 4 ? call.connection.cut() : call.usual(),
  }
  const { drafts, session, smtp, stored } = await world(t, { on: breaking })
  await drafts.create(session, draft)
  assert.equal((await drafts.send(session, ID)).id, ID)
  assert.equal(stored('Drafts').length, 1)
  assert.deepEqual((await drafts.send(session, ID)).folders, ['Sent'])
  assert.deepEqual([smtp.messages.length, stored('Drafts').length, stored('Sent').length], [1, 0, 1])
})

test('the copy under Sent has the id of the draft, though the draft was first', async (t) => {
  const { drafts, messages, session } = await world(t)
  await drafts.create(session, draft)
  await drafts.update(session, ID, { subject: 'two' })
  await drafts.send(session, ID)
  const page = await messages.list(session, { limit: 5, fields: 'standard', in: 'Sent' })
  assert.deepEqual(
    page.items.map(({ id }) => id),
    [ID],
  )
  const found = await messages.find(session, ID, { fields: 'standard' })
  assert.deepEqual('folders' in found && found.folders, ['Sent'])
})

for (const way of ['drafts', 'messages'] as const) {
  test(`a draft that another mail client has changed is found under its id (${way})`, async (t) => {
    const { drafts, messages, session, imap } = await world(t)
    await drafts.create(session, draft)
    const folder = imap.mailbox.folder('Drafts')
    const old = folder.messages.pop()
    assert.ok(old)
    const headers = old.headers.replace('Subject: one', 'Subject: changed elsewhere')
    folder.messages.push({ ...old, headers, uid: folder.uidNext++ })
    const found =
      way === 'drafts'
        ? await drafts.find(session, ID, {})
        : await messages.find(session, ID, { fields: 'standard' })
    assert.deepEqual([found.id, 'subject' in found && found.subject], [ID, 'changed elsewhere'])
  })
}

test('a change of a draft that goes away meanwhile does not bring it back', async (t) => {
  let isGone = false
  const vanishing = {
    'UID FETCH': (call: ImapCall) => {
      // The whole source is read: what comes next is the change.
      if (/BODY\.PEEK\[\]/.test(call.args)) isGone = true
      call.usual()
    },
    EXAMINE: (call: ImapCall) => {
      if (isGone) imapFolder().messages.length = 0
      call.usual()
    },
  }
  const { drafts, session, stored, imap } = await world(t, { on: vanishing })
  const imapFolder = () => imap.mailbox.folder('Drafts')
  await drafts.create(session, draft)
  await assert.rejects(drafts.update(session, ID, { subject: 'two' }), { kind: 'not-found' })
  assert.equal(stored('Drafts').length, 0)
})

test('sends where the server keeps no keywords', async (t) => {
  const refusing = {
    'UID STORE': (call: ImapCall) =>
      call.args.includes('$') ? call.reply('NO no keywords here') : call.usual(),
  }
  const { drafts, session, smtp, stored } = await world(t, { on: refusing })
  await drafts.create(session, draft)
  assert.equal((await drafts.send(session, ID)).id, ID)
  assert.deepEqual([smtp.messages.length, stored('Drafts').length], [1, 0])
})

test('a draft sent without a copy of its Bcc keeps it under Sent', async (t) => {
  const { drafts, session, smtp, stored } = await world(t)
  await drafts.create(session, { ...draft, bcc: [{ email: 'hidden@x.example' }] })
  await drafts.send(session, ID)
  assert.equal(smtp.messages[0]?.includes('hidden@'), false)
  assert.ok(smtp.commands.includes('RCPT TO:<hidden@x.example>'))
  assert.ok(stored('Sent')[0]?.headers.includes('hidden@x.example'))
})
