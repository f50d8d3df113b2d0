import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import type { FullMessage, RawMessage } from '../../src/contract/message.ts'
import type { MessageQuery } from '../../src/core/ports/mail.ts'
import { fails } from '../support/fake-graph/fails.ts'
import { MESSAGE_COUNT, NEWEST_SECONDS, sourceOf } from '../support/fake-graph/seed.ts'
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
after(async () => {
  await world.stop()
  assert.deepEqual(world.graph.violations, [])
  assert.ok(world.graph.knownCount() > 100)
  assert.ok(world.graph.maxConcurrent() <= 4, `${world.graph.maxConcurrent()} requests at once`)
  assert.equal(world.graph.maxConcurrent(), 4, 'the slots are used')
})

const list = (query: Partial<MessageQuery> = {}, of: MicrosoftSession = session) =>
  world.microsoft.mail!.messages.list(of, { limit: 50, fields: 'standard', ...query })
const find = (id: string, fields: MessageQuery['fields'] = 'standard') =>
  world.microsoft.mail!.messages.find(session, id, { fields })
const idOf = (at: number) => `AAMkMsg-${String(at).padStart(4, '0')}=`

async function listAll(query: Partial<MessageQuery>, limit: number): Promise<FullMessage[]> {
  const all: FullMessage[] = []
  let cursor: string | undefined
  for (let pages = 0; pages < 200; pages += 1) {
    const page = await list({ ...query, limit, ...(cursor === undefined ? {} : { cursor }) })
    assert.ok(page.items.length <= limit)
    all.push(...(page.items as FullMessage[]))
    cursor = page.nextCursor
    if (cursor === undefined) return all
    assert.doesNotMatch(Buffer.from(cursor, 'base64url').toString('utf8'), /https?:/)
  }
  throw new Error('the list does not end')
}

async function callsOf(work: () => Promise<unknown>): Promise<string[]> {
  await session.accessToken()
  const from = world.graph.seen.length
  await work()
  return world.graph.seen.slice(from).map(({ method, path }) => `${method} ${path.split('?')[0]}`)
}

test('a page of 50 takes one call', async () => {
  assert.deepEqual(await callsOf(() => list()), ['GET /me/messages'])
})

test('paging to the end yields each message once, newest first', async () => {
  const whole = await listAll({}, 200)
  assert.equal(whole.length, MESSAGE_COUNT)
  assert.equal(new Set(whole.map(({ id }) => id)).size, MESSAGE_COUNT)
  for (const limit of [1, 7, 50]) {
    const paged = await listAll({}, limit)
    assert.deepEqual(
      paged.map(({ id }) => id),
      whole.map(({ id }) => id),
    )
  }
  assert.deepEqual(
    whole.map(({ date }) => date),
    whole.map(({ date }) => date).toSorted((one, other) => other - one),
  )
})

test('a cursor of large pages goes on with small ones', async () => {
  const first = await list({ limit: 20 })
  const rest = await list({ limit: 3, cursor: first.nextCursor! })
  assert.deepEqual(
    rest.items.map(({ id }) => id),
    [idOf(20), idOf(21), idOf(22)],
  )
})

const at = (message: FullMessage) => Number(/-(\d{4})=/.exec(message.id)![1])
const has = (addresses: readonly { email: string }[], email: string) =>
  addresses.some((one) => one.email === email)
const FILTERS: readonly [string, Partial<MessageQuery>, (message: FullMessage) => boolean][] = [
  ['subject', { subject: 'DÉJÀ' }, (m) => m.subject.toLowerCase().includes('déjà')],
  ['subject with quotes', { subject: `owner's "quote" \\ 1` }, (m) => at(m) === 6],
  ['from', { from: 'Zoe@partner.example' }, (m) => has(m.from, 'zoe@partner.example')],
  [
    'from with an apostrophe',
    { from: "pat.o'neil@partner.example" },
    (m) => has(m.from, "pat.o'neil@partner.example"),
  ],
  ['to', { to: 'team@contoso.example' }, (m) => has(m.to, 'team@contoso.example')],
  ['cc', { cc: 'team@contoso.example' }, (m) => has(m.cc, 'team@contoso.example')],
  ['bcc', { bcc: 'carol@globex.example' }, (m) => has(m.bcc, 'carol@globex.example')],
  [
    'any_email',
    { anyEmail: ['carol@globex.example', "pat.o'neil@partner.example"] },
    (m) =>
      [...m.from, ...m.to, ...m.cc, ...m.bcc].some(({ email }) =>
        ['carol@globex.example', "pat.o'neil@partner.example"].includes(email),
      ),
  ],
  ['in', { in: 'AAMkFolder-q1-08=' }, (m) => m.folders[0] === 'AAMkFolder-q1-08='],
  ['unread', { unread: true }, (m) => m.unread],
  ['read', { unread: false }, (m) => !m.unread && at(m) !== 20],
  ['starred', { starred: true }, (m) => m.starred],
  ['has_attachment', { hasAttachment: true }, (m) => m.attachments.some((a) => !a.is_inline)],
  ['received_after', { receivedAfter: NEWEST_SECONDS - 10 * 3600 }, (m) => at(m) < 10],
  ['received_before', { receivedBefore: NEWEST_SECONDS - 60 * 3600 }, (m) => at(m) > 60],
  [
    'to with days, flags and subject',
    {
      to: 'ada@contoso.example',
      receivedAfter: NEWEST_SECONDS - 40 * 3600,
      receivedBefore: NEWEST_SECONDS - 5 * 3600,
      unread: true,
      subject: 'invoice',
    },
    (m) =>
      has(m.to, 'ada@contoso.example') && at(m) > 5 && at(m) < 40 && m.unread && /invoice/i.test(m.subject),
  ],
  [
    'from and to',
    { from: 'ben@globex.example', to: 'team@contoso.example' },
    (m) => has(m.from, 'ben@globex.example') && has(m.to, 'team@contoso.example'),
  ],
  ['thread_id', { threadId: 'AAQkConv-2=' }, (m) => m.thread_id === 'AAQkConv-2='],
  [
    'thread_id and unread',
    { threadId: 'AAQkConv-2=', unread: true },
    (m) => m.thread_id === 'AAQkConv-2=' && m.unread,
  ],
]

for (const [name, query, fits] of FILTERS) {
  test(`filters by ${name}, paged or whole`, async () => {
    const expected = (await listAll({}, 200)).filter(fits).map(({ id }) => id)
    assert.ok(expected.length > 0)
    for (const limit of [2, 200]) {
      const found = await listAll(query, limit)
      assert.deepEqual(found.map(({ id }) => id).toSorted(), expected.toSorted(), `limit ${limit}`)
    }
  })
}

test('a whole page is newest first in a search and in a thread too', async () => {
  for (const query of [{ to: 'ada@contoso.example' }, { threadId: 'AAQkConv-5=' }]) {
    const dates = (await list({ ...query, limit: 200 })).items.map((item) => (item as FullMessage).date)
    assert.deepEqual(
      dates,
      dates.toSorted((one, other) => other - one),
    )
  }
})

test('maps every field', async () => {
  const message = await find(idOf(0))
  assert.deepEqual(message, {
    id: idOf(0),
    grant_id: 'grant-1',
    object: 'message',
    date: NEWEST_SECONDS,
    created_at: NEWEST_SECONDS,
    thread_id: 'AAQkConv-0=',
    subject: 'Report 0',
    from: [{ email: 'ben@globex.example', name: 'Ben Ito' }],
    to: [
      { email: 'ada@contoso.example', name: 'Ada Moreau' },
      { email: 'team@contoso.example', name: 'Team' },
    ],
    cc: [{ email: 'carol@globex.example', name: 'Carol' }],
    bcc: [],
    reply_to: [],
    folders: ['AAMkFolder-in-01='],
    unread: false,
    starred: true,
    snippet: 'Preview 0 of a text',
    body: '<html><body><p>Grüße 0 👋</p></body></html>',
    attachments: [
      {
        id: 'AAMkAtt-fileAttachment-0=',
        grant_id: 'grant-1',
        filename: 'Übersicht.pdf',
        content_type: 'application/pdf',
        size: 2048,
        is_inline: false,
      },
    ],
  })
})

test('a message of which Graph gives next to nothing is whole on the wire', async () => {
  const message = (await find(idOf(20))) as FullMessage
  assert.equal(message.date, NEWEST_SECONDS - 20 * 3600)
  const { id: _id, date: _date, created_at: _created, grant_id: _grant, ...rest } = message
  assert.deepEqual(rest, {
    object: 'message',
    thread_id: '',
    subject: '',
    from: [],
    to: [],
    cc: [],
    bcc: [],
    reply_to: [],
    folders: ['AAMkFolder-in-01='],
    unread: false,
    starred: false,
    snippet: '',
    body: '',
    attachments: [],
  })
})

test('attachments: inline ones carry their content id, items are .eml, links are left out', async () => {
  const [inline] = ((await find(idOf(13))) as FullMessage).attachments
  assert.deepEqual([inline?.is_inline, inline?.content_id], [true, 'chart1'])
  const [item] = ((await find(idOf(14))) as FullMessage).attachments
  assert.deepEqual([item?.filename, item?.content_type], ['Forwarded: hello.eml', 'message/rfc822'])
  assert.deepEqual(
    ((await find(idOf(15))) as FullMessage).attachments.map(({ id }) => id),
    ['AAMkAtt-fileAttachment-15='],
  )
})

test('headers come as Graph has them, doubles in order, or from the source where it has none', async () => {
  const received = (await find(idOf(0), 'include_headers')) as FullMessage
  assert.deepEqual(
    received.headers?.map(({ name }) => name),
    ['Message-ID', 'Received', 'Received', 'References'],
  )
  const basic = (await find(idOf(0), 'include_basic_headers')) as FullMessage
  assert.deepEqual(
    basic.headers?.map(({ name }) => name),
    ['Message-ID', 'References'],
  )
  const draft = (await find(idOf(10), 'include_headers')) as FullMessage
  assert.deepEqual(draft.headers?.slice(-2), [
    { name: 'X-Folded', value: 'one\ttwo' },
    { name: 'References', value: '<a@x> <b@x>' },
  ])
  const page = await list({ limit: 20, fields: 'include_basic_headers' })
  assert.ok(page.items.every((item) => ((item as FullMessage).headers?.length ?? 0) > 0))
})

test('raw_mime has four fields and the source byte for byte', async () => {
  const source = sourceOf(world.graph.mailboxes.get('ada@contoso.example')!.messages[3]!)
  const expected = {
    id: idOf(3),
    grant_id: 'grant-1',
    object: 'message',
    raw_mime: Buffer.from(source).toString('base64url'),
  }
  assert.deepEqual(await find(idOf(3), 'raw_mime'), expected)
  const { items } = await list({ limit: 12, fields: 'raw_mime' })
  assert.equal(items.length, 12)
  assert.deepEqual(items[3], expected)
  for (const item of items as RawMessage[]) assert.deepEqual(Object.keys(item).length, 4)
})

test('asks for no body and no attachments when they are not selected', async () => {
  const from = world.graph.seen.length
  await list({ limit: 5, select: ['id', 'subject'] })
  const path = decodeURIComponent(world.graph.seen.slice(from).at(-1)!.path)
  assert.doesNotMatch(path, /body|attachments\(|internetMessageHeaders/)
})

test('headers that are not selected are not read', async () => {
  const calls = await callsOf(async () => {
    const page = await list({
      fields: 'include_headers',
      select: ['id', 'subject'],
      in: 'AAMkFolder-out-02=',
    })
    assert.ok(page.items.length > 1)
    await world.microsoft.mail!.messages.find(session, idOf(7), {
      fields: 'include_basic_headers',
      select: ['id'],
    })
  })
  assert.equal(calls.length, 2, calls.join())
})

test('paging repeats and loses no message while mail arrives and leaves', async () => {
  const { messages } = world.graph.mailboxes.get('ada@contoso.example')!
  const before = [...messages]
  try {
    const whole = (await listAll({}, 200)).map(({ id }) => id)
    const seen: string[] = []
    let cursor: string | undefined
    for (let round = 0; round === 0 || cursor !== undefined; round += 1) {
      const page = await list({ limit: 5, ...(cursor === undefined ? {} : { cursor }) })
      seen.push(...page.items.map(({ id }) => id))
      cursor = page.nextCursor
      // One comes, one that was shown goes, and so does the last one of the page.
      messages.unshift({ ...before[0]!, id: `AAMkLate-${round}=`, receivedDateTime: '2026-02-01T00:00:00Z' })
      for (const gone of [seen.at(-1), seen.at(-3)]) {
        messages.splice(
          messages.findIndex(({ id }) => id === gone),
          1,
        )
      }
    }
    assert.deepEqual(seen, whole)
  } finally {
    messages.splice(0, messages.length, ...before)
  }
})

test('the native search is KQL, alone or with a folder', async () => {
  const found = await listAll({ searchQueryNative: 'from:zoe subject:"Invoice 1"' }, 50)
  assert.ok(found.length > 0)
  assert.ok(
    found.every(
      ({ from, subject }) => from[0]?.email === 'zoe@partner.example' && subject.startsWith('Invoice 1'),
    ),
  )
  assert.equal(
    (await listAll({ searchQueryNative: '$search="subject:Report"', in: 'AAMkFolder-q1-08=' }, 50)).length,
    2,
  )
  const filtered = await listAll({ searchQueryNative: `$filter=isRead eq false or importance eq 'high'` }, 7)
  assert.ok(filtered.length > 20)
  assert.ok(filtered.every(({ unread }) => unread))
  for (const query of [{ unread: true }, { subject: 'x' }, { threadId: 'AAQkConv-2=' }]) {
    await assert.rejects(list({ searchQueryNative: 'x', ...query }), fails('unsupported'))
  }
})

test('refuses names where ids belong', async () => {
  for (const name of ['inbox', 'Drafts', 'sentitems', '../messages', 'a/b', '', '$count']) {
    await assert.rejects(
      list({ in: name }),
      fails('invalid-request', (error) => assert.match(error.message, /^in /)),
      name,
    )
    await assert.rejects(
      world.microsoft.mail!.folders.find(session, name, {}),
      fails('invalid-request'),
      name,
    )
  }
  await assert.rejects(find('delta'), fails('invalid-request'))
  await assert.rejects(list({ in: 'not-an-id-1' }), fails('invalid-request'))
  await assert.rejects(list({ in: 'AAMkNowhere-1=' }), fails('not-found'))
  await assert.rejects(find('AAMkNowhere-1='), fails('not-found'))
})

test('reads a shared mailbox by address and folder, and says when it is not shared', async () => {
  const inbox = 'AAMkFolder-in-01='
  const shared = await list({ sharedFrom: 'team@contoso.example', sharedFolderId: inbox })
  assert.equal(shared.items.length, 5)
  assert.deepEqual(await list({ sharedFrom: 'team@contoso.example', in: inbox }), shared)
  await assert.rejects(list({ sharedFrom: 'bob@contoso.example', in: inbox }), fails('scope-missing'))
  await assert.rejects(list({ sharedFrom: 'nobody@contoso.example', in: inbox }), fails('not-found'))
  await assert.rejects(list({ sharedFrom: 'team@contoso.example' }), fails('invalid-request'))
  await assert.rejects(list({ sharedFrom: 'me/messages', in: inbox }), fails('invalid-request'))
  await assert.rejects(list({ sharedFolderId: inbox }), fails('invalid-request'))
})

test('app permissions read the mailbox by its address', async () => {
  const app = world.session({ appMailbox: 'bob@contoso.example' })
  const page = await list({}, app)
  assert.equal(page.items.length, 1)
  assert.ok(world.graph.seen.at(-1)?.path.startsWith('/users/bob%40contoso.example/messages?'))
})
