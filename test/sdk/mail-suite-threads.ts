import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, test } from 'node:test'
import type { ListThreadsQueryParams, UpdateThreadRequest } from 'nylas'
import type { Suite } from './mail-suite-types.ts'
import { apiError, everyItem, idsOf } from './sdk-client.ts'

/** threads.list, find, update and destroy. */
export function threadTests({ world, mail, find, send }: Suite): void {
  const list = (queryParams: ListThreadsQueryParams = {}) => {
    const { nylas, grant, scope } = world()
    const { in: folders } = scope
    return nylas.threads.list({
      identifier: grant.id,
      queryParams: { ...(folders ? { in: folders } : {}), ...queryParams },
    })
  }
  const thread = async (threadId: string) => {
    const { nylas, grant } = world()
    return (await nylas.threads.find({ identifier: grant.id, threadId })).data
  }

  describe('threads', () => {
    test('are listed each once, by pages of any size, and hold all mail', async () => {
      const all = await everyItem(list({ limit: 50 }))
      assert.deepEqual(idsOf(await everyItem(list({ limit: 7 }))).toSorted(), idsOf(all).toSorted())
      const ids = new Set(idsOf(all))
      assert.deepEqual(
        mail().filter(({ threadId }) => !ids.has(threadId ?? '')),
        [],
      )
      for (const listed of all.slice(0, 5)) {
        const found = await thread(listed.id)
        assert.deepEqual(found.messageIds.toSorted(), listed.messageIds.toSorted())
        assert.equal(found.object, 'thread')
        assert.ok(['message', 'draft'].includes(found.latestDraftOrMessage.object))
        assert.ok(found.participants.every(({ email }) => typeof email === 'string'))
      }
    })

    test('are filtered by their messages', async () => {
      const [some] = mail().filter(({ starred }) => starred)
      assert.ok(some)
      for (const one of (await list({ starred: true, limit: 5 })).data) assert.equal(one.starred, true)
      for (const one of (await list({ unread: true, limit: 5 })).data) assert.equal(one.unread, true)
      const from = some.from?.[0]?.email ?? ''
      const { data } = await list({ from: [from], limit: 50 })
      assert.ok(idsOf(data).includes(some.threadId ?? ''), from)
      const none = await list({ subject: randomUUID() })
      assert.deepEqual(none.data, [])
    })

    test('are found with all their messages, changed and deleted whole', async () => {
      const { nylas, grant } = world()
      const first = await send({ subject: `Talk ${randomUUID()}` })
      const second = await send({ subject: `Re: ${first.subject}`, replyToMessageId: first.id })
      const identifier = grant.id
      const threadId = first.threadId ?? ''
      assert.deepEqual((await thread(threadId)).messageIds.toSorted(), [first.id, second.id].toSorted())
      const change = async (requestBody: UpdateThreadRequest) =>
        (await nylas.threads.update({ identifier, threadId, requestBody })).data
      const starred = await change({ starred: true, unread: true })
      assert.deepEqual([starred.id, starred.starred, starred.unread], [threadId, true, true])
      for (const { id } of [first, second]) {
        const message = await find(id)
        assert.deepEqual([message.starred, message.unread], [true, true])
      }
      const plain = await change({ starred: false, unread: false })
      assert.deepEqual([plain.starred, plain.unread], [false, false])
      await nylas.threads.destroy({ identifier, threadId })
      const folders = (await nylas.folders.list({ identifier })).data
      const trash = folders.find(({ attributes }) => attributes?.includes('\\Trash'))
      for (const { id } of [first, second]) assert.ok((await find(id)).folders.includes(trash?.id ?? ''))
    })

    test('that are not there are not found', async () => {
      const { nylas, grant } = world()
      const none = { identifier: grant.id, threadId: 'ffffffffffff0000' }
      const notFound = apiError(404, 'not_found_error')
      await assert.rejects(nylas.threads.find(none), notFound)
      await assert.rejects(nylas.threads.update({ ...none, requestBody: { unread: true } }), notFound)
      await assert.rejects(nylas.threads.destroy(none), notFound)
    })
  })
}
