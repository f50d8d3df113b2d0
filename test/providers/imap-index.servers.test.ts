import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { GrantSession } from '../../src/core/ports/grant-session.ts'
import type { ImapIndexStore, IndexPiece } from '../../src/core/ports/mail-stores-imap-index.ts'
import type { Mail } from '../../src/core/ports/mail.ts'
import type { ImapSession } from '../../src/protocols/imap/open-session.ts'
import { startDovecot, type TestDovecot } from '../support/dovecot.ts'
import { behind, imapProvider, settingsOf, signedIn, walk } from './imap-world.ts'

const USER = 'erin'
let world: TestDovecot
let erin: GrantSession

before(async () => {
  world = await startDovecot()
  const provider = imapProvider(world)
  erin = await signedIn(provider, settingsOf(world, USER))
  await provider.close()
})
after(() => world.stop())

/** Keeps pieces as the database does; that it does is tested with the database. */
class KeptPieces implements ImapIndexStore {
  pieces: readonly IndexPiece[] = []
  list() {
    return Promise.resolve(this.pieces)
  }
  add(_account: object, pieces: readonly IndexPiece[]) {
    const isOld = (kept: IndexPiece) =>
      pieces.some((piece) => piece.path === kept.path && piece.uidValidity !== kept.uidValidity)
    this.pieces = [...this.pieces.filter((kept) => !isOld(kept)), ...pieces]
    return Promise.resolve()
  }
  replace(_account: object, pieces: readonly IndexPiece[]) {
    this.pieces = pieces
    return Promise.resolve()
  }
}

/** A process of its own: it knows what the store keeps, and nothing else. */
async function inProcess<T>(indexStore: ImapIndexStore, work: (mail: Mail) => Promise<T>): Promise<T> {
  const provider = imapProvider(world, { indexStore })
  assert.ok(provider.mail)
  try {
    return await work(provider.mail)
  } finally {
    await provider.close()
  }
}

async function inFolder(folder: string, work: (client: ImapSession) => Promise<void>): Promise<void> {
  await behind(world, USER, async (client) => {
    await client.mailboxDelete(folder).catch(() => {})
    await client.mailboxCreate(folder)
    await work(client)
  })
}

const mailOf = (id: string, subject: string, more = '') =>
  `Message-ID: <${id}@index.example>\r\nSubject: ${subject}\r\n${more}\r\nx\r\n`
const at = (minute: number) => new Date((1_700_000_000 + minute * 60) * 1000)

test('which of two mails holds a Message-ID survives a restart, also when an older one came later', async () => {
  await inFolder('Doubles', async (client) => {
    const store = new KeptPieces()
    await client.append('Doubles', mailOf('double', 'first seen'), [], at(10))
    await inProcess(store, (mail) => walk(mail, erin, { in: 'Doubles' }))
    await client.append('Doubles', mailOf('double', 'older, seen later'), [], at(1))
    for (let restart = 0; restart < 2; restart += 1) {
      const messages = await inProcess(store, (mail) => walk(mail, erin, { in: 'Doubles' }))
      assert.deepEqual(
        messages.map(({ subject, id }) => [subject, id.startsWith('m.') ? 'm.' : id]),
        [
          ['first seen', '<double@index.example>'],
          ['older, seen later', 'm.'],
        ],
      )
    }
  })
})

test('a restarted process finds a message where the one before it saw it, without a search', async () => {
  await inFolder('Known', async (client) => {
    const store = new KeptPieces()
    await client.append('Known', mailOf('known', 'known'), [], at(10))
    await inProcess(store, (mail) => walk(mail, erin, { in: 'Known' }))
    const commandsOf = async (kept: ImapIndexStore) => {
      let requests = 0
      const spend = (spent: { readonly requests: number }) => (requests += spent.requests)
      const session = { ...erin, spend }
      await inProcess(kept, (mail) =>
        mail.messages.find(session, '<known@index.example>', { fields: 'standard' }),
      )
      return requests
    }
    const [warm, cold] = [await commandsOf(store), await commandsOf(new KeptPieces())]
    assert.ok(warm < cold && warm <= 8, `${warm} instead of ${cold} commands`)
  })
})

test('a new UIDVALIDITY drops what was kept of a folder, and ids survive', async () => {
  const store = new KeptPieces()
  const list = () => inProcess(store, (mail) => walk(mail, erin, { in: 'Anew' }))
  await inFolder('Anew', async (client) => {
    await client.append('Anew', mailOf('one', 'one'), [], at(1))
    await client.append('Anew', mailOf('two', 'two', 'References: <one@index.example>\r\n'), [], at(2))
  })
  const first = await list()
  const [piece] = store.pieces
  await inFolder('Anew', async (client) => {
    await client.append('Anew', mailOf('two', 'two', 'References: <one@index.example>\r\n'), [], at(2))
    await client.append('Anew', mailOf('one', 'one'), [], at(1))
  })
  const second = await list()
  assert.deepEqual(
    second.map(({ id, thread_id }) => [id, thread_id]),
    first.map(({ id, thread_id }) => [id, thread_id]),
  )
  assert.ok(piece && store.pieces.length === 1)
  assert.notEqual(store.pieces[0]?.uidValidity, piece.uidValidity)
})

test('two threads that a mail has joined are one after a restart, without reading them again', async () => {
  await inFolder('Joined', async (client) => {
    const store = new KeptPieces()
    await client.append('Joined', mailOf('left', 'left'), [], at(1))
    await client.append('Joined', mailOf('right', 'right'), [], at(2))
    const link = 'References: <right@index.example> <left@index.example>\r\n'
    await client.append('Joined', mailOf('link', 'link', link), [], at(3))
    const before = await inProcess(store, (mail) => walk(mail, erin, { in: 'Joined' }))
    assert.equal(new Set(before.map((message) => message.thread_id)).size, 1)
    await inProcess(store, async (mail) => {
      const found = await mail.messages.find(erin, '<right@index.example>', { fields: 'standard' })
      assert.ok('thread_id' in found)
      assert.equal(found.thread_id, before[0]?.thread_id)
    })
  })
})

test('a store that fails, or holds nonsense, costs time and no answer', async () => {
  await inFolder('Broken', async (client) => {
    await client.append('Broken', mailOf('still', 'still'), [], at(1))
    const fails = () => Promise.reject(new Error('the database is away'))
    const stores: readonly ImapIndexStore[] = [
      { list: fails, add: fails, replace: fails },
      {
        list: () => Promise.resolve([{ path: 'Broken', uidValidity: 1, rows: '!!' }]),
        add: fails,
        replace: fails,
      },
    ]
    for (const store of stores) {
      const messages = await inProcess(store, (mail) => walk(mail, erin, { in: 'Broken' }))
      assert.deepEqual(
        messages.map(({ id }) => id),
        ['<still@index.example>'],
      )
    }
  })
})
