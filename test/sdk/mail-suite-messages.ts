import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type ListMessagesQueryParams, type Message, MessageFields } from 'nylas'
import type { Suite } from './mail-suite-types.ts'
import { apiError, idsOf } from './sdk-client.ts'

/** What the SDK sends, though its types do not have it. */
export const byMetadata = (key: string, value: string) =>
  ({ metadataPair: { [key]: value } }) as ListMessagesQueryParams

/** messages.find, update, destroy, cleanMessages and smartCompose. */
export function messageTests({ world, mail, find, list, send }: Suite): void {
  const update = async (messageId: string, requestBody: object) => {
    const { nylas, grant } = world()
    return (await nylas.messages.update({ identifier: grant.id, messageId, requestBody })).data
  }
  const inForm = async (messageId: string, fields: MessageFields) => {
    const { nylas, grant } = world()
    return (await nylas.messages.find({ identifier: grant.id, messageId, queryParams: { fields } })).data
  }

  describe('messages.find', () => {
    const sorted = (message: Message) => ({ ...message, folders: message.folders.toSorted() })
    test('gives what the list gives, for every kind of message', async () => {
      for (const listed of mail().slice(0, 20))
        assert.deepEqual(sorted(await find(listed.id)), sorted(listed))
    })

    test('gives the four fields with the source', async () => {
      const id = mail()[1]?.id ?? ''
      const raw = await inForm(id, MessageFields.RAW_MIME)
      assert.deepEqual(Object.keys(raw).toSorted(), ['grantId', 'id', 'object', 'rawMime'])
      assert.match(raw.rawMime ?? '', /^[\w-]+={0,2}$/)
      assert.match(Buffer.from(raw.rawMime ?? '', 'base64url').toString('utf8'), /^[\w-]+: /m)
    })

    test('gives headers as they are, or only those of the conversation', async () => {
      const sent = await send({ customHeaders: [{ name: 'X-Suite', value: 'of headers' }] })
      const all = (await inForm(sent.id, MessageFields.INCLUDE_HEADERS)).headers ?? []
      assert.equal(all.find(({ name }) => name === 'X-Suite')?.value, 'of headers')
      const basic = (await inForm(sent.id, MessageFields.INCLUDE_BASIC_HEADERS)).headers ?? []
      assert.deepEqual(
        basic.map(({ name }) => name.toLowerCase()),
        ['message-id'],
      )
      const tracked = await inForm(sent.id, MessageFields.INCLUDE_TRACKING_OPTIONS)
      assert.equal(tracked.id, sent.id)
      assert.equal((await inForm(sent.id, MessageFields.STANDARD)).headers, undefined)
    })

    test('does not find what is not there', async () => {
      for (const messageId of [
        '0000000000000000',
        '<nobody@nowhere.example>',
        '<a/b+c#d@x>',
        'a/b',
        '%2e%2e',
      ])
        await assert.rejects(find(messageId), (error: { statusCode?: number; type?: string }) => {
          assert.ok([400, 404].includes(error.statusCode ?? 0), `${messageId}: ${error.statusCode}`)
          return apiError(error.statusCode ?? 0, error.type ?? '')(error)
        })
    })
  })

  describe('messages.update', () => {
    test('changes unread and starred, and answers with the new state', async () => {
      const { id } = await send({ subject: 'To be changed' })
      for (const change of [{ unread: true, starred: true }, { unread: false }, { starred: false }]) {
        const changed = await update(id, change)
        assert.deepEqual({ ...changed, ...change }, changed)
        const found = await find(id)
        assert.deepEqual([found.unread, found.starred], [changed.unread, changed.starred])
      }
    })

    test('keeps metadata, by which messages are listed', async () => {
      const { nylas, grant } = world()
      const { id } = await send({ subject: 'To be labelled' })
      const value = `of ${id}`
      const changed = await update(id, { metadata: { key1: value, other: 'x' } })
      assert.deepEqual(changed.metadata, { key1: value, other: 'x' })
      assert.deepEqual((await find(id)).metadata, { key1: value, other: 'x' })
      const queryParams = byMetadata('key1', value)
      const { data } = await nylas.messages.list({ identifier: grant.id, queryParams })
      assert.deepEqual(idsOf(data), [id])
      const refused = apiError(400, 'api.invalid_request_error', /metadata_pair/)
      const both = { ...queryParams, unread: true }
      await assert.rejects(nylas.messages.list({ identifier: grant.id, queryParams: both }), refused)
    })

    test('refuses a body that changes nothing, and a message that is not there', async () => {
      await assert.rejects(update(mail()[0]?.id ?? '', {}), apiError(400, 'api.invalid_request_error'))
      await assert.rejects(
        update('<nobody@nowhere.example>', { unread: true }),
        (error: { statusCode?: number }) => [400, 404].includes(error.statusCode ?? 0),
      )
    })
  })

  test('messages.destroy moves to the trash', async () => {
    const { nylas, grant } = world()
    const { id } = await send({ subject: 'To be deleted' })
    const { requestId } = await nylas.messages.destroy({ identifier: grant.id, messageId: id })
    assert.match(requestId, /^[0-9a-f-]{36}$/)
    const folders = (await nylas.folders.list({ identifier: grant.id })).data
    const trash = folders.find(({ attributes }) => attributes?.includes('\\Trash'))
    assert.ok(trash)
    assert.ok((await find(id)).folders.includes(trash.id))
    const listed = await list({ in: [trash.id], limit: 200 })
    assert.ok(idsOf(listed.data).includes(id))
  })

  test('messages.cleanMessages gives the text of the conversation', async () => {
    const { nylas, grant } = world()
    const body = '<p>The <b>figures</b> <a href="https://x.example">here</a></p><script>steal()</script>'
    const { id } = await send({ body })
    const clean = async (messageId: readonly string[]) =>
      (
        await nylas.messages.cleanMessages({
          identifier: grant.id,
          requestBody: { messageId: [...messageId] },
        })
      ).data
    const [cleaned] = await clean([id])
    assert.equal(cleaned?.id, id)
    assert.match(cleaned.conversation, /figures/)
    assert.doesNotMatch(cleaned.conversation, /steal|<b>|https:/)
    await assert.rejects(
      clean(Array.from({ length: 21 }, () => id)),
      apiError(400, 'api.invalid_request_error'),
    )
  })

  test('messages.smartCompose says that no model is there', async () => {
    const { nylas, grant } = world()
    const requestBody = { prompt: 'Say hello' }
    const refused = apiError(400, 'invalid_request_error', /model/)
    await assert.rejects(
      nylas.messages.smartCompose.composeMessage({ identifier: grant.id, requestBody }),
      refused,
    )
    const messageId = mail()[0]?.id ?? ''
    await assert.rejects(
      nylas.messages.smartCompose.composeMessageReply({ identifier: grant.id, messageId, requestBody }),
      refused,
    )
  })
}
