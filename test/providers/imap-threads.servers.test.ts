import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { FullThread } from '../../src/contract/thread.ts'
import type { GrantSession } from '../../src/core/ports/grant-session.ts'
import type { ThreadQuery, ThreadsPort } from '../../src/core/ports/mail.ts'
import type { ImapSession } from '../../src/protocols/imap/open-session.ts'
import { startDovecot, type TestDovecot } from '../support/dovecot.ts'
import { addressOf, behind, imapProvider, settingsOf, signedIn, walk } from './imap-world.ts'

const USER = 'dave'
let world: TestDovecot
let provider: ReturnType<typeof imapProvider>
let threads: ThreadsPort
let dave: GrantSession
let clock = 1_700_000_000

before(async () => {
  world = await startDovecot()
  provider = imapProvider(world)
  assert.ok(provider.mail?.threads)
  threads = provider.mail.threads
  dave = await signedIn(provider, settingsOf(world, USER))
})
after(async () => {
  await provider.close()
  await world.stop()
})

interface Mail {
  readonly id: string
  readonly from?: string
  readonly to?: string
  readonly subject?: string
  readonly references?: readonly string[]
  readonly inReplyTo?: string
  readonly folder?: string
  readonly flags?: string[]
  readonly at?: number
  readonly file?: boolean
}

const header = (id: string) => `<${id}@threads.example>`

/** Puts mail into the mailbox, each a minute newer than the one before. */
async function put(client: ImapSession, ...mails: readonly Mail[]): Promise<void> {
  for (const mail of mails) {
    clock += 60
    const body = mail.file
      ? 'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\nContent-Type: application/pdf; name=a.pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\n\r\npdf\r\n--b--\r\n'
      : `\r\nText of ${mail.id}\r\n`
    const source = [
      `Message-ID: ${header(mail.id)}`,
      `From: ${mail.from ?? 'Ann <ann@x.example>'}`,
      `To: ${mail.to ?? addressOf(USER)}`,
      `Subject: ${mail.subject ?? mail.id}`,
      ...(mail.references ? [`References: ${mail.references.map(header).join(' ')}`] : []),
      ...(mail.inReplyTo ? [`In-Reply-To: ${header(mail.inReplyTo)}`] : []),
      body,
    ].join('\r\n')
    const folder = mail.folder ?? 'INBOX'
    const added = await client.append(folder, source, mail.flags ?? [], new Date((mail.at ?? clock) * 1000))
    assert.ok(added)
  }
}

/** Empties the mailbox, fills it, and runs the test. */
async function mailbox(fill: readonly Mail[], work: (client: ImapSession) => Promise<void>): Promise<void> {
  await behind(world, USER, async (client) => {
    for (const folder of await client.list()) {
      if (folder.flags.has('\\Noselect')) continue
      await client.mailboxOpen(folder.path)
      await client.messageDelete({ all: true })
    }
    await client.mailboxClose()
    await put(client, ...fill)
    await work(client)
  })
}

const page = (query: Partial<ThreadQuery> = {}) => threads.list(dave, { limit: 50, ...query })
const listed = async (query: Partial<ThreadQuery> = {}) => (await page(query)).items

async function only(query: Partial<ThreadQuery> = {}): Promise<FullThread> {
  const items = await listed(query)
  assert.equal(items.length, 1, JSON.stringify(items.map((thread) => thread.subject)))
  const [thread] = items
  assert.ok(thread)
  return thread
}

test('joins a conversation over INBOX, Sent and Drafts, whatever headers carry it', async () => {
  const fill: readonly Mail[] = [
    { id: 'a1', subject: 'Plans', flags: ['\\Seen'] },
    {
      id: 'a2',
      from: addressOf(USER),
      to: 'ann@x.example',
      inReplyTo: 'a1',
      folder: 'Sent',
      flags: ['\\Seen'],
    },
    {
      id: 'a3',
      subject: 'Re: Plans',
      references: ['a1', 'a2'],
      inReplyTo: 'a2',
      file: true,
      flags: ['\\Flagged'],
    },
    { id: 'other' },
    {
      id: 'a4',
      from: addressOf(USER),
      references: ['a1', 'a2', 'a3'],
      folder: 'Drafts',
      flags: ['\\Draft', '\\Seen'],
    },
  ]
  await mailbox(fill, async () => {
    const [thread, other] = await listed()
    assert.ok(thread && other)
    assert.deepEqual(other.message_ids, [header('other')])
    assert.deepEqual(thread.message_ids, ['a1', 'a2', 'a3'].map(header))
    assert.deepEqual(thread.draft_ids, [header('a4')])
    assert.deepEqual(new Set(thread.folders), new Set(['INBOX', 'Sent', 'Drafts']))
    assert.equal(thread.id, `t.${Buffer.from(header('a1')).toString('base64url')}`)
    assert.equal(thread.has_drafts, true)
    assert.equal(thread.has_attachments, true)
    assert.equal(thread.unread, true)
    assert.equal(thread.starred, true)
    assert.equal(thread.latest_draft_or_message.object, 'draft')
    assert.equal(thread.latest_draft_or_message.id, header('a4'))
    assert.match(thread.snippet, /Text of a4/)
    const first = thread.earliest_message_date
    assert.equal(thread.latest_message_sent_date, first + 60)
    assert.equal(thread.latest_message_received_date, first + 120)
    assert.deepEqual(
      thread.participants.map(({ email }) => email).sort(),
      ['ann@x.example', addressOf(USER)].sort(),
    )
    assert.deepEqual(await threads.find(dave, thread.id, {}), thread)
    assert.equal(other.latest_message_sent_date, undefined)
  })
})

test('a thread matches a filter when one of its messages does', async () => {
  const fill: readonly Mail[] = [
    { id: 'f1', subject: 'Budget', flags: ['\\Seen'], from: 'bob@x.example' },
    { id: 'f2', references: ['f1'], folder: 'Archive', flags: ['\\Seen'], file: true },
    { id: 'g1', subject: 'Lunch', from: 'cy@x.example' },
  ]
  await mailbox(fill, async (client) => {
    const found = async (query: Partial<ThreadQuery>) =>
      (await listed(query)).map((thread) => thread.message_ids[0])
    assert.deepEqual(await found({}), [header('g1'), header('f1')])
    assert.deepEqual(await found({ subject: 'budget' }), [header('f1')])
    assert.deepEqual(await found({ from: 'bob@x.example' }), [header('f1')])
    assert.deepEqual(await found({ anyEmail: ['cy@x.example', 'no@x.example'] }), [header('g1')])
    assert.deepEqual(await found({ in: 'Archive' }), [header('f1')])
    assert.deepEqual(await found({ unread: true }), [header('g1')])
    assert.deepEqual(await found({ hasAttachment: true }), [header('f1')])
    assert.deepEqual(await found({ starred: true }), [])
    assert.deepEqual(await found({ searchQueryNative: 'SUBJECT Lunch' }), [header('g1')])
    const [lunch, budget] = await listed()
    assert.ok(lunch && budget)
    assert.deepEqual(await found({ threadId: budget.id }), [header('f1')])
    assert.deepEqual(await found({ threadId: 'nothing' }), [])
    const newest = lunch.latest_draft_or_message.date ?? 0
    assert.deepEqual(await found({ latestMessageBefore: newest }), [header('f1')])
    assert.deepEqual(await found({ latestMessageAfter: newest - 1 }), [header('g1')])
    assert.deepEqual(await found({ earliestMessageDate: newest }), [header('g1')])
    // What is not so of one message may be so of another: false is asked of the whole thread.
    await put(client, { id: 'g2', references: ['g1'], flags: ['\\Seen', '\\Flagged'] })
    assert.deepEqual(await found({ unread: false }), [header('f1')])
    assert.deepEqual(await found({ starred: false }), [header('f1')])
    assert.deepEqual(await found({ hasAttachment: false }), [header('g1')])
    assert.deepEqual(await found({ unread: false, from: 'cy@x.example' }), [])
    await assert.rejects(page({ in: 'nowhere' }), { kind: 'invalid-request' })
    await assert.rejects(page({ cursor: 'x' }), { kind: 'invalid-request' })
  })
})

test('a late message that links two threads makes them one, and both ids find it', async () => {
  await mailbox([{ id: 'm1' }, { id: 'm2' }], async (client) => {
    const [younger, older] = await listed()
    assert.ok(younger && older)
    await put(client, { id: 'm3', references: ['m2', 'm1'] })
    const thread = await only()
    assert.equal(thread.id, older.id)
    assert.deepEqual(thread.message_ids, ['m1', 'm2', 'm3'].map(header))
    assert.deepEqual(await threads.find(dave, older.id, {}), thread)
    assert.deepEqual(await threads.find(dave, younger.id, {}), thread)
    assert.deepEqual(await only({ threadId: younger.id }), thread)
    assert.ok(provider.mail)
    const messages = await walk(provider.mail, dave, {})
    assert.deepEqual(new Set(messages.map((message) => message.thread_id)), new Set([older.id]))
    for (const threadId of [older.id, younger.id]) {
      const ofThread = await walk(provider.mail, dave, { threadId })
      assert.deepEqual(
        ofThread.map((message) => message.id),
        ['m3', 'm2', 'm1'].map(header),
      )
    }
  })
})

test('pages hold every thread once, by its newest message, while mail arrives', async () => {
  const fill = Array.from({ length: 12 }, (_, n): Mail => ({ id: `p${n}` }))
  await mailbox([...fill, { id: 'p0-reply', references: ['p0'] }], async (client) => {
    const seen: string[] = []
    let cursor: string | undefined
    let late = 0
    do {
      const { items, nextCursor } = await page({ limit: 5, ...(cursor ? { cursor } : {}) })
      seen.push(...items.map((thread) => thread.message_ids[0] ?? ''))
      cursor = nextCursor
      // A reply to a thread that is still to come, and a new one.
      late += 1
      await put(client, { id: `late${late}`, references: ['p1'] }, { id: `new${late}` })
    } while (cursor)
    const wanted = ['p0', 'p11', 'p10', 'p9', 'p8', 'p7', 'p6', 'p5', 'p4', 'p3', 'p2', 'p1']
    assert.deepEqual(seen, wanted.map(header))
  })
})

test('changes and trashes every message of a thread', async () => {
  const fill: readonly Mail[] = [
    { id: 'u1' },
    { id: 'u2', references: ['u1'], folder: 'Sent' },
    { id: 'u3', references: ['u1', 'u2'], folder: 'Archive' },
    { id: 'rest' },
  ]
  await mailbox(fill, async () => {
    const thread = (await listed()).find(({ message_ids }) => message_ids.length === 3)
    assert.ok(thread)
    const read = await threads.update(dave, thread.id, { unread: false, starred: true })
    assert.equal(read.unread, false)
    assert.equal(read.starred, true)
    assert.equal(read.message_ids.length, 3)
    assert.deepEqual(await listed({ starred: true }), [read])
    const moved = await threads.update(dave, thread.id, { folders: ['Archive'] })
    assert.deepEqual(moved.folders, ['Archive'])
    assert.deepEqual(moved.message_ids, thread.message_ids)
    await threads.delete(dave, thread.id, {})
    const left = await only()
    assert.deepEqual(left.message_ids, [header('rest')])
    // Again, which must not empty the trash.
    await threads.delete(dave, thread.id, {})
    const trashed = await threads.find(dave, thread.id, {})
    assert.deepEqual(trashed.folders, ['Trash'])
    assert.deepEqual(trashed.message_ids, thread.message_ids)
    await assert.rejects(threads.find(dave, 't.PG5vbmVAeD4', {}), { kind: 'not-found' })
    await assert.rejects(threads.update(dave, 'nonsense', { unread: true }), { kind: 'not-found' })
  })
})

test('messages without Message-ID, and roots too long for an id, are threads that can be found', async () => {
  const long = `${'r'.repeat(300)}`
  await mailbox(
    [
      { id: 'l1', references: [long] },
      { id: 'l2', references: [long, 'l1'] },
    ],
    async (client) => {
      await client.append('INBOX', 'Subject: bare\r\n\r\nx\r\n', [], new Date((clock + 600) * 1000))
      const [bare, thread] = await listed()
      assert.ok(bare && thread)
      assert.equal(bare.subject, 'bare')
      assert.deepEqual(thread.message_ids, ['l1', 'l2'].map(header))
      for (const one of [bare, thread]) assert.deepEqual(await threads.find(dave, one.id, {}), one)
    },
  )
})

test('a copy in a second folder is the same message of the thread', async () => {
  const copy = { id: 'c1', at: 1_690_000_000 }
  await mailbox([copy, { ...copy, folder: 'Archive' }], async () => {
    const thread = await only()
    assert.deepEqual(thread.message_ids, [header('c1')])
    assert.deepEqual(new Set(thread.folders), new Set(['INBOX', 'Archive']))
  })
})
