import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ProviderError } from '../../src/kit/provider-error.ts'
import { Secret } from '../../src/kit/secret.ts'
import { openImapSession } from '../../src/protocols/imap/open-session.ts'
import { type ImapCall, type ImapScript, startImapScript } from '../support/imap-script-server.ts'
import { idOf, listing, mailOf, withScript } from './imap-script-world.ts'
import { whole } from './imap-world.ts'

const inbox = { path: 'INBOX', messages: [mailOf('a'), mailOf('b')] }
const base: ImapScript = { folders: [inbox, { path: 'Work' }] }
const on = (name: string, act: (call: ImapCall) => void): ImapScript => ({ ...base, on: { [name]: act } })

/** Lists, and gives the error, which must be of the documented kinds and tell no secret. */
async function failure(script: ImapScript): Promise<ProviderError> {
  let caught: unknown
  await withScript(script, async ({ mail, session }) => {
    await mail.messages.list(session, listing).catch((error: unknown) => {
      caught = error
    })
  })
  assert.ok(caught instanceof ProviderError, String(caught))
  assert.ok(!JSON.stringify([caught.message, caught.details.providerBody]).includes('planted-password'))
  return caught
}

const fetchAnswer = (text: string | ((call: ImapCall) => void)) =>
  on('UID FETCH', (call) => {
    if (typeof text === 'function') return text(call)
    call.write(text)
    call.reply('OK done')
  })

test('hostile and broken answers end as documented errors, or are looked past', async () => {
  const scripts: { readonly [kind: string]: ImapScript } = {
    'a huge literal': fetchAnswer('* 1 FETCH (UID 1 BODY[] {99999999999}\r\n'),
    'a literal larger than any number': fetchAnswer(`* 1 FETCH (UID 1 BODY[] {${'9'.repeat(300)}}\r\n`),
    'a line without an end': fetchAnswer(({ connection }) => {
      connection.socket.write(`* 1 FETCH (UID 1 FLAGS (${'x'.repeat(33 * 1024 * 1024)}`)
    }),
    'cut in a literal': fetchAnswer(({ connection }) =>
      connection.socket.end('* 1 FETCH (UID 1 BODY[] {500}\r\nhalf'),
    ),
    'cut in a line': fetchAnswer(({ connection }) => connection.socket.end('* 1 FETCH (UID 1 FLA')),
  }
  for (const [kind, script] of Object.entries(scripts)) {
    const { kind: got } = await failure(script)
    assert.ok(['malformed-response', 'unavailable'].includes(got), `${kind}: ${got}`)
  }
  const harmless: { readonly [kind: string]: string } = {
    garbage: '* ??? \\ ((( "\r\n\0\0\r\n* 1 FETCH )(\r\n',
    'no UID': '* 1 FETCH (FLAGS (\\Seen))\r\n',
    'nothing at all': '',
    'another message': '* 9 FETCH (UID 99 FLAGS ())\r\n',
    NIL: '* 1 FETCH (UID 1 FLAGS NIL INTERNALDATE NIL RFC822.SIZE NIL BODYSTRUCTURE NIL BODY[HEADER.FIELDS (SUBJECT)] NIL BODY[1] NIL)\r\n',
    'wrong types': '* 1 FETCH (UID (1) FLAGS 5 BODYSTRUCTURE "x" INTERNALDATE (a) RFC822.SIZE -1)\r\n',
    'a strange structure': '* 1 FETCH (UID 1 FLAGS () BODYSTRUCTURE (((NIL)) NIL (("A" "B")) 1 2 3))\r\n',
    'deep nesting': `* 1 FETCH (UID 1 FLAGS () BODYSTRUCTURE ${'('.repeat(500)}${')'.repeat(500)})\r\n`,
    'a huge number': `* 1 FETCH (UID ${'9'.repeat(400)} FLAGS ())\r\n`,
  }
  for (const [kind, text] of Object.entries(harmless)) {
    await withScript(fetchAnswer(text), async ({ mail, session }) => {
      const page = await mail.messages.list(session, listing)
      assert.ok(page.items.length <= 2, kind)
      const failed = await mail.messages
        .find(session, idOf('a'), { fields: 'standard' })
        .catch((error: unknown) => error)
      assert.ok(!(failed instanceof Error) || failed instanceof ProviderError, `${kind}: ${String(failed)}`)
    })
  }
})

test('what a server says unasked, in the middle of an answer, changes nothing', async () => {
  const noise =
    '* 5 EXISTS\r\n* 0 RECENT\r\n* 2 FETCH (FLAGS (\\Seen))\r\n* 1 FETCH (UID 1 FLAGS ())\r\n* 2 FETCH (UID 2 MODSEQ (9))\r\n* OK [ALERT] maintenance at noon\r\n* NO [UNAVAILABLE] by the way\r\n* BAD hm\r\n* SEARCH\r\n* FLAGS (x)\r\n* VANISHED 77\r\n* OK [NIL]\r\n* XYZZY\r\n'
  const before = (call: ImapCall) => {
    call.write(noise)
    call.usual()
  }
  const script = {
    ...base,
    on: { 'UID FETCH': before, 'UID STORE': before, LIST: before, EXAMINE: before, SELECT: before },
  }
  await withScript(script, async ({ server, mail, session }) => {
    const { items } = await mail.messages.list(session, listing)
    assert.deepEqual(
      items.map(({ id }) => id),
      [idOf('b'), idOf('a')],
    )
    assert.equal(
      whole(await mail.messages.find(session, idOf('a'), { fields: 'standard' })).body,
      'text of a',
    )
    const moved = await mail.messageChanges.update(session, idOf('a'), { folders: ['Work'], unread: false })
    assert.deepEqual([moved.folders, moved.unread], [['Work'], false])
    assert.equal(server.connections().ever, 1)
  })
})

test('a report of four thousand million messages gone, which nobody asked for, is passed over', async () => {
  const vanished = (call: ImapCall) => {
    call.write('* VANISHED 1:4294967295\r\n* VANISHED (EARLIER) 1:4294967295\r\n')
    call.usual()
  }
  const server = await startImapScript(on('NOOP', vanished))
  const login = {
    host: '127.0.0.1',
    port: server.port,
    tls: 'starttls',
    username: 'user',
    auth: { password: new Secret('x') },
  } as const
  const session = await openImapSession(login, { allowPlaintext: true }, AbortSignal.timeout(20_000))
  try {
    let told = 0
    session.on('expunge', () => {
      told += 1
    })
    await session.mailboxOpen('INBOX', { readOnly: true })
    await session.noop()
    assert.deepEqual([told, session.mailbox && session.mailbox.exists], [0, 2])
  } finally {
    session.close()
    await server.close()
  }
})

test('messages that go away in the middle of a list are left out', async () => {
  const script = on('UID FETCH', (call) => {
    if (call.count === 2) call.connection.socket.write('* 1 EXPUNGE\r\n')
    call.usual()
  })
  await withScript(script, async ({ server, mail, session }) => {
    await mail.messages.list(session, listing)
    server.mailbox.folder('INBOX').messages.shift()
    assert.deepEqual(
      (await mail.messages.list(session, listing)).items.map(({ id }) => id),
      [idOf('b')],
    )
    await assert.rejects(mail.messageChanges.update(session, idOf('a'), { starred: true }), {
      kind: 'not-found',
    })
  })
})

test('a download ends as it should when the server cuts, refuses or loses the message', async () => {
  const body = 'abcdefghij'.repeat(120_000)
  const file = mailOf('file', {
    headers: 'Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: 8bit',
    body,
  })
  const download = async (
    act: (call: ImapCall) => void,
    check: (content: AsyncIterable<unknown>) => Promise<void>,
  ) => {
    let pieces = 0
    const script: ImapScript = {
      folders: [{ path: 'INBOX', messages: [file] }],
      on: {
        'UID FETCH': (call) => {
          if (!call.args.includes('<')) return call.usual()
          // Bodies of lists are asked for by piece, too: only the parts of this size are the download.
          pieces += call.args.includes('.524288>') ? 1 : 0
          if (pieces === 2) act(call)
          else call.usual()
        },
      },
    }
    await withScript(script, async ({ mail, session }) => {
      const [entry] = whole(
        await mail.messages.find(session, idOf('file'), { fields: 'standard' }),
      ).attachments
      assert.ok(entry)
      const { content } = await mail.attachments.open(session, {
        messageId: idOf('file'),
        attachmentId: entry.id,
      })
      await check(content)
    })
  }
  const whole1 = async (content: AsyncIterable<unknown>) => {
    let length = 0
    for await (const chunk of content) length += chunk instanceof Uint8Array ? chunk.length : 0
    assert.equal(length, body.length)
  }
  await download((call) => call.usual(), whole1)
  // A kept connection that is lost is replaced.
  await download(({ connection }) => connection.cut(), whole1)
  await download(
    (call) => call.reply('NO [UNAVAILABLE] later'),
    (content) => assert.rejects(whole1(content), { kind: 'unavailable' }),
  )
  await download(
    (call) => call.reply('OK gone'),
    (content) => assert.rejects(whole1(content), { kind: 'not-found' }),
  )
  await download(
    (call) => {
      call.write('* 1 FETCH (UID 1 BODY[TEXT]<7> {4}\r\nabcd)\r\n')
      call.reply('OK done')
    },
    (content) => assert.rejects(whole1(content), { kind: 'malformed-response' }),
  )
})
