import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { isDeepStrictEqual, promisify } from 'node:util'
import type { GrantSession } from '../../src/core/ports/grant-session.ts'
import type { Mail } from '../../src/core/ports/mail.ts'
import { Secret } from '../../src/kit/secret.ts'
import { type ImapSession, openImapSession } from '../../src/protocols/imap/open-session.ts'
import { startDovecot, type TestDovecot } from '../support/dovecot.ts'
import { messageFromSource } from '../../src/standards/imap-mail/message-from-source.ts'
import {
  addressOf,
  imapProvider,
  PASSWORDS,
  sessionOf,
  settingsOf,
  signedIn,
  walk,
  whole,
} from './imap-world.ts'

const run = promisify(execFile)
const folders = { limit: 200, includeHiddenFolders: false, singleLevel: false }
const standard = { limit: 50, fields: 'standard' } as const

let world: TestDovecot
let provider: ReturnType<typeof imapProvider>
let mail: Mail
let alice: GrantSession

before(async () => {
  world = await startDovecot()
  await world.fill(addressOf('alice'), 2000)
  provider = imapProvider(world)
  assert.ok(provider.mail)
  mail = provider.mail
  alice = await signedIn(provider, settingsOf(world, 'alice'))
})
after(async () => {
  await provider.close()
  await world.stop()
})

/** A session of our own, to look behind the adapter's back. */
async function behind<T>(user: string, work: (client: ImapSession) => Promise<T>): Promise<T> {
  const password = new Secret(PASSWORDS[user] ?? `${user}-pass`)
  const client = await openImapSession(
    {
      host: world.host,
      port: world.imapsPort,
      tls: 'implicit',
      username: addressOf(user),
      auth: { password },
    },
    { ca: world.ca, allowPlaintext: false },
    AbortSignal.timeout(30_000),
  )
  try {
    return await work(client)
  } finally {
    client.close()
  }
}

test('lists folders with ids, attributes and counts, in every script', async () => {
  const { items } = await mail.folders.list(alice, folders)
  const byName = new Map(items.map((folder) => [folder.name, folder]))
  assert.deepEqual(byName.get('INBOX')?.attributes, ['\\Inbox'])
  assert.deepEqual(byName.get('Sent')?.attributes, ['\\Sent'])
  const deep = byName.get('Projects/deep/er/日本')
  assert.ok(deep?.id.startsWith('f.'))
  assert.equal(
    items.some((folder) => folder.name === 'Projects/deep'),
    false,
  )
  const total = items.reduce((sum, folder) => sum + (folder.total_count ?? 0), 0)
  assert.ok(total >= 2000, String(total))
  for (const folder of items) {
    assert.deepEqual(await mail.folders.find(alice, folder.id, {}), folder)
  }
  assert.deepEqual(await mail.folders.find(alice, 'Projects/deep/er/日本', {}), deep)
  for (const id of ['inbox', 'nope', 'f.!!', '../etc']) {
    await assert.rejects(mail.folders.find(alice, id, {}), { kind: 'not-found' }, id)
  }
})

test('pages folders without a gap', async () => {
  const { items } = await mail.folders.list(alice, folders)
  const paged = []
  let cursor: string | undefined
  do {
    const page = await mail.folders.list(alice, { ...folders, limit: 3, ...(cursor ? { cursor } : {}) })
    paged.push(...page.items)
    cursor = page.nextCursor
  } while (cursor)
  assert.deepEqual(paged, items)
})

test('knows a dot as separator, a prefix, and German names', async () => {
  const bob = await signedIn(provider, settingsOf(world, 'bob'))
  const bobs = (await mail.folders.list(bob, folders)).items
  const sent = bobs.find((folder) => folder.attributes.includes('\\Sent'))
  assert.equal(sent?.id, 'INBOX.Sent')
  assert.equal(sent.parent_id, 'INBOX')
  assert.deepEqual((await mail.messages.list(bob, { ...standard, in: 'INBOX.Sent' })).items, [])
  await assert.rejects(mail.messages.list(bob, { ...standard, in: 'Sent' }), { kind: 'invalid-request' })

  const frieda = await signedIn(provider, settingsOf(world, 'frieda'))
  const friedas = (await mail.folders.list(frieda, folders)).items
  const attributeOf = (name: string) => friedas.find((folder) => folder.name === name)?.attributes
  assert.deepEqual(attributeOf('Entwürfe'), ['\\Drafts'])
  assert.deepEqual(attributeOf('Gesendete Objekte'), ['\\Sent'])
  assert.deepEqual(attributeOf('Papierkorb'), ['\\Trash'])
})

test('an empty mailbox lists nothing', async () => {
  const carol = await signedIn(provider, settingsOf(world, 'carol'))
  const page = await mail.messages.list(carol, { ...standard, in: 'Junk' })
  assert.deepEqual(page, { items: [] })
})

test('every message of every folder comes exactly once, newest first, and nothing is marked as read', async () => {
  const { items } = await mail.folders.list(alice, folders)
  const ids = new Set<string>()
  let count = 0
  for (const folder of items) {
    const messages = await walk(mail, alice, { in: folder.id, limit: 120 })
    count += messages.length
    assert.equal(messages.length, folder.total_count, folder.name)
    for (const [at, message] of messages.entries()) {
      const before = messages[at - 1]
      assert.ok(!before || before.date >= message.date, `${folder.name} ${at}`)
      assert.ok(!ids.has(message.id), message.id)
      ids.add(message.id)
      assert.ok(message.folders.includes(folder.id))
    }
  }
  assert.ok(count >= 2000)
  const after = (await mail.folders.list(alice, folders)).items
  assert.deepEqual(
    after.map((folder) => folder.unread_count),
    items.map((folder) => folder.unread_count),
  )
})

test('without a folder INBOX, Sent and Archive are merged', async () => {
  const { items } = await mail.folders.list(alice, folders)
  const wanted = items.filter((folder) => ['INBOX', 'Sent', 'Archive'].includes(folder.name))
  const messages = await walk(mail, alice, { limit: 200 })
  assert.equal(
    messages.length,
    wanted.reduce((sum, folder) => sum + (folder.total_count ?? 0), 0),
  )
  assert.deepEqual(
    messages.map((message) => message.date),
    messages.map((message) => message.date).toSorted((a, b) => b - a),
  )
})

test('pages stay stable while mail arrives and leaves', async () => {
  const carol = await signedIn(provider, settingsOf(world, 'carol'))
  const uids: number[] = []
  await behind('carol', async (client) => {
    await client.mailboxCreate('Moving').catch(() => {})
    await client.mailboxOpen('Moving')
    await client.messageDelete({ all: true })
    const add = async (n: number, at: number) => {
      const source = `From: a@x.example\r\nMessage-ID: <moving-${n}@x.example>\r\nSubject: ${n}\r\n\r\nx\r\n`
      const added = await client.append('Moving', source, [], new Date(at * 1000))
      if (added && added.uid) uids.push(added.uid)
    }
    for (let n = 0; n < 20; n += 1) await add(n, 1_700_000_000 + n * 60)
    let late = 100
    const messages = await walk(mail, carol, { in: 'Moving', limit: 4 }, async () => {
      await add(late, 1_800_000_000 + late)
      late += 1
      // One that was shown already goes away.
      await client.messageDelete(String(uids[19 - (late - 101)]), { uid: true })
    })
    assert.deepEqual(
      messages.map((message) => Number(message.subject)),
      Array.from({ length: 20 }, (_, at) => 19 - at),
    )
  })
})

test('the order is by date received, not by arrival in the folder', async () => {
  const carol = await signedIn(provider, settingsOf(world, 'carol'))
  await behind('carol', async (client) => {
    await client.mailboxCreate('Shuffled').catch(() => {})
    await client.mailboxOpen('Shuffled')
    await client.messageDelete({ all: true })
    for (const at of [5, 1, 4, 2, 3]) {
      await client.append(
        'Shuffled',
        `Subject: ${at}\r\n\r\nx\r\n`,
        [],
        new Date((1_700_000_000 + at) * 1000),
      )
    }
  })
  const messages = await walk(mail, carol, { in: 'Shuffled', limit: 2 })
  assert.deepEqual(
    messages.map((message) => message.subject),
    ['5', '4', '3', '2', '1'],
  )
})

test('filters: each answers what a look at every message answers', async () => {
  // Dovecot's search loses the addresses behind a comma that is an encoded word.
  const everything = await walk(mail, alice, { in: 'INBOX', fields: 'include_headers' })
  const broken = everything.filter((m) =>
    m.headers?.some((header) => header.value.includes('=?utf-8?q?=2C?=')),
  )
  const odd = new Set(broken.map((message) => message.id))
  const all = everything.filter((message) => !odd.has(message.id))
  const has = (list: readonly { email: string }[], email: string) =>
    list.some((entry) => entry.email === email)
  const zoe = 'zoe@example.se'
  const taro = 'taro@example.jp'
  const middle = all[600]?.date ?? 0
  const threadId =
    all.find((message) => all.filter((m) => m.thread_id === message.thread_id).length > 2)?.thread_id ?? ''
  const cases: readonly [object, (message: (typeof all)[number]) => boolean][] = [
    [{ subject: 'zürich' }, (m) => m.subject.toLowerCase().includes('zürich')],
    [{ subject: 'пятницу' }, (m) => m.subject.includes('пятницу')],
    [{ from: zoe }, (m) => has(m.from, zoe)],
    [{ from: 'ZOE@example.se' }, (m) => has(m.from, zoe)],
    [{ from: 'oe@example.se' }, () => false],
    [{ to: taro }, (m) => has(m.to, taro)],
    [{ cc: taro }, (m) => has(m.cc, taro)],
    [{ bcc: taro }, (m) => has(m.bcc, taro)],
    [{ anyEmail: [zoe, taro] }, (m) => [m.from, m.to, m.cc, m.bcc].some((l) => has(l, zoe) || has(l, taro))],
    [{ unread: true }, (m) => m.unread],
    [{ unread: false }, (m) => !m.unread],
    [{ starred: true }, (m) => m.starred],
    [{ starred: false }, (m) => !m.starred],
    [{ receivedAfter: middle }, (m) => m.date > middle],
    [{ receivedBefore: middle }, (m) => m.date < middle],
    [
      { receivedAfter: middle, receivedBefore: middle + 90_000 },
      (m) => m.date > middle && m.date < middle + 90_000,
    ],
    [{ threadId }, (m) => m.thread_id === threadId],
    [{ threadId: 'no-such-thread' }, () => false],
    [{ searchQueryNative: `FROM ${zoe} UNSEEN` }, (m) => has(m.from, zoe) && m.unread],
    [{ searchQueryNative: 'OR SUBJECT "Zürich" SUBJECT 会議' }, (m) => /zürich|会議/i.test(m.subject)],
    [
      { searchQueryNative: 'NOT FLAGGED SUBJECT re SUBJECT order', unread: true },
      (m) => !m.starred && m.unread && /re/i.test(m.subject) && /order/i.test(m.subject),
    ],
    [{ queryImap: true, starred: true }, (m) => m.starred],
  ]
  for (const [query, matches] of cases) {
    const answer = await walk(mail, alice, { ...query, in: 'INBOX', limit: 90 })
    const found = answer.filter((message) => !odd.has(message.id))
    const expected = all.filter(matches)
    assert.deepEqual(
      found.map((m) => m.id),
      expected.map((m) => m.id),
      JSON.stringify(query),
    )
  }
})

test('has_attachment splits a folder in two', async () => {
  const all = await walk(mail, alice, { in: 'Archive' })
  const having = await walk(mail, alice, { in: 'Archive', hasAttachment: true, limit: 30 })
  const lacking = await walk(mail, alice, { in: 'Archive', hasAttachment: false, limit: 30 })
  assert.equal(having.length + lacking.length, all.length)
  assert.ok(having.length > 10)
  assert.ok(having.every((message) => message.attachments.length > 0))
  assert.ok(lacking.every((message) => message.attachments.every((file) => file.is_inline)))
})

test('refuses what it can not filter, naming the parameter', async () => {
  const refusals: readonly [object, RegExp][] = [
    [{ sharedFrom: 'x@x.example' }, /shared_from/],
    [{ sharedFolderId: 'x', in: 'INBOX' }, /shared_folder_id/],
    [{ queryImap: true }, /query_imap/],
    [{ in: 'inbox' }, /in is not the id/],
    [{ in: 'No such folder' }, /in is not the id/],
    [{ searchQueryNative: 'SEEN\r\nA DELETE INBOX' }, /search_query_native/],
    [{ cursor: 'made-up' }, /page_token/],
  ]
  for (const [query, message] of refusals) {
    await assert.rejects(mail.messages.list(alice, { ...standard, ...query }), {
      name: 'ProviderError',
      message,
    })
  }
})

test('finds messages by id with and without brackets, in any folder, and by place', async () => {
  const everywhere = (await mail.folders.list(alice, folders)).items
  for (const folder of everywhere) {
    const [listed] = (await mail.messages.list(alice, { ...standard, limit: 1, in: folder.id })).items
    if (!listed) continue
    assert.deepEqual(await mail.messages.find(alice, listed.id, { fields: 'standard' }), listed)
    const bare = listed.id.replace(/^<|>$/g, '')
    assert.equal((await mail.messages.find(alice, bare, { fields: 'standard' })).id, listed.id)
  }
  const all = await walk(mail, alice, { in: 'INBOX' })
  const placed = all.filter((message) => message.id.startsWith('m.'))
  assert.ok(placed.length > 5)
  for (const message of placed) {
    assert.deepEqual(await mail.messages.find(alice, message.id, { fields: 'standard' }), message)
  }
  // A process that has seen nothing yet finds the same.
  const fresh = imapProvider(world)
  try {
    for (const message of [placed[0], all[3], all.at(-1)]) {
      assert.ok(message && fresh.mail)
      assert.deepEqual(await fresh.mail.messages.find(alice, message.id, { fields: 'standard' }), message)
    }
  } finally {
    await fresh.close()
  }
  for (const id of ['<nobody@x.example>', 'm.AAAA', 'm.', '', '% %', `<${'x'.repeat(5000)}@x>`]) {
    await assert.rejects(mail.messages.find(alice, id, { fields: 'standard' }), { kind: 'not-found' }, id)
  }
})

test('a mail that claims another’s Message-ID does not take its place', async () => {
  const all = [...(await walk(mail, alice, { subject: 'same id' }))]
  const holders = all.filter((message) => message.id === '<same@example.com>')
  assert.ok(all.length > 1)
  assert.equal(holders.length, 1)
  assert.equal(new Set(all.map((message) => message.id)).size, all.length)
})

test('the same mail in two folders is one object with two folders', async () => {
  const erin = await signedIn(provider, settingsOf(world, 'erin'))
  await behind('erin', async (client) => {
    for (const path of ['INBOX', 'Archive']) {
      await client.mailboxOpen(path)
      await client.messageDelete({ all: true })
    }
    const source = 'Message-ID: <twice@x.example>\r\nSubject: twice\r\n\r\nx\r\n'
    await client.append('INBOX', source, [], new Date(1_700_000_000_000))
    await client.mailboxOpen('INBOX')
    await client.messageCopy('1:*', 'Archive')
  })
  for (const limit of [1, 50]) {
    const page = await mail.messages.list(erin, { ...standard, limit })
    assert.deepEqual(
      page.items.map((message) => [message.id, whole(message).folders.toSorted()]),
      [['<twice@x.example>', ['Archive', 'INBOX']]],
    )
    assert.equal(page.nextCursor, undefined)
  }
  const found = whole(await mail.messages.find(erin, '<twice@x.example>', { fields: 'standard' }))
  assert.deepEqual(found.folders.toSorted(), ['Archive', 'INBOX'])
})

test('raw_mime is the source, byte for byte; headers come as they were written', async () => {
  const [first] = (await mail.messages.list(alice, { ...standard, limit: 1, in: 'INBOX' })).items
  assert.ok(first)
  const raw = await mail.messages.find(alice, first.id, { fields: 'raw_mime' })
  assert.deepEqual(Object.keys(raw).sort(), ['grant_id', 'id', 'object', 'raw_mime'])
  const source = await behind('alice', async (client) => {
    await client.mailboxOpen('INBOX', { readOnly: true })
    const [uid] = (await client.search({ header: { 'message-id': first.id } }, { uid: true })) || []
    const message = await client.fetchOne(String(uid), { source: true }, { uid: true })
    return message && message.source
  })
  assert.ok(source && raw.raw_mime)
  assert.ok(Buffer.from(raw.raw_mime, 'base64url').equals(source))

  const listed = (await mail.messages.list(alice, { limit: 3, fields: 'raw_mime', in: 'INBOX' })).items
  assert.equal(listed[0]?.raw_mime, raw.raw_mime)

  const full = whole(await mail.messages.find(alice, first.id, { fields: 'include_headers' }))
  assert.ok(full.headers?.some((header) => header.name === 'X-Testworld'))
  const basic = whole(await mail.messages.find(alice, first.id, { fields: 'include_basic_headers' }))
  assert.ok(
    basic.headers?.some((header) => header.name.toLowerCase() === 'message-id' && header.value === first.id),
  )
  assert.ok(basic.headers?.every((header) => /^(message-id|references|in-reply-to)$/i.test(header.name)))
})

test('select without the body asks for no body', async () => {
  const page = await mail.messages.list(alice, {
    ...standard,
    limit: 5,
    in: 'Trash',
    select: ['id', 'subject'],
  })
  assert.ok(page.items.every((message) => whole(message).body === ''))
  const whole5 = await mail.messages.list(alice, { ...standard, limit: 5, in: 'Trash' })
  assert.ok(whole5.items.some((message) => whole(message).body !== ''))
})

test('an aborted request fails as a timeout and spoils no connection', async () => {
  assert.ok(world)
  for (let round = 0; round < 5; round += 1) {
    const abort = new AbortController()
    const cut = sessionOf(alice.email, await alice.secret(), abort.signal)
    const slow = walk(mail, cut, { in: 'INBOX', searchQueryNative: `TEXT unlikely-${round}` })
    setImmediate(() => abort.abort())
    await assert.rejects(slow, { kind: 'timeout' })
    const [first] = (await mail.messages.list(alice, { ...standard, limit: 1, in: 'INBOX' })).items
    assert.ok(first)
  }
})

test('connections that the server has closed are replaced unseen', async () => {
  const own = imapProvider(world)
  try {
    assert.ok(own.mail)
    const first = await own.mail.messages.list(alice, { ...standard, limit: 2, in: 'INBOX' })
    await run('doveadm', ['-c', world.configFile, 'kick', addressOf('alice')])
    const again = await own.mail.messages.list(alice, { ...standard, limit: 2, in: 'INBOX' })
    assert.deepEqual(again, first)
  } finally {
    await own.close()
  }
})

test('after close there is no connection left, and no new one is opened', async () => {
  const own = imapProvider(world)
  assert.ok(own.mail)
  await own.mail.messages.list(alice, { ...standard, limit: 1, in: 'INBOX' })
  await own.close()
  await assert.rejects(own.mail.messages.list(alice, { ...standard, limit: 1, in: 'INBOX' }), {
    kind: 'unavailable',
  })
})

test('many requests at once share at most three connections', async () => {
  const pages = await Promise.all(
    Array.from({ length: 30 }, (_, at) =>
      mail.messages.list(alice, { ...standard, limit: 10, in: at % 2 ? 'INBOX' : 'Archive' }),
    ),
  )
  const [inbox, archive] = [pages[1], pages[0]]
  for (const [at, page] of pages.entries()) assert.deepEqual(page, at % 2 ? inbox : archive)
})

test('every fixture that is appended is listed', async () => {
  const erin = await signedIn(provider, settingsOf(world, 'erin'))
  const folder = join(import.meta.dirname, '..', 'fixtures', 'eml')
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.eml'),
  )
  await behind('erin', async (client) => {
    await client.mailboxCreate('Fixtures').catch(() => {})
    await client.mailboxOpen('Fixtures')
    await client.messageDelete({ all: true })
    let at = 1_600_000_000
    for (const name of files) {
      const source = readFileSync(join(folder, name))
      await client.append('Fixtures', source, [], new Date(at++ * 1000))
    }
  })
  const messages = await walk(mail, erin, { in: 'Fixtures', limit: 50 })
  // Some files are the same mail with other line ends: one object then.
  assert.ok(messages.length > 170, String(messages.length))
  assert.equal(new Set(messages.map((message) => message.id)).size, messages.length)
  // What the server tells of a message maps to what its source maps to.
  const differing = messages.filter((message) => {
    const name = files[message.date - 1_600_000_000] ?? ''
    const mapped = messageFromSource(readFileSync(join(folder, name)), {
      grantId: message.grant_id,
      date: message.date,
      folders: message.folders,
      unread: true,
      starred: false,
      place: { path: 'Fixtures', uidValidity: 1, uid: 1 },
    })
    // Dovecot sees other parts than we do only where the MIME structure is broken on purpose.
    const bodyOf = ({ body }: { body: string }) =>
      name.startsWith('mail-parser/malformed') ? '' : body.replaceAll('\r', '').trim()
    return !isDeepStrictEqual(
      [mapped.subject, mapped.from, mapped.to, bodyOf(mapped)],
      [message.subject, message.from, message.to, bodyOf(message)],
    )
  })
  assert.deepEqual(
    differing.map((message) => files[message.date - 1_600_000_000]),
    [],
  )
})
