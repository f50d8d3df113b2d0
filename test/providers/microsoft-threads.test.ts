import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import type { FullThread } from '../../src/contract/thread.ts'
import type { ThreadQuery } from '../../src/core/ports/mail.ts'
import { fails } from '../support/fake-graph/fails.ts'
import { graphError } from '../support/fake-graph/graph-mail.ts'
import { type FakeMessage, NEWEST_SECONDS } from '../support/fake-graph/seed.ts'
import {
  type MicrosoftSession,
  type MicrosoftWorld,
  startMicrosoftWorld,
} from '../support/fake-graph/world.ts'

let world: MicrosoftWorld
let session: MicrosoftSession
beforeEach(async () => {
  world = await startMicrosoftWorld()
  session = world.session()
})
afterEach(async () => {
  await world.stop()
  assert.deepEqual(world.graph.violations, [])
  assert.ok(world.graph.maxConcurrent() <= 4)
})

const threads = () => world.microsoft.mail!.threads!
const list = (query: Partial<ThreadQuery> = {}) => threads().list(session, { limit: 20, ...query })
const find = (id: string) => threads().find(session, id, {})
const mailbox = () => world.graph.mailboxes.get('ada@contoso.example')!
const idOf = (at: number) => `AAMkMsg-${String(at).padStart(4, '0')}=`

async function listAll(
  query: Partial<ThreadQuery>,
  limit: number,
  between = () => {},
): Promise<FullThread[]> {
  const all: FullThread[] = []
  let cursor: string | undefined
  for (let pages = 0; pages < 100; pages += 1) {
    const page = await list({ ...query, limit, ...(cursor === undefined ? {} : { cursor }) })
    assert.ok(page.items.length <= limit)
    all.push(...page.items)
    cursor = page.nextCursor
    if (cursor === undefined) return all
    between()
  }
  throw new Error('the list does not end')
}

/** Conversations of the seed by number: each has four messages, but for the one whose message has none. */
const CONVERSATIONS = Array.from({ length: 18 }, (_, at) => `AAQkConv-${at}=`)

test('lists threads by their newest message, each once, with the newest message whole', async () => {
  for (const limit of [3, 20]) {
    const all = await listAll({}, limit)
    assert.deepEqual(
      all.map(({ id }) => id),
      CONVERSATIONS,
      `limit ${limit}`,
    )
    const dates = all.map((thread) => thread.latest_draft_or_message.date)
    assert.deepEqual(
      dates,
      dates.toSorted((one, other) => Number(other) - Number(one)),
    )
    assert.equal(all[0]?.latest_draft_or_message.body, '<html><body><p>Grüße 0 👋</p></body></html>')
    assert.equal(all[0]?.latest_draft_or_message.attachments?.length, 1)
  }
})

test('a page costs its lists and its conversations, four in a call', async () => {
  await list({ limit: 1 }) // which folder is which is known from here on
  const from = world.graph.seen.length
  assert.equal((await list({ limit: 8 })).items.length, 8)
  const paths = world.graph.seen.slice(from).map(({ path }) => path.split('?')[0])
  assert.deepEqual(paths, ['/me/messages', '/$batch', '/me/messages', '/$batch'])
})

test('maps every field of a thread', async () => {
  const thread = await find('AAQkConv-2=')
  const { latest_draft_or_message: latest, participants, ...rest } = thread
  assert.deepEqual(rest, {
    id: 'AAQkConv-2=',
    grant_id: 'grant-1',
    object: 'thread',
    subject: 'Invoice 11',
    snippet: 'Preview 8 of a text',
    starred: false,
    unread: true,
    has_attachments: true,
    has_drafts: true,
    earliest_message_date: NEWEST_SECONDS - 11 * 3600,
    latest_message_received_date: NEWEST_SECONDS - 8 * 3600,
    message_ids: [idOf(9), idOf(8)],
    draft_ids: [idOf(11), idOf(10)],
    folders: ['AAMkFolder-in-01=', 'AAMkFolder-dra-03='],
  })
  assert.deepEqual(
    [latest.id, latest.object, latest.body],
    [idOf(8), 'message', '<html><body><p>Grüße 8 👋</p></body></html>'],
  )
  assert.ok(participants.some(({ email }) => email === 'ben@globex.example'))
  assert.equal(new Set(participants.map(({ email }) => email)).size, participants.length)
  const sent = await find('AAQkConv-1=')
  assert.equal(sent.latest_message_sent_date, NEWEST_SECONDS - 7 * 3600)
})

const numberOf = (id: string) => Number(/\d+/.exec(id))
const messagesOf = (id: string) => mailbox().messages.filter((one) => one.conversationId === id)
const FILTERS: readonly [string, Partial<ThreadQuery>, (messages: readonly FakeMessage[]) => boolean][] = [
  ['unread', { unread: true }, (all) => all.some((one) => one.isRead === false)],
  ['starred', { starred: true }, (all) => all.some((one) => one.flag?.flagStatus === 'flagged')],
  ['subject', { subject: 'REPORT 1' }, (all) => all.some((one) => /report 1/i.test(one.subject ?? ''))],
  ['in', { in: 'AAMkFolder-q1-08=' }, (all) => all.some((one) => one.parentFolderId === 'AAMkFolder-q1-08=')],
  [
    'from',
    { from: 'zoe@partner.example' },
    (all) => all.some((one) => one.from?.emailAddress.address === 'zoe@partner.example'),
  ],
  [
    'to',
    { to: 'team@contoso.example' },
    (all) =>
      all.some((one) => one.toRecipients?.some((to) => to.emailAddress.address === 'team@contoso.example')),
  ],
  [
    'any_email and unread',
    { anyEmail: ['carol@globex.example'], unread: true },
    (all) =>
      all.some(
        (one) =>
          one.isRead === false &&
          [...(one.ccRecipients ?? []), ...(one.bccRecipients ?? [])].some(
            (to) => to.emailAddress.address === 'carol@globex.example',
          ),
      ),
  ],
  ['has_attachment', { hasAttachment: true }, (all) => all.some((one) => one.hasAttachments === true)],
  [
    'native search',
    { searchQueryNative: 'from:zoe' },
    (all) => all.some((one) => one.from?.emailAddress.address === 'zoe@partner.example'),
  ],
  [
    'native filter',
    { searchQueryNative: '$filter=isRead eq false' },
    (all) => all.some((one) => one.isRead === false),
  ],
  [
    'latest_message_after',
    { latestMessageAfter: NEWEST_SECONDS - 20 * 3600 },
    (all) => Math.max(...all.map(dateOf)) > NEWEST_SECONDS - 20 * 3600,
  ],
  [
    'latest_message_before and subject',
    { latestMessageBefore: NEWEST_SECONDS - 20 * 3600, subject: 'invoice' },
    (all) =>
      Math.max(...all.map(dateOf)) < NEWEST_SECONDS - 20 * 3600 &&
      all.some((one) => /invoice/i.test(one.subject ?? '')),
  ],
  [
    'latest_message_after and unread',
    { latestMessageAfter: NEWEST_SECONDS - 30 * 3600, unread: true },
    (all) =>
      Math.max(...all.map(dateOf)) > NEWEST_SECONDS - 30 * 3600 && all.some((one) => one.isRead === false),
  ],
  [
    'earliest_message_date',
    { earliestMessageDate: NEWEST_SECONDS - 11 * 3600 },
    (all) => Math.min(...all.map(dateOf)) >= NEWEST_SECONDS - 11 * 3600,
  ],
  ['no unread message', { unread: false }, (all) => all.every((one) => one.isRead !== false)],
  ['no starred message', { starred: false }, (all) => all.every((one) => one.flag?.flagStatus !== 'flagged')],
  [
    'no attachment, and a sender',
    { hasAttachment: false, from: 'zoe@partner.example' },
    (all) =>
      all.every((one) => one.hasAttachments !== true) &&
      all.some((one) => one.from?.emailAddress.address === 'zoe@partner.example'),
  ],
  ['thread_id', { threadId: 'AAQkConv-3=' }, (all) => all[0]?.conversationId === 'AAQkConv-3='],
  ['thread_id that does not fit', { threadId: 'AAQkConv-3=', subject: 'nothing' }, () => false],
]
const dateOf = (one: FakeMessage) => Date.parse(one.receivedDateTime ?? '') / 1000

for (const [name, query, fits] of FILTERS) {
  test(`filters threads by ${name}, paged or whole`, async () => {
    const expected = CONVERSATIONS.filter((id) => fits(messagesOf(id)))
    for (const limit of [2, 50]) {
      const found = (await listAll(query, limit)).map(({ id }) => id)
      assert.deepEqual(
        found.toSorted((a, b) => numberOf(a) - numberOf(b)),
        expected,
        `limit ${limit}`,
      )
    }
  })
}

test('paging repeats and loses no thread while mail arrives and leaves', async () => {
  let round = 0
  const all = await listAll({}, 4, () => {
    round += 1
    const template = mailbox().messages[0]!
    const arrived = {
      ...template,
      id: `AAMkNew-${round}=`,
      conversationId: 'AAQkConv-17=',
      receivedDateTime: '2026-02-01T00:00:00Z',
    }
    mailbox().messages.unshift(arrived)
    if (round === 1)
      mailbox().messages.splice(
        mailbox().messages.findIndex(({ id }) => id === idOf(2)),
        1,
      )
  })
  assert.deepEqual(all.map(({ id }) => id).toSorted(), CONVERSATIONS.toSorted())
})

test('a change goes to every message of the thread and shows in the answer', async () => {
  const thread = await threads().update(session, 'AAQkConv-1=', {
    unread: true,
    starred: true,
    folders: ['AAMkFolder-prj-06='],
  })
  assert.deepEqual([thread.unread, thread.starred, thread.folders], [true, true, ['AAMkFolder-prj-06=']])
  assert.deepEqual(thread.latest_draft_or_message.folders, ['AAMkFolder-prj-06='])
  assert.equal(thread.message_ids.length, 4)
  for (const { isRead, flag, parentFolderId } of messagesOf('AAQkConv-1=')) {
    assert.deepEqual([isRead, flag?.flagStatus, parentFolderId], [false, 'flagged', 'AAMkFolder-prj-06='])
  }
  assert.deepEqual(await find('AAQkConv-1='), thread)
  await assert.rejects(
    threads().update(session, 'AAQkConv-1=', { folders: ['a-1', 'b-2'] }),
    fails('invalid-request'),
  )
})

test('deleting moves the thread into the trash; its messages are still there', async () => {
  await threads().delete(session, 'AAQkConv-4=', {})
  assert.ok(messagesOf('AAQkConv-4=').every(({ parentFolderId }) => parentFolderId === 'AAMkFolder-del-04='))
  assert.deepEqual((await find('AAQkConv-4=')).folders, ['AAMkFolder-del-04='])
})

test('a message that cannot be changed is told, with how many were', async () => {
  world.graph.intercept(({ method, path }) =>
    method === 'PATCH' && path.includes('0005') ? graphError(403, 'ErrorAccessDenied', 'no') : undefined,
  )
  await assert.rejects(
    threads().update(session, 'AAQkConv-1=', { unread: false }),
    fails('scope-missing', ({ message }) => assert.match(message, /^3 of 4 /)),
  )
  let refused = 0
  world.graph.intercept(({ method, path }) => {
    if (method !== 'PATCH' || !path.includes('0005') || refused++ > 0) return undefined
    return graphError(429, 'ApplicationThrottled', 'slow down', { 'Retry-After': '0' })
  })
  assert.equal((await threads().update(session, 'AAQkConv-1=', { unread: false })).unread, false)
})

test('an unknown thread is not found', async () => {
  for (const id of ['AAQkNowhere=', "a' or 1 eq 1"]) {
    await assert.rejects(find(id), fails('not-found'))
    await assert.rejects(threads().delete(session, id, {}), fails('not-found'))
  }
})

test('threads of a shared mailbox', async () => {
  const { items } = await list({ sharedFrom: 'team@contoso.example', in: 'AAMkFolder-in-01=' })
  assert.deepEqual(
    items.map(({ id }) => id),
    ['AAQkConv-Team0=', 'AAQkConv-Team1='],
  )
  const thread = await threads().find(session, 'AAQkConv-Team0=', { sharedFrom: 'team@contoso.example' })
  assert.equal(thread.message_ids.length, 4)
  await assert.rejects(list({ sharedFrom: 'team@contoso.example' }), fails('invalid-request'))
})
