import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import type { FolderUpdateBody } from '../../src/contract/folder.ts'
import { fails } from '../support/fake-graph/fails.ts'
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

const PROJECTS = 'AAMkFolder-prj-06='
const changes = () => world.microsoft.mail!.folderChanges!
const find = (id: string) => world.microsoft.mail!.folders.find(session, id, {})
const update = (id: string, change: FolderUpdateBody) => changes().update(session, id, change)

test('creates folders at the top and below another one', async () => {
  const top = await changes().create(session, { name: 'Überblick', text_color: '#000000' })
  assert.deepEqual(
    [top.object, top.name, top.system_folder, top.attributes],
    ['folder', 'Überblick', false, []],
  )
  assert.deepEqual(await find(top.id), top)
  const below = await changes().create(session, { name: 'Q2', parent_id: PROJECTS })
  assert.equal(below.parent_id, PROJECTS)
  await assert.rejects(changes().create(session, { name: 'Q2', parent_id: PROJECTS }), fails('conflict'))
  await assert.rejects(changes().create(session, { name: 'x', parent_id: 'inbox' }), fails('invalid-request'))
  await assert.rejects(
    changes().create(session, { name: 'x', parent_id: 'AAMkNowhere-1=' }),
    fails('not-found'),
  )
})

test('renames and moves a folder, which keeps its id', async () => {
  const { id } = await changes().create(session, { name: 'wandert' })
  const renamed = await update(id, { name: 'gewandert' })
  assert.deepEqual([renamed.id, renamed.name], [id, 'gewandert'])
  const moved = await update(id, { name: 'dort', parent_id: PROJECTS })
  assert.deepEqual([moved.id, moved.name, moved.parent_id], [id, 'dort', PROJECTS])
  assert.deepEqual(await find(id), moved)
  const from = world.graph.seen.length
  assert.deepEqual(
    await update(id, { name: 'dort', parent_id: PROJECTS, background_color: '#ffffff' }),
    moved,
  )
  assert.ok(
    world.graph.seen.slice(from).every(({ method }) => method === 'GET'),
    'nothing changes',
  )
})

test('deletes a folder with its messages', async () => {
  const { id } = await changes().create(session, { name: 'geht' })
  const mailbox = world.graph.mailboxes.get('ada@contoso.example')!
  mailbox.messages.push({ id: 'AAMkMsg-gone=', parentFolderId: id, attachments: [] })
  await changes().delete(session, id)
  await assert.rejects(find(id), fails('not-found'))
  assert.ok(!mailbox.messages.some((message) => message.id === 'AAMkMsg-gone='))
  await assert.rejects(changes().delete(session, id), fails('not-found'))
})

test('leaves system folders alone, whatever their name', async () => {
  for (const id of ['AAMkFolder-in-01=', 'AAMkFolder-del-04=', 'AAMkFolder-dra-03=']) {
    await assert.rejects(changes().delete(session, id), fails('invalid-request'))
    await assert.rejects(update(id, { name: 'x' }), fails('invalid-request'))
    await assert.rejects(update(id, { parent_id: PROJECTS }), fails('invalid-request'))
    assert.equal((await update(id, {})).system_folder, true)
  }
  await assert.rejects(update('drafts', { name: 'x' }), fails('invalid-request'))
})
