import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MetadataStore } from '../../src/core/ports/mail-stores-metadata.ts'
import { aGrant } from './records.ts'
import type { Subject } from './suite.ts'

/** Metadata of messages and drafts. */
export function coversMetadata(subject: Subject): void {
  const stores = () => subject().database.stores

  async function insertOwner() {
    const grant = aGrant()
    assert.equal(await stores().grants.insert(grant), true)
    return { grant, applicationId: grant.applicationId, grantId: grant.id, kind: 'message' as const }
  }

  const put = (...args: Parameters<MetadataStore['put']>) =>
    subject().database.transaction(({ metadata }) => metadata.put(...args))

  test('replaces the metadata of an object whole, and finds it by its newest pairs only', async () => {
    const owner = await insertOwner()
    const longId = `<${'é'.repeat(3_000)}@x>`
    await put(owner, longId, { key1: 'a', other: '"' }, ['key1:a'])
    await put(owner, 'm2', { key1: 'a' }, ['key1:a'])
    const { metadata } = stores()
    assert.deepEqual(
      await metadata.find(owner, [longId, 'm2', 'm3']),
      new Map([
        [longId, { key1: 'a', other: '"' }],
        ['m2', { key1: 'a' }],
      ]),
    )
    const page = { limit: 5 }
    const ids = async (pair: string) =>
      (await metadata.listWithPair(owner, pair, page)).map(({ objectId }) => objectId)
    assert.deepEqual(await ids('key1:a'), ['m2', longId])
    await put(owner, longId, { key2: 'b' }, ['key2:b'])
    assert.deepEqual(await metadata.find(owner, [longId]), new Map([[longId, { key2: 'b' }]]))
    assert.deepEqual([await ids('key1:a'), await ids('key2:b')], [['m2'], [longId]])
    assert.deepEqual(await metadata.find(owner, []), new Map())
  })

  test('pages through a pair, newest first, and keeps grants and kinds apart', async () => {
    const owner = await insertOwner()
    const other = await insertOwner()
    const drafts = { ...owner, kind: 'draft' as const }
    for (const id of ['a', 'b', 'c']) await put(owner, id, { key5: 'v' }, ['key5:v'])
    await put(other, 'a', { key5: 'v', of: 'other' }, ['key5:v'])
    await put(drafts, 'a', { key5: 'v', of: 'drafts' }, ['key5:v'])
    const { metadata } = stores()
    const [c, b] = await metadata.listWithPair(owner, 'key5:v', { limit: 2 })
    assert.deepEqual([c?.objectId, b?.objectId], ['c', 'b'])
    const rest = await metadata.listWithPair(owner, 'key5:v', { limit: 2, beforeSeq: b?.seq ?? 0 })
    assert.deepEqual(
      rest.map(({ objectId }) => objectId),
      ['a'],
    )
    assert.deepEqual(await metadata.find(drafts, ['a']), new Map([['a', { key5: 'v', of: 'drafts' }]]))
    await metadata.remove(owner, 'a')
    await metadata.remove(owner, 'a')
    assert.equal((await metadata.find(owner, ['a'])).size, 0)
    assert.equal((await metadata.find(other, ['a'])).size, 1)
    assert.equal((await metadata.listWithPair(owner, 'key5:v', { limit: 9 })).length, 2)
  })

  test('lets two processes write the same object at once: one of both is kept, whole', async () => {
    const owner = await insertOwner()
    const second = await subject().other()
    const write = (value: string) => [owner, 'm', { key1: value }, [`key1:${value}`]] as const
    await Promise.all([put(...write('a')), second.transaction(({ metadata }) => metadata.put(...write('b')))])
    const { metadata } = stores()
    const kept = (await metadata.find(owner, ['m'])).get('m')?.['key1']
    const found = async (value: string) =>
      (await metadata.listWithPair(owner, `key1:${value}`, { limit: 9 })).length
    assert.deepEqual([await found('a'), await found('b')], kept === 'a' ? [1, 0] : [0, 1])
  })

  test('metadata goes with its grant', async () => {
    const owner = await insertOwner()
    await put(owner, 'm', { key1: 'v' }, ['key1:v'])
    assert.equal(await stores().grants.delete(owner.applicationId, owner.grantId), true)
    assert.equal((await stores().metadata.find(owner, ['m'])).size, 0)
    assert.equal((await stores().metadata.listWithPair(owner, 'key1:v', { limit: 9 })).length, 0)
  })
}
