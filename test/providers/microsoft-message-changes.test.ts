import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import type { MessageChange } from '../../src/core/ports/mail.ts'
import { fails } from '../support/fake-graph/fails.ts'
import { graphError } from '../support/fake-graph/graph-mail.ts'
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
afterEach(() => {
  world.graph.intercept(null)
  world.graph.behaviour.hasPermanentDelete = true
})
after(async () => {
  await world.stop()
  assert.deepEqual(world.graph.violations, [])
})

const TRASH = 'AAMkFolder-del-04='
const changes = () => world.microsoft.mail!.messageChanges!
const idOf = (at: number) => `AAMkMsg-${String(at).padStart(4, '0')}=`
const find = (id: string) => world.microsoft.mail!.messages.find(session, id, { fields: 'standard' })
const update = (at: number, change: MessageChange) => changes().update(session, idOf(at), change)

test('changes what is given, and the answer is the message as it is then', async () => {
  const before = await find(idOf(1))
  const message = await update(1, { unread: false, starred: true })
  assert.deepEqual(message, { ...before, unread: false, starred: true })
  assert.deepEqual(await find(idOf(1)), message)
  assert.deepEqual(await update(1, { starred: false }), { ...message, starred: false })
  const moved = await update(1, { folders: ['AAMkFolder-prj-06='], unread: true })
  assert.deepEqual([moved.id, moved.folders, moved.unread], [idOf(1), ['AAMkFolder-prj-06='], true])
  assert.deepEqual(await update(1, {}), moved)
})

test('a message is in one folder, named by its id', async () => {
  for (const folders of [[], ['AAMkFolder-prj-06=', 'AAMkFolder-in-01='], ['inbox'], ['a/b']]) {
    await assert.rejects(update(2, { folders }), fails('invalid-request'))
  }
  await assert.rejects(update(2, { folders: ['AAMkNowhere-1='] }), fails('not-found'))
  await assert.rejects(changes().update(session, 'AAMkNowhere-1=', { unread: true }), fails('not-found'))
})

test('deletes into the trash, or for good, also where Graph has no permanentDelete', async () => {
  await changes().delete(session, idOf(30), { hard: false })
  assert.deepEqual((await update(30, {})).folders, [TRASH])
  await changes().delete(session, idOf(30), { hard: false })
  await changes().delete(session, idOf(30), { hard: true })
  world.graph.behaviour.hasPermanentDelete = false
  await changes().delete(session, idOf(31), { hard: true })
  for (const at of [30, 31]) {
    await assert.rejects(find(idOf(at)), fails('not-found'))
    await assert.rejects(changes().delete(session, idOf(at), { hard: true }), fails('not-found'))
    await assert.rejects(changes().delete(session, idOf(at), { hard: false }), fails('not-found'))
  }
})

test('an id that changes with a move, saved elsewhere, is translated', async () => {
  const legacy = `AAMkMsgLegacy-0033-${'x'.repeat(60)}=`
  const message = await find(legacy)
  assert.equal(message.id, 'AAMkMsg-0033=')
  const { id, unread } = await changes().update(session, legacy, { unread: true })
  assert.deepEqual([id, unread], ['AAMkMsg-0033=', true])
  await assert.rejects(find(`AAMkMsgLegacy-none-${'x'.repeat(60)}=`), fails('not-found'))
})

test('a write that failed in passing is repeated: twice done it is the same', async () => {
  const answers = [
    graphError(503, 'serviceNotAvailable', 'no'),
    graphError(429, 'ApplicationThrottled', 'no', { 'retry-after': '0' }),
  ]
  world.graph.intercept(({ method }) => (method === 'PATCH' ? answers.shift() : undefined))
  assert.equal((await update(3, { unread: true })).unread, true)
  assert.equal(answers.length, 0)
  assert.ok(session.spent() >= 4, 'every try is counted')
})
