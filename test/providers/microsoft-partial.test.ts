// Answers that are right in part: batches of which a step fails, pages whose place is gone.
import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import type { MessageQuery } from '../../src/core/ports/mail.ts'
import { fails } from '../support/fake-graph/fails.ts'
import { graphError } from '../support/fake-graph/graph-mail.ts'
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
afterEach(() => world.graph.intercept(null))
after(async () => {
  await world.stop()
  assert.deepEqual(world.graph.violations, [])
  assert.ok(world.graph.maxConcurrent() <= 4)
})

const threads = () => world.microsoft.mail!.threads!.list(session, { limit: 5 })
const messages = (query: Partial<MessageQuery> = {}) =>
  world.microsoft.mail!.messages.list(session, { limit: 2, fields: 'standard', ...query })
const isConversation = (path: string) => decodeURIComponent(path).includes('conversationId eq')

/** Lets the first steps that read a conversation fail. */
function failConversations(
  times: number,
  status: number,
  code: string,
  headers: Record<string, string> = {},
) {
  let left = times
  world.graph.intercept(({ path }) => {
    if (!isConversation(path) || left === 0) return undefined
    left -= 1
    return graphError(status, code, 'no', headers)
  })
}

test('a page of threads is whole although a step of its batch was throttled', async () => {
  const whole = await threads()
  failConversations(2, 429, 'ApplicationThrottled', { 'Retry-After': '0' })
  assert.deepEqual(await threads(), whole)
  failConversations(1, 503, 'ServiceUnavailable', { 'Retry-After': '0' })
  assert.deepEqual(await threads(), whole)
})

test('a step that goes on failing fails the page, which is never given in part', async () => {
  failConversations(1, 429, 'ApplicationThrottled', { 'Retry-After': '60' })
  await assert.rejects(
    threads(),
    fails('rate-limited', ({ details }) => assert.equal(details.retryAfterSeconds, 60)),
  )
  failConversations(Infinity, 429, 'ApplicationThrottled', { 'Retry-After': '0' })
  await assert.rejects(threads(), fails('rate-limited'))
  failConversations(Infinity, 500, 'ErrorInternalServerError', { 'Retry-After': '0' })
  await assert.rejects(threads(), fails('unavailable'))
  failConversations(1, 403, 'ErrorAccessDenied')
  await assert.rejects(threads(), fails('scope-missing'))
})

test('a batch that is throttled as a whole is sent once more', async () => {
  const whole = await threads()
  const answers = [graphError(429, 'TooManyRequests', 'slow down', { 'retry-after': '0' })]
  world.graph.intercept(({ path }) => (path.startsWith('/$batch') ? answers.shift() : undefined))
  assert.deepEqual(await threads(), whole)
})

test('a batch that leaves a step out is a malformed response', async () => {
  world.graph.intercept(({ path }) =>
    path.startsWith('/$batch') ? { status: 200, body: { responses: [] } } : undefined,
  )
  await assert.rejects(threads(), fails('malformed-response'))
})

test('batches and single requests share the four slots of a mailbox', async () => {
  let throttled = 0
  await Promise.all([
    ...Array.from({ length: 6 }, () => threads()),
    ...Array.from({ length: 12 }, () => messages()),
  ]).catch(() => {
    throttled += 1
  })
  assert.equal(throttled, 0)
  assert.equal(world.graph.maxConcurrent(), 4)
})

test('an old attachment that cannot be removed is told, one that is gone is not', async () => {
  const drafts = world.microsoft.mail!.drafts!
  const file = (name: string) => outgoingFile(name, Buffer.from(name))
  const draft = await drafts.create(session, outgoing({ attachments: [file('a.txt'), file('b.txt')] }))
  const refuse = (status: number, code: string) => {
    let left = 1
    world.graph.intercept(({ method }) =>
      method === 'DELETE' && left-- > 0 ? graphError(status, code, 'no') : undefined,
    )
  }
  refuse(403, 'ErrorAccessDenied')
  await assert.rejects(
    drafts.update(session, draft.id, { attachments: [file('c.txt')] }),
    fails('scope-missing'),
  )
  refuse(404, 'ErrorItemNotFound')
  await drafts.update(session, draft.id, { attachments: [file('d.txt')] })
})

test('the place of a search that Graph no longer knows is a clear refusal', async () => {
  const walk = async () => {
    let cursor: string | undefined
    do {
      const page: Awaited<ReturnType<typeof messages>> = await messages({
        to: 'ada@contoso.example',
        limit: 20,
        ...(cursor === undefined ? {} : { cursor }),
      })
      cursor = page.nextCursor
    } while (cursor !== undefined)
  }
  await walk()
  for (const [status, code] of [
    [400, 'ErrorInvalidUrlQuery'],
    [410, 'SyncStateNotFound'],
    [410, 'ResyncRequired'],
  ] as const) {
    world.graph.intercept(({ path }) =>
      path.includes('skiptoken') ? graphError(status, code, 'no longer valid') : undefined,
    )
    await assert.rejects(
      walk(),
      fails('invalid-request', ({ message }) => assert.match(message, /page_token/)),
      code,
    )
  }
})
