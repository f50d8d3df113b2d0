import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buffer } from 'node:stream/consumers'
import type { ImapCall } from '../support/imap-script-server.ts'
import { allFolders, idOf, listing, mailOf, withScript } from './imap-script-world.ts'
import { whole } from './imap-world.ts'

const find = { fields: 'standard' } as const

test('on plain IMAP4rev1 a message is listed, found, changed, moved and deleted', async () => {
  const folders = [
    { path: 'INBOX', messages: [mailOf('one'), mailOf('two')] },
    { path: 'Papierkorb' },
    { path: 'Work' },
  ]
  await withScript({ folders }, async ({ server, mail, session }) => {
    const page = await mail.messages.list(session, listing)
    assert.deepEqual(
      page.items.map(({ id }) => id),
      [idOf('two'), idOf('one')],
    )
    const read = await mail.messageChanges.update(session, idOf('one'), { unread: false, starred: true })
    assert.deepEqual([read.unread, read.starred, read.body], [false, true, 'text of one'])
    const moved = await mail.messageChanges.update(session, idOf('one'), { folders: ['Work'] })
    assert.deepEqual([moved.id, moved.folders, moved.starred], [idOf('one'), ['Work'], true])
    assert.deepEqual(
      server.mailbox.folder('INBOX').messages.map(({ uid }) => uid),
      [2],
    )
    await mail.messageChanges.delete(session, idOf('two'), { hard: false })
    assert.deepEqual(whole(await mail.messages.find(session, idOf('two'), find)).folders, ['Papierkorb'])
    await mail.messageChanges.delete(session, idOf('two'), { hard: false })
    assert.equal(server.mailbox.folder('Papierkorb').messages.length, 0)
    // Only what every server knows was used.
    const extensions = server.log.filter((line) =>
      /^(UID (MOVE|EXPUNGE|SORT)|ENABLE|IDLE|ID|XLIST)\b|RETURN/.test(line),
    )
    assert.deepEqual(extensions, [])
  })
})

test('without UIDPLUS no message that others marked is expunged, and ours is gone all the same', async () => {
  const folders = [
    { path: 'INBOX', messages: [mailOf('theirs', { flags: ['\\Deleted'] }), mailOf('ours')] },
    { path: 'Work' },
  ]
  await withScript({ folders }, async ({ server, mail, session }) => {
    await mail.messageChanges.delete(session, idOf('ours'), { hard: true })
    assert.equal(server.mailbox.folder('INBOX').messages.length, 2)
    assert.ok(!server.log.some((line) => /^(EXPUNGE|CLOSE)/.test(line)))
    assert.deepEqual((await mail.messages.list(session, listing)).items, [])
    await assert.rejects(mail.messages.find(session, idOf('ours'), find), { kind: 'not-found' })
    await assert.rejects(mail.messageChanges.delete(session, idOf('ours'), { hard: true }), {
      kind: 'not-found',
    })
  })
})

test('without UIDPLUS a message is expunged where nothing else is marked', async () => {
  await withScript(
    { folders: [{ path: 'INBOX', messages: [mailOf('a'), mailOf('b')] }] },
    async ({ server, mail, session }) => {
      await mail.messageChanges.delete(session, idOf('a'), { hard: true })
      assert.deepEqual(
        server.mailbox.folder('INBOX').messages.map(({ uid }) => uid),
        [2],
      )
    },
  )
})

test('a trash is made where there is none, behind the prefix of the server', async () => {
  const folders = [{ path: 'INBOX', messages: [mailOf('a')] }]
  await withScript(
    { folders, capabilities: 'IMAP4rev1 NAMESPACE', prefix: 'INBOX.', separator: '.' },
    async ({ server, mail, session }) => {
      await mail.messageChanges.delete(session, idOf('a'), { hard: false })
      assert.equal(server.mailbox.folder('INBOX.Trash').messages.length, 1)
      assert.ok(server.log.includes('SUBSCRIBE INBOX.Trash'))
    },
  )
})

test('UIDs that MOVE tells are believed only when the message is there', async () => {
  const told: { readonly [kind: string]: (uid: number) => string } = {
    'a wrong UID': () => '* OK [COPYUID 1002 1 1] moved\r\n',
    'an untagged COPYUID': (uid) => `* OK [COPYUID 1001 1 ${uid}] moved\r\n`,
    'a set that fits nothing': () => '* OK [COPYUID 1001 1:3 7] moved\r\n',
    'a broken code': () => '* OK [COPYUID x y] moved\r\n',
    nothing: () => '',
  }
  for (const [kind, line] of Object.entries(told)) {
    const folders = [
      { path: 'INBOX', messages: [mailOf('moving')] },
      { path: 'Work', messages: [mailOf('other')] },
    ]
    await withScript(
      {
        folders,
        capabilities: 'IMAP4rev1 MOVE UIDPLUS',
        on: {
          'UID MOVE': (call) => {
            call.write(line(2))
            call.usual()
          },
        },
      },
      async ({ mail, session }) => {
        const moved = await mail.messageChanges.update(session, idOf('moving'), { folders: ['Work'] })
        assert.deepEqual([moved.subject, moved.folders], ['moving', ['Work']], kind)
      },
    )
  }
})

test('a message without an id is followed through a move on any server', async () => {
  const headers = 'From: a@x.example\r\nSubject: nameless'
  const folders = [
    { path: 'INBOX', messages: [{ headers }] },
    { path: 'Work', messages: [mailOf('other')] },
  ]
  await withScript({ folders }, async ({ mail, session }) => {
    const [nameless] = (await mail.messages.list(session, listing)).items
    assert.ok(nameless)
    const moved = await mail.messageChanges.update(session, nameless.id, { folders: ['Work'] })
    assert.deepEqual([moved.subject, moved.folders], ['nameless', ['Work']])
    assert.notEqual(moved.id, nameless.id)
    for (const id of [nameless.id, moved.id]) {
      assert.equal(whole(await mail.messages.find(session, id, find)).id, moved.id)
    }
  })
})

test('separators: dot, none, and names in modified UTF-7', async () => {
  await withScript(
    { separator: '.', folders: [{ path: 'INBOX' }, { path: 'Work' }] },
    async ({ server, mail, session }) => {
      const made = await mail.folderChanges.create(session, { name: 'Räume', parent_id: 'Work' })
      assert.deepEqual([made.name, made.parent_id], ['Work.Räume', 'Work'])
      assert.ok(server.mailbox.folder('Work.R&AOQ-ume'))
      await assert.rejects(mail.folderChanges.delete(session, 'Work'), { kind: 'invalid-request' })
      const renamed = await mail.folderChanges.update(session, made.id, { name: 'Räume & mehr' })
      assert.ok(server.mailbox.folder('R&AOQ-ume &- mehr'))
      await mail.folderChanges.delete(session, renamed.id)
      assert.deepEqual([...server.mailbox.folders.keys()], ['INBOX', 'Work'])
    },
  )
  await withScript(
    { separator: null, folders: [{ path: 'INBOX' }, { path: 'Flat' }] },
    async ({ mail, session }) => {
      assert.deepEqual((await mail.folderChanges.create(session, { name: 'a/b.c' })).name, 'a/b.c')
      await assert.rejects(mail.folderChanges.create(session, { name: 'x', parent_id: 'Flat' }), {
        kind: 'invalid-request',
      })
      const { items } = await mail.folders.list(session, allFolders)
      assert.ok(items.every((folder) => folder.parent_id === undefined))
    },
  )
})

test('a folder is never closed in a way that expunges', async () => {
  const folders = [
    { path: 'INBOX' },
    { path: 'Work', messages: [mailOf('theirs', { flags: ['\\Deleted'] }), mailOf('a')] },
  ]
  await withScript({ folders }, async ({ server, mail, session }) => {
    await mail.messages.list(session, { ...listing, in: 'Work' })
    await mail.messageChanges.update(session, idOf('a'), { starred: true })
    await mail.folderChanges.update(session, 'Work', { name: 'Office' })
    assert.equal(server.mailbox.folder('Office').messages.length, 2)
    assert.ok(!server.log.some((line) => line.startsWith('CLOSE')))
  })
})

test('UIDVALIDITY that changes between find and update, and between pages, is noticed', async () => {
  const messages = Array.from({ length: 6 }, (_, at) => mailOf(`m${at}`))
  const folders = [{ path: 'INBOX', messages }]
  await withScript({ folders }, async ({ server, mail, session }) => {
    const inbox = server.mailbox.folder('INBOX')
    const first = await mail.messages.list(session, { ...listing, limit: 2 })
    const renumber = () => {
      inbox.uidValidity += 1
      for (const message of inbox.messages) message.uid += 100
      inbox.uidNext += 100
    }
    renumber()
    assert.ok(first.nextCursor)
    const rest = await mail.messages.list(session, { ...listing, cursor: first.nextCursor })
    const ids = new Set([...first.items, ...rest.items].map(({ id }) => id))
    assert.ok(ids.size <= 6)
    renumber()
    const changed = await mail.messageChanges.update(session, idOf('m3'), { starred: true })
    assert.deepEqual([changed.subject, changed.starred], ['m3', true])
    assert.deepEqual(
      inbox.messages.map(({ flags }) => flags.has('\\Flagged')),
      [false, false, false, true, false, false],
    )
  })
})

test('UIDVALIDITY that changes between the look-up and SELECT changes no other message', async () => {
  const folders = [{ path: 'INBOX', messages: [mailOf('a'), mailOf('b')] }]
  await withScript(
    {
      folders,
      on: {
        SELECT: (call) => {
          if (call.count === 1) swap()
          call.usual()
        },
      },
    },
    async ({ server, mail, session }) => {
      const inbox = server.mailbox.folder('INBOX')
      swapped = () => {
        inbox.uidValidity += 1
        const [a, b] = inbox.messages
        if (a && b) [a.uid, b.uid] = [2, 1]
        inbox.messages.reverse()
      }
      await mail.messageChanges.update(session, idOf('a'), { starred: true })
      const starred = inbox.messages.filter(({ flags }) => flags.has('\\Flagged'))
      assert.deepEqual(
        starred.map(({ headers }) => /Subject: (.*)/.exec(headers)?.[1]),
        ['a'],
      )
    },
  )
})
let swapped: () => void = () => {}
const swap = () => swapped()

test('a server that can not search headers: what was listed is found, the rest is not', async () => {
  const folders = [{ path: 'INBOX', messages: [mailOf('a')] }]
  await withScript(
    {
      folders,
      on: {
        'UID SEARCH': (call) =>
          call.args.includes('HEADER') ? call.reply('NO [CANNOT] no such search') : call.usual(),
      },
    },
    async ({ mail, session }) => {
      await assert.rejects(mail.messages.find(session, idOf('a'), find), { kind: 'not-found' })
      await mail.messages.list(session, listing)
      assert.equal(whole(await mail.messages.find(session, idOf('a'), find)).subject, 'a')
    },
  )
})

test('attachments come whole from servers with wrong sizes, and from those that ignore what is asked', async () => {
  const bytes = Buffer.alloc(1_400_000, 'x=y? ')
  const file = mailOf('file', {
    headers: 'Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64',
    body: bytes.toString('base64').replace(/.{76}/g, '$&\r\n'),
  })
  const read = (change: (line: string, call: { readonly args: string }) => string) =>
    withScript(
      {
        folders: [{ path: 'INBOX', messages: [file] }],
        on: {
          'UID FETCH': (call) => {
            const changed = change(call.args, call)
            if (changed === call.args) return call.usual()
            call.write(changed)
            call.reply('OK done')
          },
        },
      },
      async ({ mail, session }) => {
        const message = whole(await mail.messages.find(session, idOf('file'), find))
        const [entry] = message.attachments
        assert.ok(entry)
        const { content } = await mail.attachments.open(session, {
          messageId: message.id,
          attachmentId: entry.id,
        })
        assert.ok((await buffer(content)).equals(bytes))
      },
    )
  await read((line) => line)
  const structure = (size: number) =>
    `* 1 FETCH (UID 1 FLAGS () BODYSTRUCTURE ("APPLICATION" "OCTET-STREAM" NIL NIL NIL "BASE64" ${size}) BODY[HEADER.FIELDS (SUBJECT)] {${file.headers.length + 4}}\r\n${file.headers}\r\n\r\n)\r\n`
  for (const size of [0, 1000, 90_000_000]) {
    await read((line) => (line.includes('BODYSTRUCTURE') ? structure(size) : line))
  }
  await read((line) =>
    /BODY\.PEEK\[TEXT\]/i.test(line)
      ? `* 1 FETCH (UID 1 BODY[TEXT] {${file.body.length}}\r\n${file.body})\r\n`
      : line,
  )
})

test('a server that searches for ASCII only is asked for what is ASCII, and the rest is checked here', async () => {
  const messages = ['Übersicht Q1', 'Andere Übersicht', 'bersicht', 'Nothing'].map((subject, at) => ({
    headers: `From: a@x.example\r\nMessage-ID: <s${at}@x.example>\r\nSubject: =?utf-8?B?${Buffer.from(subject).toString('base64')}?=`,
  }))
  const on = {
    // As Exchange does (public reports, checked 2026-11).
    'UID SEARCH': (call: ImapCall) =>
      / CHARSET |^CHARSET /i.test(call.args) || /[^\0-\x7f]/.test(call.args)
        ? call.reply('NO [BADCHARSET (US-ASCII)] The specified charset is not supported.')
        : call.usual(),
  }
  await withScript({ folders: [{ path: 'INBOX', messages }], on }, async ({ server, mail, session }) => {
    const ids = async (query: object) =>
      (await mail.messages.list(session, { ...listing, ...query })).items.map(({ id }) => id)
    assert.deepEqual(await ids({ subject: 'übersicht' }), ['<s1@x.example>', '<s0@x.example>'])
    assert.deepEqual(await ids({ subject: 'übersicht', limit: 1 }), ['<s1@x.example>'])
    assert.deepEqual(await ids({ subject: '予定' }), [])
    assert.deepEqual(await ids({ from: 'ü@x.example' }), [])
    const refused = server.log.filter((line) => /^UID SEARCH.*CHARSET/.test(line))
    assert.equal(refused.length, 1, 'it is asked once only')
    assert.ok(server.log.some((line) => /^UID SEARCH.*SUBJECT "?bersicht/.test(line)))
    // Only the server can judge its own language.
    await assert.rejects(ids({ searchQueryNative: 'SUBJECT "Übersicht"' }), { kind: 'unsupported' })
  })
})

test('the session hears of every command of its work', async () => {
  const folders = [{ path: 'INBOX', messages: [mailOf('a'), mailOf('b')] }, { path: 'Work' }]
  await withScript({ folders }, async ({ server, mail, session }) => {
    let spent = 0
    const counting = {
      ...session,
      spend: ({ requests }: { readonly requests: number }) => (spent += requests),
    }
    const steps: readonly (() => Promise<unknown>)[] = [
      () => mail.messages.list(counting, listing),
      () => mail.messages.find(counting, idOf('a'), find),
      () => mail.folders.list(counting, allFolders),
      () => mail.messageChanges.update(counting, idOf('a'), { unread: false, folders: ['Work'] }),
    ]
    await mail.messages.list(session, listing)
    for (const step of steps) {
      const before = server.log.length
      spent = 0
      await step()
      // Whether the connection still lives is its own business.
      const commands = server.log.slice(before).filter((line) => line !== 'NOOP')
      assert.equal(spent, commands.length)
    }
  })
})
