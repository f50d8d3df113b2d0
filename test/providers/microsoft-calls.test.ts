import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import type { FolderQuery, MessageQuery } from '../../src/core/ports/mail.ts'
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
afterEach(() => world.graph.intercept(null))
after(async () => {
  await world.stop()
  assert.deepEqual(world.graph.violations, [])
  assert.equal(world.graph.maxConcurrent(), 4, 'the slots are used, and no more')
})

const list = (query: Partial<MessageQuery> = {}, of: MicrosoftSession = session) =>
  world.microsoft.mail!.messages.list(of, { limit: 50, fields: 'standard', ...query })

const folderList = (query: Partial<FolderQuery> = {}) =>
  world.microsoft.mail!.folders.list(session, {
    limit: 200,
    includeHiddenFolders: false,
    singleLevel: false,
    ...query,
  })

test('many requests of one mailbox at once stay within four and all succeed', async () => {
  await Promise.all([
    ...Array.from({ length: 30 }, () => list({ limit: 3 })),
    ...Array.from({ length: 5 }, () => folderList()),
    list({ limit: 60, fields: 'raw_mime' }),
  ])
  assert.ok(world.graph.maxConcurrent() <= 4)
})

test('a request that waits for its mailbox gives up with its own deadline', async () => {
  const given = new AbortController()
  const impatient = world.session({ signal: given.signal })
  await impatient.accessToken()
  world.graph.intercept(() => {
    given.abort()
    return undefined
  })
  const busy = Promise.all(Array.from({ length: 8 }, () => list({ limit: 1 })))
  await assert.rejects(list({ limit: 1 }, impatient), fails('timeout'))
  await busy
})

test('a 401 is answered by one other token; a second one is a refusal', async () => {
  await session.accessToken()
  world.graph.tokens.expireAccessTokens()
  const { items } = await list({ limit: 5, fields: 'include_headers' })
  assert.equal(items.length, 5)
  assert.equal(session.replaced(), 1)
  world.graph.intercept(() => graphError(401, 'InvalidAuthenticationToken', 'CompactToken parsing failed'))
  const other = world.session()
  await assert.rejects(list({}, other), fails('access-refused'))
  assert.equal(other.replaced(), 1)
})

test('waits out a short Retry-After once, and passes a long or a second one on', async () => {
  const answers = [graphError(429, 'ApplicationThrottled', 'slow down', { 'retry-after': '0' })]
  world.graph.intercept(() => answers.shift())
  assert.equal((await list({ limit: 2 })).items.length, 2)
  world.graph.intercept(() => graphError(429, 'ApplicationThrottled', 'slow down', { 'retry-after': '0' }))
  await assert.rejects(
    list(),
    fails('rate-limited', ({ details }) => assert.equal(details.retryAfterSeconds, 0)),
  )
  world.graph.intercept(() => graphError(503, 'ErrorServerBusy', 'busy', { 'retry-after': '120' }))
  await assert.rejects(
    list(),
    fails('rate-limited', ({ details }) => assert.equal(details.retryAfterSeconds, 120)),
  )
})

test('a failing service is tried again before it is an error', async () => {
  const answers = [
    graphError(503, 'serviceNotAvailable', 'no'),
    graphError(500, 'ErrorInternalServerTransientError', 'no'),
  ]
  world.graph.intercept(() => answers.shift())
  assert.equal((await list({ limit: 2 })).items.length, 2)
  world.graph.intercept(() => graphError(502, 'x', 'no'))
  await assert.rejects(list(), fails('unavailable'))
})

test('never follows a next link to another address', async () => {
  for (const link of [
    'https://evil.example/v1.0/me/messages?$skip=10',
    `${world.graph.url}/elsewhere/me/messages?$skip=10`,
    `${world.graph.url}/v1.0/me/contacts?$skip=10`,
    `${world.graph.url}/v1.0/me/messages?$top=10`,
    `${world.graph.url}/v1.0/me/messages?$skip=-1`,
    'nothing',
    17,
  ]) {
    world.graph.intercept(() => ({ status: 200, body: { value: [], '@odata.nextLink': link } }))
    await assert.rejects(list(), fails('malformed-response'), String(link))
  }
})

test('pages that are empty or repeat themselves do not go on for ever', async () => {
  world.graph.intercept(() => ({
    status: 200,
    body: { value: [], '@odata.nextLink': `${world.graph.url}/v1.0/me/messages?$skip=10` },
  }))
  assert.deepEqual(await list(), { items: [] })
  assert.deepEqual(await list({ threadId: 'AAQkConv-1=' }), { items: [] })
})

test('the session hears of every request, tries included', async () => {
  const steps: readonly (() => Promise<unknown>)[] = [
    () => list({ limit: 5 }),
    () => list({ limit: 5, fields: 'include_headers', in: 'AAMkFolder-out-02=' }),
    () => folderList(),
    () => world.microsoft.mail!.threads!.list(session, { limit: 5 }),
  ]
  await session.accessToken()
  for (const step of steps) {
    const [asked, spent] = [world.graph.seen.length, session.spent()]
    let refused = false
    world.graph.intercept(() => {
      if (refused) return undefined
      refused = true
      return graphError(503, 'serviceNotAvailable', 'no')
    })
    await step()
    assert.ok(refused)
    assert.equal(session.spent() - spent, world.graph.seen.length - asked)
  }
})
