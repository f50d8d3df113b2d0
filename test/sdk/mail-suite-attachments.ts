import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { text } from 'node:stream/consumers'
import { describe, test } from 'node:test'
import type { SendMessageRequest } from 'nylas'
import type { Suite } from './mail-suite-types.ts'
import { apiError } from './sdk-client.ts'

type Attachments = NonNullable<SendMessageRequest['attachments']>

/** attachments.find, its downloads, and upload sessions. */
export function attachmentTests({ world, find, send, takesLargeUploads }: Suite): void {
  describe('attachments', () => {
    test('are found and downloaded in each of the SDK’s ways', async () => {
      const { nylas, grant } = world()
      const content = 'name;sum\nÄrger;12\n'.repeat(40)
      const sent = await send({
        attachments: [
          { filename: 'a.csv', contentType: 'text/csv', content: Buffer.from(content) },
          { filename: 'b.bin', contentType: 'application/octet-stream', content: randomBytes(30) },
        ],
      })
      const files = (await find(sent.id)).attachments ?? []
      assert.deepEqual(
        files.map(({ filename }) => filename),
        ['a.csv', 'b.bin'],
      )
      const [file] = files
      assert.ok(file)
      const of = {
        identifier: grant.id,
        attachmentId: file.id,
        queryParams: { messageId: sent.id },
      }
      const { data } = await nylas.attachments.find(of)
      assert.deepEqual([data.id, data.filename, data.grantId], [file.id, 'a.csv', grant.id])
      assert.match(data.contentType, /^text\/csv/)
      assert.equal((await nylas.attachments.downloadBytes(of)).toString('utf8'), content)
      assert.equal(await new Response(await nylas.attachments.download(of)).text(), content)
      assert.equal(await text(await nylas.attachments.downloadNodeStream(of)), content)
      const wrong = { ...of, attachmentId: 'a0.bm9uZQ' }
      const refused = (error: { statusCode?: number }) => [400, 404].includes(error.statusCode ?? 0)
      await assert.rejects(nylas.attachments.find(wrong), refused)
      await assert.rejects(nylas.attachments.downloadBytes(wrong), refused)
      const unnamed = { ...of, queryParams: { messageId: '' } }
      await assert.rejects(nylas.attachments.find(unnamed), apiError(400, 'api.invalid_request_error'))
    })

    if (takesLargeUploads)
      test('are uploaded by sessions, and sent by their ids', async () => {
        const { nylas, grant } = world()
        const identifier = grant.id
        const content = randomBytes(4_000_000)
        const requestBody = { filename: 'large.bin', contentType: 'application/zip', size: content.length }
        const { data: session } = await nylas.attachments.createUploadSession({ identifier, requestBody })
        assert.deepEqual([session.method, session.size, session.grantId], ['PUT', content.length, grant.id])
        const { attachmentId } = session
        const complete = () => nylas.attachments.completeUploadSession({ identifier, attachmentId })
        await assert.rejects(complete(), (error: { statusCode?: number }) => error.statusCode === 422)
        const { method, headers } = session
        const put = await fetch(session.url, { method, headers, body: content })
        assert.ok(put.ok, await put.text())
        assert.deepEqual((await complete()).data, { attachmentId, grantId: grant.id, status: 'ready' })
        // The SDK's types ask for content, which such a file has not.
        const attachments = [{ id: attachmentId }] as unknown as Attachments
        const sent = await send({ attachments })
        const [file] = (await find(sent.id)).attachments ?? []
        assert.equal(file?.filename, 'large.bin')
        const queryParams = { messageId: sent.id }
        const got = await nylas.attachments.downloadBytes({ identifier, attachmentId: file.id, queryParams })
        assert.ok(got.equals(content))
      })
    else
      test('have no upload sessions here', async () => {
        const { nylas, grant } = world()
        const requestBody = { filename: 'large.bin', contentType: 'application/zip', size: 10 }
        const refused = (error: { statusCode?: number; type?: string }) =>
          apiError(401, error.type ?? '')(error)
        await assert.rejects(
          nylas.attachments.createUploadSession({ identifier: grant.id, requestBody }),
          refused,
        )
      })
  })
}
