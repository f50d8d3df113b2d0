import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import type { FullDraft } from '../../src/contract/message.ts'
import type { DraftChange, DraftQuery, OutgoingDraft } from '../../src/core/ports/outgoing.ts'
import { fails } from '../support/fake-graph/fails.ts'
import { outgoing, outgoingFile } from '../support/fake-graph/outgoing.ts'
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
after(async () => {
  await world.stop()
  assert.deepEqual(world.graph.violations, [])
})

const drafts = () => world.microsoft.mail!.drafts!
const create = (more: Partial<OutgoingDraft> = {}) => drafts().create(session, outgoing(more))
const update = (id: string, change: DraftChange) => drafts().update(session, id, change)
const list = (query: Partial<DraftQuery> = {}) => drafts().list(session, { limit: 50, ...query })
const names = ({ attachments }: FullDraft) => attachments.map(({ filename }) => filename).toSorted()

test('a draft is created, found, listed and deleted for good', async () => {
  const draft = await create({ starred: true, to: [], subject: 'Entwurf 1' })
  assert.equal(draft.object, 'draft')
  assert.deepEqual([draft.subject, draft.starred, draft.unread, draft.to], ['Entwurf 1', true, false, []])
  assert.deepEqual(draft.folders, ['AAMkFolder-dra-03='])
  assert.deepEqual(await drafts().find(session, draft.id, {}), draft)
  assert.ok((await list()).items.some(({ id }) => id === draft.id))
  assert.deepEqual(
    (await list({ subject: 'entwurf 1' })).items.map(({ id }) => id),
    [draft.id],
  )
  assert.deepEqual(
    (await list({ threadId: draft.thread_id })).items.map(({ id }) => id),
    [draft.id],
  )
  await drafts().delete(session, draft.id)
  await assert.rejects(drafts().find(session, draft.id, {}), fails('not-found'))
  assert.ok(!world.graph.mailboxes.get('ada@contoso.example')!.messages.some(({ id }) => id === draft.id))
})

test('lists drafts only, also of a folder that holds mail too', async () => {
  const { items } = await list({ in: 'AAMkFolder-in-01=' })
  assert.deepEqual(items, [])
  assert.ok((await list()).items.every(({ object }) => object === 'draft'))
  assert.ok((await list({ starred: true })).items.every(({ starred }) => starred))
})

test('only what is given changes, and the id stays', async () => {
  const draft = await create({ cc: [{ email: 'c@x.example' }] })
  const subject = await update(draft.id, { subject: 'Neu' })
  assert.deepEqual(subject, { ...draft, subject: 'Neu' })
  const body = await update(draft.id, {
    body: 'plain',
    isPlaintext: true,
    starred: true,
    to: [{ email: 'z@x.example' }],
  })
  assert.deepEqual(
    [body.id, body.body, body.starred, body.to],
    [draft.id, 'plain', true, [{ email: 'z@x.example' }]],
  )
  assert.deepEqual(body.cc, [{ email: 'c@x.example' }])
})

test('a draft becomes plain text, with the text it had', async () => {
  const { id } = await create({ body: '<p>one</p><p>two &amp; three</p>' })
  await update(id, { isPlaintext: true })
  const stored = world.graph.mailboxes.get('ada@contoso.example')!.messages.find((one) => one.id === id)
  assert.equal(stored?.body?.contentType, 'text')
  assert.match(stored.body.content, /^one\s+two & three\s*$/)
})

test('attachments are replaced whole', async () => {
  const draft = await create({
    attachments: [outgoingFile('a.txt', Buffer.from('a')), outgoingFile('b.txt', Buffer.from('b'))],
  })
  assert.deepEqual(names(draft), ['a.txt', 'b.txt'])
  const large = outgoingFile('large.bin', Buffer.alloc(3_300_000, 'l'))
  assert.deepEqual(names(await update(draft.id, { attachments: [large] })), ['large.bin'])
  assert.deepEqual(names(await update(draft.id, { subject: 'kept' })), ['large.bin'])
  assert.deepEqual(names(await update(draft.id, { attachments: [] })), [])
})

test('a reply draft is in its thread; that cannot change later', async () => {
  const draft = await create({ replyToMessageId: 'AAMkMsg-0009=', starred: true })
  assert.deepEqual([draft.thread_id, draft.starred], ['AAQkConv-2=', true])
  assert.equal(
    (await update(draft.id, { replyToMessageId: 'AAMkMsg-0008=', subject: 'x' })).thread_id,
    'AAQkConv-2=',
  )
  await assert.rejects(update(draft.id, { replyToMessageId: 'AAMkMsg-0001=' }), fails('unsupported'))
  await assert.rejects(update(draft.id, { headers: [{ name: 'X-A', value: 'b' }] }), fails('unsupported'))
})

test('a draft is sent as it is, under its id, once', async () => {
  const draft = await create({ attachments: [outgoingFile('a.txt', Buffer.from('a'))] })
  const sent = await drafts().send(session, draft.id)
  assert.deepEqual(
    [sent.id, sent.threadId, sent.folders],
    [draft.id, draft.thread_id, ['AAMkFolder-out-02=']],
  )
  assert.equal(sent.attachments?.[0]?.filename, 'a.txt')
  await assert.rejects(drafts().send(session, draft.id), fails('not-found'))
  await assert.rejects(update(draft.id, { subject: 'x' }), fails('not-found'))
  await assert.rejects(drafts().delete(session, draft.id), fails('not-found'))
  assert.equal(world.graph.sent.filter(({ id }) => id === draft.id).length, 1)
})

test('a draft that cannot be sent stays a draft', async () => {
  const draft = await create({ to: [] })
  await assert.rejects(drafts().send(session, draft.id), fails('rejected'))
  assert.equal((await drafts().find(session, draft.id, {})).id, draft.id)
})

test('a message that is no draft is none', async () => {
  for (const id of ['AAMkMsg-0001=', 'AAMkNowhere-1=']) {
    await assert.rejects(drafts().find(session, id, {}), fails('not-found'))
    await assert.rejects(drafts().delete(session, id), fails('not-found'))
    await assert.rejects(drafts().send(session, id), fails('not-found'))
  }
  await assert.rejects(drafts().find(session, 'inbox', {}), fails('invalid-request'))
})
