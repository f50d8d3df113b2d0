import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import type { FullMessage } from '../../src/contract/message.ts'
import type { FullThread } from '../../src/contract/thread.ts'
import type { ThreadQuery } from '../../src/core/ports/mail.ts'
import { ProviderError } from '../../src/kit/provider-error.ts'
import { type GoogleWorld, startGoogleWorld, type TestSession } from '../support/sandbox.ts'

let world: GoogleWorld
let session: TestSession

before(async () => {
  world = await startGoogleWorld()
})
beforeEach(() => {
  session = world.session('sandbox-refresh-token-ada')
})
after(async () => {
  await world.stop()
  assert.deepEqual(world.validator.violations, [])
  assert.ok(world.validator.knownCount() > 20)
})

const threads = () => world.google.mail!.threads!
const list = (query: Partial<ThreadQuery>) => threads().list(session, { limit: 20, ...query })

async function listAll(query: Partial<ThreadQuery>, limit = 50): Promise<FullThread[]> {
  const all: FullThread[] = []
  let cursor: string | undefined
  for (let pages = 0; pages < 100; pages += 1) {
    const page = await list({ ...query, limit, ...(cursor === undefined ? {} : { cursor }) })
    all.push(...page.items)
    cursor = page.nextCursor
    if (cursor === undefined) return all
  }
  throw new Error('the list does not end')
}

async function messagesOf(thread: FullThread): Promise<FullMessage[]> {
  const { items } = await world.google.mail!.messages.list(session, {
    limit: 200,
    fields: 'standard',
    threadId: thread.id,
  })
  return items as FullMessage[]
}

test('a page of 20 takes one list and one batch, and tells what it cost', async () => {
  await session.accessToken()
  const from = world.validator.seen.length
  const page = await list({})
  assert.equal(page.items.length, 20)
  assert.ok(page.nextCursor)
  const calls = world.validator.seen
    .slice(from)
    .map(({ method, url }) => `${method} ${new URL(url).pathname}`)
  assert.deepEqual(calls, ['GET /gmail/v1/users/me/threads', 'POST /batch/gmail/v1'])
  assert.deepEqual(session.spent(), { requests: 2, units: 10 + 20 * 40 })
})

test('paging yields each thread once, newest first, with every required field', async () => {
  const whole = await listAll({})
  const ids = whole.map(({ id }) => id)
  assert.equal(new Set(ids).size, ids.length)
  const paged = await listAll({}, 7)
  assert.deepEqual(
    paged.map(({ id }) => id),
    ids,
  )
  const dates = whole.map((thread) => thread.latest_draft_or_message.date!)
  assert.deepEqual(
    dates,
    dates.toSorted((one, other) => other - one),
  )
  const long = whole.find((thread) => thread.message_ids.length > 1)!
  const messages = await messagesOf(long)
  assert.deepEqual(long.message_ids, messages.map(({ id }) => id).toReversed())
  assert.deepEqual(long.latest_draft_or_message, messages[0])
  assert.equal(long.earliest_message_date, messages.at(-1)!.date)
  assert.deepEqual(long.folders.toSorted(), [...new Set(messages.flatMap((m) => m.folders))].toSorted())
  assert.ok(long.participants.some(({ email }) => email === messages[0]!.from[0]!.email))
})

const FILTERS: readonly [string, Partial<ThreadQuery>, (message: FullMessage) => boolean][] = [
  ['subject', { subject: 'DÉJÀ' }, (m) => m.subject.toLowerCase().includes('déjà')],
  ['from', { from: 'Zoe@partner.example' }, (m) => m.from.some((a) => a.email === 'zoe@partner.example')],
  ['cc', { cc: 'team@partner.example' }, (m) => m.cc.some((a) => a.email === 'team@partner.example')],
  ['any_email', { anyEmail: ['sam@partner.example'] }, (m) => m.from.some((a) => a.email.startsWith('sam@'))],
  ['unread in a label', { unread: true, in: 'INBOX' }, (m) => m.unread && m.folders.includes('INBOX')],
  ['starred', { starred: true }, (m) => m.starred],
  ['in', { in: 'Label_2' }, (m) => m.folders.includes('Label_2')],
]
for (const [name, query, wanted] of FILTERS) {
  test(`filters by ${name}: threads with a message that fits`, async () => {
    const whole = await listAll({})
    const expected: string[] = []
    for (const thread of whole) if ((await messagesOf(thread)).some(wanted)) expected.push(thread.id)
    assert.ok(expected.length > 0 && expected.length < whole.length)
    const found = (await listAll(query, 4)).map(({ id }) => id)
    assert.deepEqual(found.toSorted(), expected.toSorted())
  })
}

test('false asks that no message of the thread is so; dates are those of the newest and oldest message', async () => {
  const whole = await listAll({})
  const idsOf = (list: readonly FullThread[]) => list.map(({ id }) => id)
  assert.deepEqual(idsOf(await listAll({ unread: false })), idsOf(whole.filter((t) => !t.unread)))
  assert.deepEqual(idsOf(await listAll({ starred: false })), idsOf(whole.filter((t) => !t.starred)))
  assert.deepEqual(
    idsOf(await listAll({ hasAttachment: false })),
    idsOf(whole.filter((t) => !t.has_attachments)),
  )
  assert.deepEqual(
    idsOf(await listAll({ hasAttachment: true })),
    idsOf(whole.filter((t) => t.has_attachments)),
  )
  const { date } = whole[5]!.latest_draft_or_message
  assert.deepEqual(idsOf(await listAll({ latestMessageAfter: date! })), idsOf(whole.slice(0, 5)))
  assert.deepEqual(idsOf(await listAll({ latestMessageBefore: date! })), idsOf(whole.slice(6)))
  const earliest = whole[3]!.earliest_message_date
  assert.deepEqual(
    idsOf(await listAll({ earliestMessageDate: earliest })),
    idsOf(whole.filter((thread) => thread.earliest_message_date >= earliest)),
  )
})

test('refuses what Google lacks, and a native search beside filters', async () => {
  const rejects = (query: Partial<ThreadQuery>, kind: string) =>
    assert.rejects(list(query), (error) => error instanceof ProviderError && error.kind === kind)
  await rejects({ sharedFrom: 'x@y.example' }, 'unsupported')
  await rejects({ searchQueryNative: 'a', from: 'a@b.example' }, 'invalid-request')
  await rejects({ searchQueryNative: 'a', latestMessageAfter: 1 }, 'invalid-request')
  assert.ok((await list({ searchQueryNative: 'from:zoe' })).items.length > 0)
})

test('changes and trashes every message of a thread', async () => {
  const thread = (await listAll({})).find((one) => one.message_ids.length > 1)!
  const starred = await threads().update(session, thread.id, {
    starred: true,
    unread: false,
    folders: ['Label_2'],
  })
  assert.equal(starred.starred, true)
  assert.equal(starred.unread, false)
  for (const message of await messagesOf(thread)) {
    assert.ok(message.folders.includes('Label_2') && message.folders.includes('STARRED'))
    assert.ok(!message.folders.includes('INBOX') && !message.folders.includes('UNREAD'))
  }
  assert.deepEqual(await threads().find(session, thread.id, {}), starred)
  await threads().delete(session, thread.id, {})
  assert.ok((await threads().find(session, thread.id, {})).folders.includes('TRASH'))
  assert.ok(!(await listAll({})).some(({ id }) => id === thread.id))
  for (const id of ['ffffffffffffffff', '../x']) {
    await assert.rejects(
      threads().find(session, id, {}),
      (error) => error instanceof ProviderError && error.kind === 'not-found',
    )
  }
})

test('a page token that has expired is a clear refusal', async () => {
  for (const page of [
    await list({ limit: 3 }),
    await world.google.mail!.messages.list(session, { limit: 3, fields: 'standard' }),
  ]) {
    const cursor = JSON.parse(Buffer.from(page.nextCursor!, 'base64url').toString()) as object
    const foreign = Buffer.from(JSON.stringify({ ...cursor, p: 'foreign' })).toString('base64url')
    await assert.rejects(
      'latest_draft_or_message' in page.items[0]!
        ? list({ limit: 3, cursor: foreign })
        : world.google.mail!.messages.list(session, { limit: 3, fields: 'standard', cursor: foreign }),
      (error) =>
        error instanceof ProviderError &&
        error.kind === 'invalid-request' &&
        /page_token/.test(error.message),
    )
  }
})
