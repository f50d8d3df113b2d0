import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, test } from 'node:test'
import type { CreateFolderRequest, UpdateFolderRequest } from 'nylas'
import type { Suite } from './mail-suite-types.ts'
import { apiError, everyItem, idsOf } from './sdk-client.ts'

/** folders.list, find, create, update and destroy, and moving messages into them. */
export function folderTests({ world, list, find, send, hasLabels, hasParents }: Suite): void {
  const all = (limit = 200) =>
    everyItem(world().nylas.folders.list({ identifier: world().grant.id, queryParams: { limit } }))
  const create = async (requestBody: CreateFolderRequest) =>
    (await world().nylas.folders.create({ identifier: world().grant.id, requestBody })).data
  const found = async (folderId: string) =>
    (await world().nylas.folders.find({ identifier: world().grant.id, folderId })).data
  const update = async (folderId: string, requestBody: UpdateFolderRequest) =>
    (await world().nylas.folders.update({ identifier: world().grant.id, folderId, requestBody })).data
  const destroy = (folderId: string) =>
    world().nylas.folders.destroy({ identifier: world().grant.id, folderId })

  describe('folders', () => {
    test('are listed each once, with their attributes, and found', async () => {
      const folders = await all()
      assert.deepEqual(idsOf(await all(2)), idsOf(folders))
      for (const attribute of ['\\Inbox', '\\Sent', '\\Drafts', '\\Trash']) {
        const [folder, ...more] = folders.filter(({ attributes }) => attributes?.includes(attribute))
        assert.ok(folder, attribute)
        assert.deepEqual(more, [])
        const { id, name, attributes } = await found(folder.id)
        assert.deepEqual([id, name, attributes], [folder.id, folder.name, folder.attributes])
      }
      assert.ok(folders.every(({ object, grantId }) => object === 'folder' && grantId === world().grant.id))
    })

    test('are made with names of every script, renamed, and deleted', async () => {
      const tag = randomUUID().slice(0, 8)
      const made = await create({ name: `Проекты 日本 & ${tag}` })
      assert.equal((await found(made.id)).name, `Проекты 日本 & ${tag}`)
      const renamed = await update(made.id, { name: `Neu ${tag}` })
      assert.equal(renamed.name, `Neu ${tag}`)
      const listed = (await all()).filter(({ name }) => name.includes(tag))
      assert.deepEqual(
        listed.map(({ id, name }) => [id, name]),
        [[renamed.id, `Neu ${tag}`]],
      )
      await destroy(renamed.id)
      await assert.rejects(found(renamed.id), apiError(404, 'not_found_error'))
    })

    test('are nested', async () => {
      const tag = randomUUID().slice(0, 8)
      const outer = await create({ name: `Outer ${tag}` })
      const inner = hasParents
        ? await create({ name: `Inner ${tag}`, parentId: outer.id })
        : await create({ name: `Outer ${tag}/Inner ${tag}` })
      const again = await found(inner.id)
      if (hasParents) assert.equal(again.parentId, outer.id)
      else assert.equal(again.name, `Outer ${tag}/Inner ${tag}`)
      await destroy(inner.id)
      await destroy(outer.id)
    })

    test('take messages, which keep their ids', async () => {
      const { nylas, grant } = world()
      const folder = await create({ name: `Moved ${randomUUID().slice(0, 8)}` })
      const sent = await send({ subject: 'To be moved' })
      const move = async (folders: string[]) =>
        (await nylas.messages.update({ identifier: grant.id, messageId: sent.id, requestBody: { folders } }))
          .data
      const moved = await move([folder.id])
      assert.equal(moved.id, sent.id)
      assert.ok(moved.folders.includes(folder.id))
      assert.deepEqual(idsOf((await list({ in: [folder.id] })).data), [sent.id])
      assert.equal((await find(sent.id)).subject, 'To be moved')
      const [inbox] = (await all()).filter(({ attributes }) => attributes?.includes('\\Inbox'))
      const both = move([folder.id, inbox?.id ?? ''])
      if (hasLabels) assert.ok((await both).folders.includes(inbox?.id ?? ''))
      else await assert.rejects(both, apiError(400, 'api.invalid_request_error', /folder/))
      await move([inbox?.id ?? ''])
      assert.deepEqual((await list({ in: [folder.id] })).data, [])
      await destroy(folder.id)
    })

    test('that the provider made stay, and ones that are not there are not found', async () => {
      const [inbox] = (await all()).filter(({ attributes }) => attributes?.includes('\\Inbox'))
      await assert.rejects(destroy(inbox?.id ?? ''), (error: { statusCode?: number }) => {
        assert.ok([400, 403].includes(error.statusCode ?? 0), `${error.statusCode}`)
        return true
      })
      for (const folderId of ['Nowhere/at all', 'AAMkFolder-none='])
        await assert.rejects(found(folderId), (error: { statusCode?: number; type?: string }) => {
          // Microsoft's ids have no slash.
          assert.ok([400, 404].includes(error.statusCode ?? 0), `${error.statusCode}`)
          return apiError(error.statusCode ?? 0, error.type ?? '')(error)
        })
      await assert.rejects(create({ name: '' }), apiError(400, 'api.invalid_request_error', /name/))
    })
  })
}
