import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { grantId } from '../../src/contract/ids.ts'
import type { FullMessage } from '../../src/contract/message.ts'
import type { MessageQuery } from '../../src/core/ports/mail.ts'
import { createMessageCache, type KeptMessage } from '../../src/providers/google/body-cache.ts'
import { type GoogleWorld, startGoogleWorld, type TestSession } from '../support/sandbox.ts'

let world: GoogleWorld
let session: TestSession
let number = 0

before(async () => {
  world = await startGoogleWorld()
})
beforeEach(() => {
  number += 1
  session = { ...world.session('sandbox-refresh-token-ada'), grantId: grantId(`grant-${number}`) }
})
after(async () => {
  await world.stop()
  assert.deepEqual(world.validator.violations, [])
})

const list = async (query: Partial<MessageQuery> = {}, of: TestSession = session) =>
  (await world.google.mail!.messages.list(of, { limit: 10, fields: 'standard', ...query }))
    .items as FullMessage[]

/** How many parts of the last batch asked for whole messages, and for labels alone. */
function lastBatch() {
  const batch = world.validator.seen.findLast(({ url }) => url.includes('/batch/'))!
  return {
    whole: batch.body.split('format=full').length - 1,
    labels: batch.body.split('format=minimal').length - 1,
  }
}

test('a second list asks for labels alone, in the same two calls, and answers the same', async () => {
  const first = await list()
  assert.deepEqual(lastBatch(), { whole: 10, labels: 0 })
  const from = world.validator.seen.length
  assert.deepEqual(await list(), first)
  assert.equal(world.validator.seen.length - from, 2)
  assert.deepEqual(lastBatch(), { whole: 0, labels: 10 })
  const [whole] = await list({ fields: 'include_headers', limit: 1 })
  const { headers, ...rest } = whole!
  assert.ok(headers!.some(({ name }) => name === 'Delivered-To'))
  assert.deepEqual(rest, first[0])
})

test('labels are always fresh, and a deleted message leaves no ghost', async () => {
  const [first, second] = await list()
  const { messageChanges, messages } = world.google.mail!
  await messageChanges!.update(session, first!.id, { unread: !first!.unread, starred: !first!.starred })
  const [changed] = await list()
  assert.equal(changed!.unread, !first!.unread)
  assert.equal(changed!.starred, !first!.starred)
  await messageChanges!.delete(session, second!.id, { hard: false })
  assert.ok(!(await list()).some(({ id }) => id === second!.id))
  world.sandbox.control.fail({ target: 'part', mode: '404' })
  assert.ok(!(await list({ limit: 2 })).some(({ id }) => id === first!.id))
  await messages.find(session, first!.id, { fields: 'standard' })
})

test('another grant and other permissions see nothing of it; sources are never kept', async () => {
  await list()
  await list({}, { ...session, grantId: grantId('stranger') })
  assert.deepEqual(lastBatch(), { whole: 10, labels: 0 })
  await list({}, { ...session, scope: ['https://www.googleapis.com/auth/gmail.metadata'] })
  assert.deepEqual(lastBatch(), { whole: 10, labels: 0 })
  await list({ fields: 'raw_mime', limit: 2 })
  const batch = world.validator.seen.findLast(({ url }) => url.includes('/batch/'))!
  assert.equal(batch.body.split('format=raw').length - 1, 2)
})

test('the cache keeps to its size, and takes no huge message', () => {
  const cache = createMessageCache(20_000).of({ grantId: 'g', scope: [] })
  const kept = (length: number): KeptMessage => ({
    message: {
      id: 'x',
      grant_id: 'g',
      object: 'message',
      date: 1,
      created_at: 1,
      thread_id: 't',
      subject: '',
      from: [],
      to: [],
      cc: [],
      bcc: [],
      reply_to: [],
      snippet: '',
      body: 'x'.repeat(length),
      attachments: [],
    },
    headers: [],
  })
  for (const id of ['a', 'b', 'c', 'd']) cache.keep(id, kept(3000))
  assert.deepEqual(
    ['a', 'b', 'c', 'd'].filter((id) => cache.find(id)),
    ['b', 'c', 'd'],
  )
  cache.keep('e', kept(30_000))
  assert.equal(cache.find('e'), undefined)
  cache.drop('d')
  assert.equal(cache.find('d'), undefined)
})

test('paging goes on behind what was seen, though mail comes and goes meanwhile', async () => {
  const query = { subject: 'figures', limit: 2, fields: 'standard' } as const
  const { messages, messageChanges } = world.google.mail!
  const whole = await list({ subject: 'figures', limit: 50 })
  const page = await messages.list(session, query)
  await messageChanges!.delete(session, whole[1]!.id, { hard: false })
  await messageChanges!.delete(session, whole[2]!.id, { hard: false })
  const next = await messages.list(session, { ...query, cursor: page.nextCursor! })
  assert.deepEqual(
    next.items.map(({ id }) => id),
    whole.slice(3, 5).map(({ id }) => id),
  )
})
