import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { describe, test } from 'node:test'
import type { CreateDraftRequest, ListDraftsQueryParams, UpdateDraftRequest } from 'nylas'
import { BEN, type Suite } from './mail-suite-types.ts'
import { apiError, everyItem, idsOf } from './sdk-client.ts'

const file = (filename: string, content: Buffer) => ({
  filename,
  contentType: 'application/octet-stream',
  content,
  size: content.length,
})

/** drafts.list, find, create, update, send and destroy. */
export function draftTests({ world, find }: Suite): void {
  const create = async (more: Partial<CreateDraftRequest> = {}) => {
    const { nylas, grant } = world()
    const requestBody = { to: [BEN], subject: 'Draft', body: '<p>Draft</p>', ...more }
    return (await nylas.drafts.create({ identifier: grant.id, requestBody })).data
  }
  const update = async (draftId: string, requestBody: UpdateDraftRequest) => {
    const { nylas, grant } = world()
    return (await nylas.drafts.update({ identifier: grant.id, draftId, requestBody })).data
  }
  const found = async (draftId: string) => {
    const { nylas, grant } = world()
    return (await nylas.drafts.find({ identifier: grant.id, draftId })).data
  }
  const list = (queryParams: ListDraftsQueryParams) =>
    world().nylas.drafts.list({ identifier: world().grant.id, queryParams })
  const destroy = (draftId: string) => world().nylas.drafts.destroy({ identifier: world().grant.id, draftId })
  const bytesOf = (messageId: string, attachmentId = '') => {
    const { nylas, grant } = world()
    return nylas.attachments.downloadBytes({ identifier: grant.id, attachmentId, queryParams: { messageId } })
  }
  const notFound = (error: { statusCode?: number; type?: string }) => apiError(404, 'not_found_error')(error)

  describe('drafts', () => {
    test('are made, found, listed, changed field by field, and deleted', async () => {
      const subject = `Draft ${randomUUID()}`
      const made = await create({ subject, cc: [{ email: 'carol@globex.example' }] })
      assert.deepEqual([made.object, made.subject, made.unread], ['draft', subject, false])
      assert.equal(typeof made.date, 'number')
      assert.deepEqual((await found(made.id)).to, [BEN])
      assert.deepEqual(idsOf((await list({ subject, limit: 5 })).data), [made.id])
      const changed = await update(made.id, { body: '<p>Changed</p>' })
      assert.deepEqual([changed.id, changed.subject], [made.id, subject])
      const again = await found(made.id)
      assert.match(again.body ?? '', /Changed/)
      assert.deepEqual(
        [again.subject, again.cc?.map(({ email }) => email)],
        [subject, ['carol@globex.example']],
      )
      assert.deepEqual(idsOf((await list({ subject, limit: 5 })).data), [made.id])
      await destroy(made.id)
      await assert.rejects(found(made.id), notFound)
      await assert.rejects(destroy(made.id), notFound)
    })

    test('are listed page by page, each once', async () => {
      const tag = randomUUID()
      const made = []
      for (const number of [1, 2, 3]) made.push(await create({ subject: `${tag} ${number}` }))
      const all = await everyItem(list({ subject: tag, limit: 2 }))
      assert.deepEqual(idsOf(all).toSorted(), idsOf(made).toSorted())
      for (const { id } of made) await destroy(id)
    })

    for (const [name, length] of [
      ['JSON', 3000],
      ['multipart', 3 * 1_048_576 + 5],
    ] as const) {
      test(`keep their files, sent by ${name}`, async () => {
        const content = randomBytes(length)
        const made = await create({ attachments: [file('first.bin', content)] })
        const [first] = (await found(made.id)).attachments ?? []
        assert.equal(first?.filename, 'first.bin')
        assert.ok((await bytesOf(made.id, first.id)).equals(content))
        // A change of something else leaves the files alone.
        await update(made.id, { subject: 'With a file' })
        const [kept] = (await found(made.id)).attachments ?? []
        assert.ok((await bytesOf(made.id, kept?.id)).equals(content))
        const other = randomBytes(length)
        await update(made.id, { attachments: [file('second.bin', other)] })
        const [second, ...more] = (await found(made.id)).attachments ?? []
        assert.deepEqual([second?.filename, more], ['second.bin', []])
        assert.ok((await bytesOf(made.id, second?.id)).equals(other))
        await destroy(made.id)
      })
    }

    test('are sent, and are drafts no more', async () => {
      const { nylas, grant } = world()
      const subject = `Sent draft ${randomUUID()}`
      const content = randomBytes(500)
      const made = await create({ subject, attachments: [file('a.bin', content)] })
      const { data: sent } = await nylas.drafts.send({ identifier: grant.id, draftId: made.id })
      assert.deepEqual([sent.object, sent.subject], ['message', subject])
      const message = await find(sent.id)
      assert.deepEqual([message.subject, message.to], [subject, [BEN]])
      assert.ok((await bytesOf(message.id, message.attachments?.[0]?.id)).equals(content))
      assert.deepEqual((await list({ subject, limit: 5 })).data, [])
      await assert.rejects(
        nylas.drafts.send({ identifier: grant.id, draftId: 'r-000000' }),
        (error: { statusCode?: number }) => [400, 404].includes(error.statusCode ?? 0),
      )
    })

    test('answer a message in its conversation', async () => {
      const { nylas, grant } = world()
      const { data: original } = await nylas.messages.send({
        identifier: grant.id,
        requestBody: { to: [BEN], subject: `About ${randomUUID()}`, body: '<p>x</p>' },
      })
      const made = await create({ subject: `Re: ${original.subject}`, replyToMessageId: original.id })
      assert.equal((await found(made.id)).threadId, original.threadId)
      const { data: thread } = await nylas.threads.find({
        identifier: grant.id,
        threadId: original.threadId ?? '',
      })
      assert.deepEqual([thread.hasDrafts, thread.draftIds.length], [true, 1])
      const { data: sent } = await nylas.drafts.send({ identifier: grant.id, draftId: made.id })
      assert.equal((await find(sent.id)).threadId, original.threadId)
    })
  })
}
