// Changes of Gmail messages through the port, over HTTP against the sandbox; every request is judged by Google's own
// API description.
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import type { FullMessage } from '../../src/contract/message.ts'
import type { MessageChange } from '../../src/core/ports/mail.ts'
import { ProviderError, type ProviderErrorKind } from '../../src/kit/provider-error.ts'
import { type GoogleWorld, startGoogleWorld, type TestSession } from '../support/sandbox.ts'

const ADA = 'ada@sandbox.example'
const FULL = 'https://mail.google.com/'
let world: GoogleWorld
let session: TestSession
let id: string
let number = 0

before(async () => {
  world = await startGoogleWorld()
})
beforeEach(() => {
  session = world.session('sandbox-refresh-token-ada')
  number += 1
  id = deliver()
})
after(async () => {
  await world.stop()
  assert.deepEqual(world.validator.violations, [])
  assert.ok(world.validator.knownCount() > 20)
})

function deliver(): string {
  return world.sandbox.control.deliver(
    ADA,
    `From: a@b.example\r\nTo: ${ADA}\r\nSubject: s\r\nMessage-ID: <${number}@b.example>\r\n\r\ntext\r\n`,
  )
}
const changes = () => {
  const found = world.google.mail?.messageChanges
  assert.ok(found)
  return found
}
const update = (change: MessageChange) => changes().update(session, id, change)
const find = async () =>
  (await world.google.mail!.messages.find(session, id, { fields: 'standard' })) as FullMessage
const sorted = (labels: readonly string[]) => labels.toSorted()
const fails = (kind: ProviderErrorKind) => (error: unknown) => {
  assert.ok(error instanceof ProviderError, String(error))
  assert.equal(error.kind, kind)
  return true
}

test('unread and starred change alone, and the answer shows the new state', async () => {
  const read = await update({ unread: false })
  assert.deepEqual([read.unread, read.starred], [false, false])
  assert.deepEqual(sorted(read.folders), ['CATEGORY_PERSONAL', 'INBOX'])
  const starred = await update({ starred: true })
  assert.deepEqual([starred.unread, starred.starred], [false, true])
  const unread = await update({ unread: true, starred: false })
  assert.deepEqual([unread.unread, unread.starred], [true, false])
  assert.deepEqual(await find(), unread)
})

test('folders replace the set, and leave unread and starred as they are', async () => {
  await update({ starred: true })
  const moved = await update({ folders: ['Label_1', 'Label_3'] })
  assert.deepEqual(sorted(moved.folders), ['Label_1', 'Label_3', 'STARRED', 'UNREAD'])
  const again = await update({ folders: ['Label_1', 'Label_3'] })
  assert.deepEqual(again, moved)
  const all = await update({ folders: ['INBOX'], unread: false, starred: false })
  assert.deepEqual(all.folders, ['INBOX'])
  const both = await update({ folders: ['INBOX', 'UNREAD'], unread: false })
  assert.equal(both.unread, false)
})

test('a change that changes nothing asks for the message alone', async () => {
  await session.accessToken()
  const from = world.validator.seen.length
  await update({ folders: ['INBOX', 'CATEGORY_PERSONAL'] })
  assert.deepEqual(
    world.validator.seen.slice(from).map(({ method }) => method),
    ['GET', 'GET'],
  )
})

test('an unknown label, one that Gmail alone gives, an unknown message are errors of the request', async () => {
  await assert.rejects(update({ folders: ['Label_99'] }), fails('invalid-request'))
  await assert.rejects(update({ folders: ['DRAFT'] }), fails('invalid-request'))
  for (const unknown of ['00000000000000ff', '..', 'a/b']) {
    await assert.rejects(changes().update(session, unknown, { unread: true }), fails('not-found'))
  }
  await assert.rejects(update({ unread: true, sharedFrom: 'x@y.example' }), fails('unsupported'))
})

test('deleting moves into the trash, also twice', async () => {
  await changes().delete(session, id, { hard: false })
  await changes().delete(session, id, { hard: false })
  const { folders } = await find()
  assert.ok(folders.includes('TRASH') && !folders.includes('INBOX'))
})

test('deleting for good needs the full scope', async () => {
  await assert.rejects(changes().delete(session, id, { hard: true }), fails('scope-missing'))
  await find()
  session = world.session(world.sandbox.control.mintRefreshToken(ADA, [FULL]))
  await changes().delete(session, id, { hard: true })
  await assert.rejects(find(), fails('not-found'))
  await assert.rejects(changes().delete(session, id, { hard: true }), fails('not-found'))
})

test('a deletion whose answer was lost is made sure of, and is no "not found"', async () => {
  session = world.session(world.sandbox.control.mintRefreshToken(ADA, [FULL]))
  await session.accessToken()
  world.sandbox.control.fail({ target: 'api', mode: 'drop-after' })
  await changes().delete(session, id, { hard: true })
  await assert.rejects(find(), fails('not-found'))
  id = deliver()
  world.sandbox.control.fail({ target: 'api', mode: '503', times: 2 })
  await changes().delete(session, id, { hard: true })
  id = deliver()
  world.sandbox.control.fail({ target: 'api', mode: '503', times: 3 })
  await assert.rejects(changes().delete(session, id, { hard: true }), fails('unavailable'))
  await find()
})

test('the session hears of every request and unit', async () => {
  const user = 'ben@sandbox.example'
  session = world.session('sandbox-refresh-token-ben')
  id = world.sandbox.control.deliver(user, 'Subject: s\r\n\r\ntext\r\n')
  const before = world.sandbox.control.spent(user)
  await update({ folders: ['INBOX'], unread: false })
  await changes().delete(session, id, { hard: false })
  const { requests, units } = world.sandbox.control.spent(user)
  assert.deepEqual(session.spent(), {
    requests: requests - before.requests,
    units: units - before.units,
  })
  assert.equal(session.spent().requests, 4)
})
