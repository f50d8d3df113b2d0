import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import type { FolderQuery } from '../../src/core/ports/mail.ts'
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

const folderList = (query: Partial<FolderQuery> = {}) =>
  world.microsoft.mail!.folders.list(session, {
    limit: 200,
    includeHiddenFolders: false,
    singleLevel: false,
    ...query,
  })

test('folders: the whole tree, each folder before its children, attributes whatever the language', async () => {
  const { items, nextCursor } = await folderList()
  assert.equal(nextCursor, undefined)
  assert.deepEqual(
    items.map(({ name, attributes }) => [name, ...attributes]),
    [
      ['Posteingang', '\\Inbox'],
      ['Rechnungen'],
      ['Gesendete Elemente', '\\Sent'],
      ['Entwürfe', '\\Drafts'],
      ['Gelöschte Elemente', '\\Trash'],
      ['Junk-E-Mail', '\\Junk'],
      ['Projekte'],
      ['2026'],
      ['Q1 – Übersicht'],
    ],
  )
  assert.deepEqual(items[1], {
    id: 'AAMkFolder-sub-09=',
    grant_id: 'grant-1',
    object: 'folder',
    name: 'Rechnungen',
    parent_id: 'AAMkFolder-in-01=',
    child_count: 0,
    total_count: 0,
    unread_count: 0,
    system_folder: false,
    attributes: [],
  })
  assert.equal(items[0]?.system_folder, true)
})

test('folders: one level, one parent, hidden ones', async () => {
  const names = async (query: Partial<FolderQuery>) => (await folderList(query)).items.map(({ name }) => name)
  assert.equal((await names({ singleLevel: true })).length, 6)
  assert.deepEqual(await names({ parentId: 'AAMkFolder-prj-06=' }), ['2026', 'Q1 – Übersicht'])
  assert.deepEqual(await names({ parentId: 'AAMkFolder-prj-06=', singleLevel: true }), ['2026'])
  assert.ok((await names({ includeHiddenFolders: true })).includes('Verborgen'))
  await assert.rejects(folderList({ parentId: 'inbox' }), fails('invalid-request'))
})

test('folders: paging yields each once; one folder alone has its attributes', async () => {
  const whole = (await folderList()).items
  const paged: unknown[] = []
  let cursor: string | undefined
  do {
    const page = await folderList({ limit: 4, ...(cursor === undefined ? {} : { cursor }) })
    paged.push(...page.items)
    cursor = page.nextCursor
  } while (cursor !== undefined)
  assert.deepEqual(paged, whole)
  assert.deepEqual(await world.microsoft.mail!.folders.find(session, whole[2]!.id, {}), whole[2])
})

test('well-known folders are asked for by batches of four, once in a while', async () => {
  const fresh = await startMicrosoftWorld()
  const own = fresh.session()
  const query = { limit: 200, includeHiddenFolders: false, singleLevel: true }
  await fresh.microsoft.mail!.folders.list(own, query)
  await fresh.microsoft.mail!.folders.list(own, query)
  await fresh.stop()
  assert.equal(fresh.graph.seen.filter(({ path }) => path === '/$batch').length, 2)
})

test('a step of a batch that is throttled is asked for again', async () => {
  const fresh = await startMicrosoftWorld()
  let refused = 0
  fresh.graph.intercept(({ path }) => {
    if (!path.startsWith('/me/mailFolders/drafts') || refused > 0) return undefined
    refused += 1
    return graphError(429, 'ApplicationThrottled', 'slow down', { 'Retry-After': '0' })
  })
  const query = { limit: 200, includeHiddenFolders: false, singleLevel: true }
  const { items } = await fresh.microsoft.mail!.folders.list(fresh.session(), query)
  await fresh.stop()
  assert.equal(refused, 1)
  assert.deepEqual(items.find(({ name }) => name === 'Entwürfe')?.attributes, ['\\Drafts'])
})

test('folders of a shared mailbox', async () => {
  const { items } = await folderList({ sharedFrom: 'team@contoso.example' })
  assert.equal(items.length, 9)
  await assert.rejects(folderList({ sharedFrom: 'bob@contoso.example' }), fails('scope-missing'))
})

test('folders that contain each other are read once', async () => {
  const folder = (id: string) => ({ id, displayName: id, childFolderCount: 1 })
  let calls = 0
  world.graph.intercept(({ path }) => {
    if (!/^\/me\/mailFolders(\?|\/.+\/childFolders)/.test(path)) return undefined
    calls += 1
    const value = path.includes('AAMk-a1') ? [folder('AAMk-b2'), folder('AAMk-a1')] : [folder('AAMk-a1')]
    return { status: 200, body: { value } }
  })
  const { items } = await folderList()
  assert.deepEqual(
    items.map(({ id }) => id),
    ['AAMk-a1', 'AAMk-b2'],
  )
  assert.equal(calls, 3)
})
