import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { appError } from '../../src/contract/errors.ts'
import type { FullMessage, MessageHeader } from '../../src/contract/message.ts'
import type { FullThread } from '../../src/contract/thread.ts'
import { createMessageTracking } from '../../src/core/mail/tracking/message-tracking.ts'
import { noteReplies } from '../../src/core/mail/tracking/replies.ts'
import { nextLookMs, WATCHED_MS } from '../../src/core/mail/tracking/reply-pace.ts'
import { createReplyWatcher, type ReplyWatcher } from '../../src/core/mail/tracking/reply-watch.ts'
import type { Mail, MessageQuery } from '../../src/core/ports/mail.ts'
import type { MessageTracking } from '../../src/core/ports/mail-services.ts'
import type { GrantRecord, OutboxEvent } from '../../src/core/ports/records.ts'
import { randomIds } from '../../src/kit/ids.ts'
import { silentLogger } from '../../src/kit/logger.ts'
import { ProviderError } from '../../src/kit/provider-error.ts'
import { dataFailure } from '../../src/core/provider-failure.ts'
import { connectorOnlyProviders } from '../support/provider-modules.ts'
import { grantRecord, type HttpApp, startHttpApp } from '../support/http-app.ts'

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS
const SENT_AT = 1_767_225_600
const SELF = 'ben@globex.example'

let app: HttpApp
let tracking: MessageTracking
let watcher: ReplyWatcher
/** By thread id, newest first, as a provider lists them. */
const threads = new Map<string, FullMessage[]>()
const drafts = new Set<string>()
const asked: MessageQuery[] = []
let fails: Error | null = null

const mail: Mail = {
  messages: {
    list(_session, query) {
      asked.push(query)
      if (fails) return Promise.reject(fails)
      const items = threads.get(query.threadId ?? '')
      if (!items) return Promise.reject(new ProviderError('not-found', 'no such thread'))
      const from = Number(query.cursor ?? 0)
      const page = items.slice(from, from + query.limit)
      const next = from + page.length
      return Promise.resolve({ items: page, ...(next < items.length ? { nextCursor: String(next) } : {}) })
    },
    find: (_session, id) => {
      const found = [...threads.values()].flat().find((message) => message.id === id)
      return found ? Promise.resolve(found) : Promise.reject(new ProviderError('not-found', 'none'))
    },
  },
  threads: {
    list: unused,
    find: (_session, id) => Promise.resolve(threadOf(id)),
    update: unused,
    delete: unused,
  },
  folders: { list: unused, find: unused },
}

function threadOf(id: string): FullThread {
  const messages = threads.get(id) ?? []
  const [latest = message('none')] = messages
  return {
    ...latest,
    id,
    object: 'thread',
    has_attachments: false,
    has_drafts: drafts.size > 0,
    earliest_message_date: 0,
    participants: [],
    message_ids: messages.map((each) => each.id),
    draft_ids: [...drafts],
    latest_draft_or_message: latest,
  }
}

function unused(): Promise<never> {
  return Promise.reject(new Error('not used here'))
}

before(async () => {
  let made: ReplyWatcher | undefined
  let tracker: MessageTracking | undefined
  app = await startHttpApp({
    services(deps) {
      const modules = connectorOnlyProviders()
      const google = modules.get('google')
      if (!google) throw new Error('no provider for tests')
      tracker = createMessageTracking({ ...deps, mode: 'anonymous', publicUrl: undefined })
      made = createReplyWatcher({
        ...deps,
        log: silentLogger,
        providers: new Map([['google', { ...google, mail }]]),
        sessions: {
          async use(_grant, _context, work) {
            try {
              return await work({} as never)
            } catch (error) {
              throw error instanceof ProviderError ? dataFailure(error) : error
            }
          },
        },
      })
      return {}
    },
  })
  if (!made || !tracker) throw new Error('the services were not made')
  watcher = made
  tracking = tracker
})
after(() => app.close())
beforeEach(() => {
  asked.length = 0
  fails = null
  drafts.clear()
  threads.clear()
})

function message(
  id: string,
  change: Partial<FullMessage> & { parents?: readonly string[] } = {},
): FullMessage {
  const { parents = [], ...fields } = change
  const headers: MessageHeader[] = [
    { name: 'Message-ID', value: `<${id}@x.example>` },
    ...(parents.length > 0
      ? [
          { name: 'In-Reply-To', value: `<${parents.at(-1) ?? ''}@x.example>` },
          { name: 'References', value: parents.map((parent) => `<${parent}@x.example>`).join('\r\n ') },
        ]
      : []),
  ]
  return {
    id,
    grant_id: 'g',
    object: 'message',
    date: SENT_AT + 60,
    created_at: SENT_AT,
    thread_id: 't',
    subject: 's',
    from: [{ email: 'ada@acme.example' }],
    to: [],
    cc: [],
    bcc: [],
    reply_to: [],
    folders: [],
    unread: true,
    starred: false,
    snippet: '',
    body: '',
    attachments: [],
    headers,
    ...fields,
  }
}

function objectOf(event: OutboxEvent | undefined): Record<string, unknown> {
  return (event?.data['object'] ?? {}) as Record<string, unknown>
}

let made = 0
/** A grant with a sent message whose thread is watched. */
async function watched(change: Partial<GrantRecord> = {}) {
  const nowSeconds = Math.floor(app.clock.nowMs() / 1000)
  const grant = grantRecord({ email: SELF, applicationId: app.applicationId, ...change })
  await app.database.stores.grants.insert({ ...grant, emailKey: grant.id })
  made += 1
  const [threadId, root] = [`t${made}`, `root${made}`]
  const options = { thread_replies: true, label: 'q1' }
  const prepared = await tracking.prepare(grant, { body: 'x', isPlaintext: true }, options)
  if (!prepared.tracking) throw new Error('nothing is tracked')
  const sent = { id: root, threadId, wire: { date: nowSeconds } }
  await tracking.sent(grant, prepared.tracking, sent)
  await tracking.sent(grant, prepared.tracking, sent)
  const own = message(root, { date: nowSeconds, from: [{ email: SELF.toUpperCase() }] })
  threads.set(threadId, [own])
  return { grant, threadId, root, own, nowSeconds }
}

async function look(afterMs: number): Promise<readonly OutboxEvent[]> {
  app.clock.advance(afterMs)
  const before = new Set((await app.database.stores.outbox.list(app.applicationId, 1000)).map(({ id }) => id))
  await watcher.lookAtDue(new AbortController().signal)
  const events = await app.database.stores.outbox.list(app.applicationId, 1000)
  return events.filter(({ id }) => !before.has(id))
}

test('tells of each reply once, with how many there are', async () => {
  const { grant, threadId, root, own, nowSeconds } = await watched()
  assert.deepEqual(await look(0), [])
  assert.equal(asked.length, 0)
  const first = message('r1', { date: nowSeconds + 30, parents: [root] })
  threads.set(threadId, [first, own])
  const [event, ...others] = await look(2 * MINUTE_MS)
  assert.deepEqual(others, [])
  assert.deepEqual([event?.trigger, event?.source], ['thread.replied', '/com/nylas/tracking'])
  assert.deepEqual(event?.data, {
    grant_id: grant.id,
    object: {
      object: 'thread',
      grant_id: grant.id,
      message_id: 'r1',
      root_message_id: root,
      reply_to_message_id: root,
      reply_data: { count: 1 },
      from_self: false,
      thread_id: threadId,
      label: 'q1',
      sender_app_id: app.applicationId,
      timestamp: nowSeconds + 30,
    },
  })
  assert.deepEqual(await look(DAY_MS), [])
  const second = message('r2', { date: nowSeconds + 60, parents: [root, 'r1'], from: [{ email: SELF }] })
  threads.set(threadId, [second, first, own])
  const [next] = await look(DAY_MS)
  const { message_id, reply_to_message_id, reply_data, from_self } = objectOf(next)
  assert.deepEqual([message_id, reply_to_message_id, reply_data, from_self], ['r2', 'r1', { count: 2 }, true])
})

test('knows what was there before, copies of the message itself and drafts from replies', async () => {
  const { threadId, root, nowSeconds } = await watched()
  const late = { date: nowSeconds + 5 }
  drafts.add('draft')
  threads.set(threadId, [
    message('draft', { ...late, parents: [root], from: [{ email: SELF }] }),
    message('early', { date: nowSeconds - 3, parents: [root] }),
    message('copy', {
      ...late,
      from: [{ email: SELF }],
      headers: [{ name: 'message-id', value: `<${root}@x.example>` }],
    }),
    message(root, { date: nowSeconds, from: [{ email: SELF }], parents: ['old', 'asked'] }),
    message('asked', late),
    message('old', { date: nowSeconds - 100 }),
  ])
  const events = await look(2 * MINUTE_MS)
  assert.deepEqual(
    events.map(({ data }) => (data['object'] as { message_id: string }).message_id),
    ['early'],
  )
})

test('reads on while everything is new', async () => {
  const { threadId, own, nowSeconds } = await watched()
  const replies = Array.from({ length: 45 }, (_, index) =>
    message(`n${index}`, { date: nowSeconds + 100 - index }),
  )
  threads.set(threadId, [...replies, own])
  assert.equal((await look(2 * MINUTE_MS)).length, 45)
  assert.equal(asked.filter((query) => query.threadId === threadId).length, 3)
})

test('asks rarer the longer a thread is quiet, and no more after thirty days', async () => {
  const { threadId } = await watched()
  const looksAfter = async (minutes: number) => {
    asked.length = 0
    await look(minutes * MINUTE_MS)
    return asked.filter((query) => query.threadId === threadId).length
  }
  for (const [minutes, looks] of [
    [1, 0],
    [1, 1],
    [1, 0],
    [1, 1],
    [3 * 24 * 60, 1],
    [5 * 60, 0],
    [60, 1],
    [26 * 24 * 60, 1],
    [2 * 24 * 60, 0],
    [365 * 24 * 60, 0],
  ] as const) {
    assert.equal(await looksAfter(minutes), looks)
  }
  let [quietMs, looks] = [0, 0]
  for (; quietMs < WATCHED_MS; quietMs += nextLookMs(quietMs)) looks += 1
  assert.ok(looks < 200, String(looks))
})

test('leaves invalid grants alone, and goes on once they are valid', async () => {
  const { grant, threadId, own, nowSeconds } = await watched({ status: 'invalid' })
  threads.set(threadId, [message('r', { date: nowSeconds + 1 }), own])
  assert.deepEqual(await look(2 * MINUTE_MS), [])
  assert.ok(asked.every((query) => query.threadId !== threadId))
  const kept = await app.database.stores.grants.find(grant.applicationId, grant.id)
  if (!kept) throw new Error('the grant is gone')
  await app.database.stores.grants.update({ ...kept, status: 'valid' })
  assert.equal((await look(61 * MINUTE_MS)).length, 1)
})

test('tries again after a failure, and gives a thread up that is gone', async () => {
  const { threadId, own, nowSeconds } = await watched()
  threads.set(threadId, [message('late', { date: nowSeconds + 1 }), own])
  fails = appError('api.provider_error')
  assert.deepEqual(await look(2 * MINUTE_MS), [])
  fails = null
  assert.deepEqual(await look(5 * MINUTE_MS), [])
  assert.equal((await look(11 * MINUTE_MS)).length, 1)
  threads.delete(threadId)
  await look(DAY_MS)
  asked.length = 0
  await look(DAY_MS)
  assert.ok(asked.every((query) => query.threadId !== threadId))
})

test('asks for the thread where messages cannot be listed by it', async () => {
  const { threadId, own, nowSeconds } = await watched()
  threads.set(threadId, [own, message('found', { date: nowSeconds + 1 })])
  fails = new ProviderError('unsupported', 'thread_id is not supported')
  assert.equal((await look(2 * MINUTE_MS)).length, 1)
})

test('a poll and a feed that find the same reply at once tell of it once', async () => {
  const { grant, threadId, own, nowSeconds } = await watched()
  const deps = { database: app.database, clock: app.clock, ids: randomIds }
  const thread = [message('twice', { date: nowSeconds + 1 }), own]
  const noted = await Promise.all([1, 2, 3].map(() => noteReplies(deps, grant, threadId, thread)))
  assert.deepEqual(
    noted.toSorted((a, b) => a - b),
    [0, 0, 1],
  )
  await app.database.stores.grants.delete(grant.applicationId, grant.id)
  assert.equal(await noteReplies(deps, grant, threadId, [message('r9', { date: nowSeconds + 9 })]), 0)
})
