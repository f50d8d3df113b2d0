import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import type { Mail } from '../../src/core/ports/mail.ts'
import type { GrantRecord } from '../../src/core/ports/records.ts'
import { ProviderError } from '../../src/kit/provider-error.ts'
import { aMessage, type MailWorld, startMailWorld } from '../support/mail-world.ts'

let world: MailWorld
let grant: GrantRecord
let base: string
let gone = new Set<string>()

const google: Mail = {
  messages: {
    list: async (session) => ({ items: ['m1', 'm2', 'm3'].map((id) => aMessage(session.grantId, id)) }),
    find: async (session, id, { fields }) => {
      session.spend({ requests: 1 })
      if (gone.has(id)) throw new ProviderError('not-found', 'no such message')
      if (id === 'broken') throw new ProviderError('unavailable', 'the provider fails')
      if (fields !== 'raw_mime') return aMessage(session.grantId, id)
      return { id, grant_id: session.grantId, object: 'message', raw_mime: 'eA' }
    },
  },
  messageChanges: {
    update: async (session, id) => {
      if (id === 'broken') throw new ProviderError('unavailable', 'the provider fails')
      return aMessage(session.grantId, id === 'm.here' ? 'm.there' : id)
    },
    delete: async () => undefined,
  },
  folders: { list: async () => ({ items: [] }), find: () => Promise.reject(new Error('not asked')) },
}

before(async () => {
  world = await startMailWorld({ google })
})
after(() => world.stop())
beforeEach(async () => {
  gone = new Set()
  grant = await world.addGrant()
  base = `/v3/grants/${grant.id}/messages`
})

const call = (method: string, path: string, body?: unknown) => world.app.call(method, base + path, body)

async function put(id: string, metadata: object): Promise<void> {
  const answer = await call('PUT', `/${id}`, { metadata })
  assert.equal(answer.status, 200, answer.text)
}

async function idsOf(query: string): Promise<readonly string[]> {
  const { body } = await call('GET', `?${query}`)
  return body.data.map(({ id }: { id: string }) => id)
}

test('keeps metadata with a message: a new object replaces the old one whole, an empty one clears it', async () => {
  const first = await call('PUT', '/m1', { metadata: { key1: 'finance', other: 'é "x"' } })
  const message = aMessage(grant.id, 'm1')
  assert.deepEqual(first.body, {
    request_id: first.body.request_id,
    data: { ...message, metadata: { key1: 'finance', other: 'é "x"' } },
  })
  const second = await call('PUT', '/m1', { unread: false, metadata: { key2: '' } })
  assert.deepEqual(second.body.data.metadata, { key2: '' })
  assert.deepEqual((await call('PUT', '/m1', { unread: true })).body.data.metadata, { key2: '' })
  assert.deepEqual((await call('GET', '/m1')).body.data, { ...message, metadata: { key2: '' } })
  assert.deepEqual(
    (await call('GET', '')).body.data.map(({ metadata }: { metadata?: object }) => metadata),
    [{ key2: '' }, undefined, undefined],
  )
  await put('m1', {})
  assert.deepEqual((await call('GET', '/m1')).body.data, message)
})

test('metadata goes with a message whose id names the place it was moved from', async () => {
  await put('m.here', { key1: 'kept' })
  const moved = await call('PUT', '/m.here', { folders: ['There'] })
  assert.deepEqual([moved.body.data.id, moved.body.data.metadata], ['m.there', { key1: 'kept' }])
  assert.deepEqual(await idsOf('metadata_pair=key1:kept'), ['m.there'])
})

test('metadata is not part of raw_mime, and comes when it is selected', async () => {
  await put('m1', { key1: 'v' })
  const raw = await call('GET', '/m1?fields=raw_mime')
  assert.deepEqual(raw.body.data, { id: 'm1', grant_id: grant.id, object: 'message', raw_mime: 'eA' })
  assert.deepEqual((await call('GET', '/m1?select=metadata')).body.data, { metadata: { key1: 'v' } })
  assert.deepEqual((await call('GET', '/m1?select=id')).body.data, { id: 'm1' })
})

test('takes 50 pairs of 500 characters and not one more of either', async () => {
  const pairs = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, 'v']))
  await put('m1', { ...pairs(49), key1: '✉'.repeat(499) + '👋' })
  for (const [metadata, message] of [
    [pairs(51), 'metadata takes at most 50 pairs'],
    [{ key1: 'x'.repeat(501) }, 'metadata.key1 has at most 500 characters'],
    [{ key1: { nested: 'x' } }, 'metadata.key1 must be a string'],
    [{ ['k'.repeat(501)]: 'x' }, 'a key of metadata has at most 500 characters'],
  ] as const) {
    const answer = await call('PUT', '/m1', { metadata })
    assert.equal(answer.status, 400)
    assert.deepEqual(answer.body.error, { type: 'api.invalid_request_error', message })
  }
  assert.equal(Object.keys((await call('GET', '/m1')).body.data.metadata).length, 50)
})

test('keeps what a message had when the change fails at the provider', async () => {
  assert.equal((await call('PUT', '/broken', { unread: true, metadata: { key1: 'v' } })).status, 504)
  assert.deepEqual(await idsOf('metadata_pair=key1:v'), [])
})

test('finds messages by a pair of key1 to key5, newest first, and pages through them', async () => {
  for (const id of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) await put(id, { key3: 'v, w', key6: 'v' })
  await put('other', { key3: 'v' })
  const pair = 'metadata_pair=key3:v,%20w'
  assert.deepEqual(await idsOf(pair), ['g', 'f', 'e', 'd', 'c', 'b', 'a'])
  const first = await call('GET', `?${pair}&limit=5`)
  assert.deepEqual(
    first.body.data.map(({ metadata }: { metadata: object }) => metadata),
    Array.from({ length: 5 }, () => ({ key3: 'v, w', key6: 'v' })),
  )
  const token = first.body.next_cursor
  assert.deepEqual(await idsOf(`${pair}&limit=5&page_token=${token}`), ['b', 'a'])
  assert.equal((await call('GET', `?${pair}&limit=2&page_token=${token}`)).body.next_cursor, undefined)
  const foreign = await call('GET', `?metadata_pair=key3:v&page_token=${token}`)
  assert.equal(foreign.status, 400)
  assert.deepEqual(await idsOf('metadata_pair=key3:V'), [])
  assert.deepEqual((await call('GET', `?${pair}&limit=1&select=id`)).body.data, [{ id: 'g' }])
})

test('skips messages that are gone at the provider, also when whole pages of them are', async () => {
  const ids = Array.from({ length: 12 }, (_, n) => `n${n}`)
  for (const id of ids) await put(id, { key1: 'v' })
  gone = new Set(ids.slice(1))
  const found: string[] = []
  let cursor: string | undefined
  let pages = 0
  do {
    const query = `?metadata_pair=key1:v&limit=2${cursor ? `&page_token=${cursor}` : ''}`
    const { body } = await call('GET', query)
    found.push(...body.data.map(({ id }: { id: string }) => id))
    cursor = body.next_cursor
    pages += 1
  } while (cursor !== undefined)
  assert.deepEqual(found, ['n0'])
  assert.ok(pages <= 2)
})

test('answers the error when the provider fails while messages are found by a pair', async () => {
  const { database } = world.app.application
  const owner = { grantId: grant.id, applicationId: grant.applicationId, kind: 'message' as const }
  await database.transaction((stores) => stores.metadata.put(owner, 'broken', { key1: 'v' }, ['key1:v']))
  assert.equal((await call('GET', '?metadata_pair=key1:v')).status, 504)
})

test('metadata goes with a message that is deleted for good, not with one in the trash', async () => {
  await put('m1', { key1: 'v' })
  await call('DELETE', '/m1')
  assert.deepEqual(await idsOf('metadata_pair=key1:v'), ['m1'])
  await call('DELETE', '/m1?hard_delete=true')
  assert.deepEqual(await idsOf('metadata_pair=key1:v'), [])
  assert.equal((await call('GET', '/m1')).body.data.metadata, undefined)
})

test('another grant with the same message ids sees nothing of it', async () => {
  await put('m1', { key1: 'v' })
  const other = await world.addGrant()
  const path = `/v3/grants/${other.id}/messages`
  assert.deepEqual((await world.app.call('GET', `${path}?metadata_pair=key1:v`)).body.data, [])
  assert.equal((await world.app.call('GET', `${path}/m1`)).body.data.metadata, undefined)
})
