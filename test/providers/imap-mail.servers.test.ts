import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { isDeepStrictEqual, promisify } from 'node:util'
import type { GrantSession } from '../../src/core/ports/grant-session.ts'
import type { Mail } from '../../src/core/ports/mail.ts'
import { createEgressGuard } from '../../src/kit/outbound/egress-guard.ts'
import { startDovecot, type TestDovecot } from '../support/dovecot.ts'
import { Secret } from '../../src/kit/secret.ts'
import { openImapSession } from '../../src/protocols/imap/open-session.ts'
import { createImapMail } from '../../src/standards/imap-mail/create-imap-mail.ts'
import { messageFromSource } from '../../src/standards/imap-mail/message-from-source.ts'
import { addressOf, behind, imapProvider, sessionOf, settingsOf, signedIn, walk } from './imap-world.ts'

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
  const own = `INBOX.Own-${randomUUID()}`
  await behind(world, 'bob', (client) => client.mailboxCreate(own))
  assert.deepEqual((await mail.messages.list(bob, { ...standard, in: own })).items, [])
  await behind(world, 'bob', (client) => client.mailboxDelete(own))
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
  await behind(world, 'carol', async (client) => {
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

test('a folder of many windows comes whole, also while mail arrives', async () => {
  const secret = await alice.secret()
  assert.ok(secret.kind === 'mailbox')
  const small = createImapMail({
    window: 7,
    accountOf: () =>
      Promise.resolve({
        key: 'small windows',
        open: (signal) =>
          openImapSession(
            { ...secret.imap, username: addressOf('carol'), auth: { password: new Secret('carol-pass') } },
            { ca: world.ca, allowPlaintext: false },
            signal,
          ),
      }),
  })
  try {
    await behind(world, 'carol', async (client) => {
      await client.mailboxCreate('Windows').catch(() => {})
      await client.mailboxOpen('Windows')
      await client.messageDelete({ all: true })
      const add = (n: number, at: number) =>
        client.append(
          'Windows',
          `Message-ID: <w${n}@x.example>\r\nSubject: ${n}\r\n\r\nx\r\n`,
          [],
          new Date(at * 1000),
        )
      // Arrival and date differ inside every window, but not across windows.
      const order = Array.from({ length: 40 }, (_, n) => (n % 2 === 0 && n < 39 ? n + 1 : n - 1))
      for (const n of order) await add(n, 1_700_000_000 + n)
      for (const query of [{}, { unread: true }]) {
        for (const limit of [1, 3, 50]) {
          let late = 1000
          const lateUids: number[] = []
          const messages = await walk(small, alice, { ...query, in: 'Windows', limit }, async () => {
            const added = await add(late, 1_800_000_000 + late)
            if (added && added.uid) lateUids.push(added.uid)
            late += 1
          })
          assert.equal(messages.length, 40, `${JSON.stringify(query)} ${limit}`)
          assert.equal(new Set(messages.map((message) => message.id)).size, 40)
          if (lateUids.length > 0) await client.messageDelete(lateUids, { uid: true })
        }
      }
    })
  } finally {
    await small.close()
  }
})

test('the order is by date received, not by arrival in the folder', async () => {
  const carol = await signedIn(provider, settingsOf(world, 'carol'))
  await behind(world, 'carol', async (client) => {
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
  const guard = createEgressGuard({ allowedNetworks: ['127.0.0.0/8'] })
  let opened = 0
  const own = imapProvider(world, {
    guard: {
      resolve(...target) {
        opened += 1
        return guard.resolve(...target)
      },
    },
  })
  try {
    const { mail: ownMail } = own
    assert.ok(ownMail)
    const pages = await Promise.all(
      Array.from({ length: 30 }, (_, at) =>
        ownMail.messages.list(alice, { ...standard, limit: 10, in: at % 2 ? 'INBOX' : 'Archive' }),
      ),
    )
    for (const [at, page] of pages.entries()) assert.deepEqual(page, pages[at % 2])
    assert.ok(opened <= 3, String(opened))
  } finally {
    await own.close()
  }
})
test('every fixture that is appended is listed', async () => {
  const erin = await signedIn(provider, settingsOf(world, 'erin'))
  const folder = join(import.meta.dirname, '..', 'fixtures', 'eml')
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.eml'),
  )
  await behind(world, 'erin', async (client) => {
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
