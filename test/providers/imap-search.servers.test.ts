import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { GrantSession } from '../../src/core/ports/grant-session.ts'
import type { Mail } from '../../src/core/ports/mail.ts'
import { openFolder } from '../../src/standards/imap-mail/open-folder.ts'
import { searchUids } from '../../src/standards/imap-mail/search-uids.ts'
import { startDovecot, type TestDovecot } from '../support/dovecot.ts'
import { addressOf, behind, imapProvider, settingsOf, signedIn, walk, whole } from './imap-world.ts'

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
  await behind(world, 'erin', async (client) => {
    for (const path of ['INBOX', 'Archive', 'Sent']) {
      if (path !== 'INBOX') await client.mailboxCreate(path)
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
  const source = await behind(world, 'alice', async (client) => {
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
  assert.ok(full.headers?.some((header) => header.name === 'Subject'))
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

test('a folder searched in pieces gives the same as searched at once', async () => {
  await behind(world, 'alice', async (client) => {
    const folder = await openFolder(client, 'INBOX')
    assert.ok(folder)
    for (const search of [undefined, { seen: false }, { or: [{ from: 'zoe' }, { subject: 'Zürich' }] }]) {
      const whole = await searchUids(client, folder, search)
      assert.ok(whole.length > 50)
      assert.deepEqual(await searchUids(client, folder, search, 100), whole)
    }
  })
})
