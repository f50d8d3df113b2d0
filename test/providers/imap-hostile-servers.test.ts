import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ProviderError } from '../../src/kit/provider-error.ts'
import type { ImapCall, ImapScript } from '../support/imap-script-server.ts'
import { allFolders, idOf, listing, mailOf, withScript } from './imap-script-world.ts'

const inbox = { path: 'INBOX', messages: [mailOf('a'), mailOf('b')] }
const base: ImapScript = { folders: [inbox, { path: 'Work' }] }
const on = (name: string, act: (call: ImapCall) => void): ImapScript => ({ ...base, on: { [name]: act } })

/** Lists, and gives the error, which must be of the documented kinds and tell no secret. */
async function failure(script: ImapScript, allowPlaintext = true): Promise<ProviderError> {
  let caught: unknown
  await withScript(
    script,
    async ({ mail, session }) => {
      await mail.messages.list(session, listing).catch((error: unknown) => {
        caught = error
      })
    },
    allowPlaintext,
  )
  assert.ok(caught instanceof ProviderError, String(caught))
  assert.ok(!JSON.stringify([caught.message, caught.details.providerBody]).includes('planted-password'))
  return caught
}

test('refusals of any command are documented errors', async () => {
  for (const [answer, kind] of [
    ['NO [UNAVAILABLE] back in a minute', 'unavailable'],
    ['NO [INUSE] locked by another session', 'unavailable'],
    ['NO [LIMIT] too much', 'rate-limited'],
    ['NO [OVERQUOTA] full', 'mailbox-full'],
    ['NO [SERVERBUG] oops', 'unavailable'],
    ['NO [NOPERM] not yours', 'access-refused'],
    ['BAD what', 'invalid-request'],
    ['MAYBE later', 'malformed-response'],
  ] as const) {
    for (const command of ['UID SEARCH', 'UID FETCH']) {
      assert.equal(
        (await failure(on(command, (call) => call.reply(answer)))).kind,
        kind,
        `${command} ${answer}`,
      )
    }
  }
})

test('a refusal of who is signed in already ends the connection, and only the next sign-in judges the login', async () => {
  for (const code of ['AUTHENTICATIONFAILED', 'AUTHORIZATIONFAILED', 'EXPIRED']) {
    const script = on('UID SEARCH', (call) =>
      call.count === 1 ? call.reply(`NO [${code}] sign in again`) : call.usual(),
    )
    await withScript(script, async ({ server, mail, session }) => {
      await assert.rejects(mail.messages.list(session, listing), { kind: 'unavailable' })
      assert.equal((await mail.messages.list(session, listing)).items.length, 2)
      assert.equal(server.connections().ever, 2)
    })
  }
})

test('refused changes say why, and change nothing', async () => {
  for (const [command, answer, kind] of [
    ['UID STORE', 'NO [INUSE] locked', 'unavailable'],
    ['UID STORE', 'NO [NOPERM] no', 'access-refused'],
    ['UID MOVE', 'NO [OVERQUOTA] full', 'mailbox-full'],
    ['UID MOVE', 'NO [TRYCREATE] gone', 'not-found'],
  ] as const) {
    const script = { ...on(command, (call) => call.reply(answer)), capabilities: 'IMAP4rev1 MOVE UIDPLUS' }
    await withScript(script, async ({ server, mail, session }) => {
      const change = command === 'UID STORE' ? { starred: true } : { folders: ['Work'] }
      await assert.rejects(mail.messageChanges.update(session, idOf('a'), change), { kind })
      assert.deepEqual(
        [server.mailbox.folder('INBOX').messages.length, server.mailbox.folder('Work').messages.length],
        [2, 0],
      )
      // The connection is in order after a refusal.
      assert.equal((await mail.messages.list(session, listing)).items.length, 2)
      assert.equal(server.connections().ever, 1)
    })
  }
  await withScript(
    on('UID COPY', (call) => call.reply('NO [OVERQUOTA] full')),
    async ({ server, mail, session }) => {
      await assert.rejects(mail.messageChanges.delete(session, idOf('a'), { hard: false }), {
        kind: 'mailbox-full',
      })
      assert.equal(server.mailbox.folder('INBOX').messages.length, 2)
    },
  )
  for (const [command, answer, kind] of [
    ['CREATE', 'NO [ALREADYEXISTS] there', 'conflict'],
    ['CREATE', 'NO [OVERQUOTA] full', 'mailbox-full'],
    ['RENAME', 'NO [INUSE] open', 'unavailable'],
    ['DELETE', 'NO [NOPERM] no', 'access-refused'],
  ] as const) {
    await withScript(
      on(command, (call) => call.reply(answer)),
      async ({ mail, session }) => {
        const act = {
          CREATE: () => mail.folderChanges.create(session, { name: 'New' }),
          RENAME: () => mail.folderChanges.update(session, 'Work', { name: 'New' }),
          DELETE: () => mail.folderChanges.delete(session, 'Work'),
        }[command]
        await assert.rejects(act(), { kind }, `${command} ${answer}`)
      },
    )
  }
})

test('a flag the folder does not keep is told as such', async () => {
  const script = on('SELECT', (call) => {
    call.write('* OK [PERMANENTFLAGS (\\Seen)] limited\r\n')
    call.usual()
  })
  await withScript(script, async ({ mail, session }) => {
    await assert.rejects(mail.messageChanges.update(session, idOf('a'), { starred: true }), {
      kind: 'unsupported',
    })
    assert.equal((await mail.messageChanges.update(session, idOf('a'), { unread: false })).unread, false)
  })
})

test('a folder that may only be read is not changed', async () => {
  const script = on('SELECT', (call) => {
    call.write('* 2 EXISTS\r\n* OK [UIDVALIDITY 1000] ok\r\n')
    call.reply('OK [READ-ONLY] open')
  })
  await withScript(script, async ({ mail, session }) => {
    await assert.rejects(mail.messageChanges.update(session, idOf('a'), { starred: true }), {
      kind: 'invalid-request',
    })
  })
})

test('a change is never sent twice, and a connection that was closed meanwhile costs none', async () => {
  const cutting = on('UID STORE', ({ connection }) => connection.cut())
  await withScript(cutting, async ({ server, mail, session }) => {
    await mail.messages.list(session, listing)
    await assert.rejects(mail.messageChanges.update(session, idOf('a'), { starred: true }), {
      kind: 'unavailable',
    })
    assert.equal(server.log.filter((line) => line.startsWith('UID STORE')).length, 1)
  })
  const closing = on('NOOP', ({ connection }) => connection.cut())
  await withScript(closing, async ({ server, mail, session }) => {
    await mail.messages.list(session, listing)
    assert.equal((await mail.messageChanges.update(session, idOf('a'), { starred: true })).starred, true)
    assert.equal(server.connections().ever, 2)
  })
})

test('a server that takes fewer connections is served with those it takes', async () => {
  const refusals: { readonly [kind: string]: Pick<ImapScript, 'onConnect' | 'on'> } = {
    'BYE as greeting': {
      onConnect: ({ socket }, nth) => {
        if (nth > 1) socket.end('* BYE Too many connections\r\n')
        return nth > 1
      },
    },
    'a dropped connection': {
      onConnect: ({ socket }, nth) => {
        if (nth > 1) socket.destroy()
        return nth > 1
      },
    },
    'NO to LOGIN': {
      on: {
        LOGIN: (call) =>
          call.count > 1 ? call.reply('NO [LIMIT] Too many simultaneous connections') : call.usual(),
      },
    },
    'NO without a code': {
      on: {
        LOGIN: (call) =>
          call.count > 1 ? call.reply('NO Maximum number of connections: too many') : call.usual(),
      },
    },
  }
  for (const [kind, script] of Object.entries(refusals)) {
    await withScript({ ...base, ...script }, async ({ server, mail, session }) => {
      await mail.messages.list(session, listing)
      const pages = await Promise.all(Array.from({ length: 12 }, () => mail.messages.list(session, listing)))
      assert.ok(
        pages.every((page) => page.items.length === 2),
        kind,
      )
      const { ever } = server.connections()
      assert.ok(ever <= 3, `${kind}: ${ever}`)
      await Promise.all(Array.from({ length: 6 }, () => mail.messages.list(session, listing)))
      assert.equal(server.connections().ever, ever, `${kind}: asks no more`)
    })
  }
})

test('a login that gets no answer ends at the deadline', async () => {
  for (const name of ['CAPABILITY', 'LOGIN', 'LIST', 'EXAMINE', 'UID SEARCH', 'UID FETCH']) {
    await withScript(
      on(name, () => {}),
      async ({ server, mail, until }) => {
        const abort = new AbortController()
        const asked = mail.messages.list(until(abort.signal), listing)
        while (!server.log.some((line) => line.startsWith(name)))
          await new Promise((next) => setImmediate(next))
        abort.abort(new DOMException('over', 'TimeoutError'))
        await assert.rejects(asked, { kind: 'timeout' }, name)
      },
    )
  }
})

test('STARTTLS that is stripped, refused or tampered with is refused', async () => {
  const stripped = await failure(base, false)
  assert.equal(stripped.kind, 'invalid-request')
  const starttls = { ...base, capabilities: 'IMAP4rev1 STARTTLS' }
  const refused = await failure(
    { ...starttls, on: { STARTTLS: (call) => call.reply('NO not today') } },
    false,
  )
  assert.equal(refused.kind, 'invalid-request')
  // As CVE-2021-38371 and its kin: answers in clear text that would be read as if they came over TLS.
  const injected = await failure(
    {
      ...starttls,
      on: {
        STARTTLS: ({ tag, write }) => write(`${tag} OK go\r\n* CAPABILITY IMAP4rev1\r\n* OK injected\r\n`),
      },
    },
    false,
  )
  assert.equal(injected.kind, 'invalid-request')
  // A greeting that says the user is signed in already leaves no way to TLS.
  assert.equal((await failure({ ...starttls, greeting: '* PREAUTH welcome' }, false)).kind, 'invalid-request')
  await withScript(
    starttls,
    async ({ server, mail, session }) => {
      await assert.rejects(mail.messages.list(session, listing))
      assert.ok(!server.log.some((line) => line.startsWith('LOGIN')), 'the password is not sent')
    },
    false,
  )
})

test('greetings that are none', async () => {
  for (const [greeting, kinds] of [
    ['* BYE overloaded', ['unavailable']],
    ['HTTP/1.1 400 Bad Request\r\n\r\n', ['timeout', 'malformed-response', 'unavailable']],
  ] as const) {
    await withScript({ ...base, greeting }, async ({ mail, until }) => {
      const error = await mail.messages
        .list(until(AbortSignal.timeout(300)), listing)
        .catch((caught: unknown) => caught)
      assert.ok(
        error instanceof ProviderError && (kinds as readonly string[]).includes(error.kind),
        String(error),
      )
    })
  }
})

test('a folder whose counts are refused is listed without them', async () => {
  const script = on('STATUS', (call) =>
    call.args.includes('Work') ? call.reply('NO [NOPERM] no') : call.usual(),
  )
  await withScript(script, async ({ mail, session }) => {
    const { items } = await mail.folders.list(session, allFolders)
    assert.deepEqual(
      items.map(({ name, total_count }) => [name, total_count]),
      [
        ['INBOX', 2],
        ['Work', undefined],
      ],
    )
  })
})

test('servers of IMAP4rev2 and UTF8=ACCEPT are spoken to in UTF-8', async () => {
  for (const capabilities of ['IMAP4rev2', 'IMAP4rev1 ENABLE UTF8=ACCEPT']) {
    const script = {
      ...base,
      capabilities,
      greeting: `* OK [CAPABILITY ${capabilities}] hello`,
      on: {
        ENABLE: (call: ImapCall) => {
          call.write(`* ENABLED ${capabilities.includes('UTF8') ? 'UTF8=ACCEPT' : ''}\r\n`)
          call.reply('OK done')
        },
        // Neither RETURN nor LSUB is told to be there: what a rev2 server refuses is asked again more simply.
        LIST: (call: ImapCall) =>
          call.args.includes('RETURN') ? call.reply('BAD no RETURN here') : call.usual(),
      },
    }
    await withScript(script, async ({ mail, session, server }) => {
      const made = await mail.folderChanges.create(session, { name: 'Räume' })
      assert.equal(made.name, 'Räume')
      assert.ok(server.mailbox.folder('Räume'), capabilities)
      const moved = await mail.messageChanges.update(session, idOf('a'), { folders: [made.id] })
      assert.deepEqual(moved.folders, [made.id])
    })
  }
})

test('a sign-in that the server has not refused says nothing about the password', async () => {
  const disabled = await failure({ ...base, greeting: '* OK [CAPABILITY IMAP4rev1 LOGINDISABLED] hello' })
  assert.deepEqual([disabled.kind, disabled.details.reason], ['access-refused', 'login_disabled'])
  const leaving = on('CAPABILITY', (call) => {
    call.write('* BYE shutting down\r\n')
    call.usual()
  })
  for (const script of [leaving, { ...base, greeting: '* OK hello\r\n* BYE shutting down' }]) {
    assert.equal((await failure(script)).kind, 'unavailable')
  }
})
