import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { describe, test } from 'node:test'
import { MessageFields, type SendMessageRequest } from 'nylas'
import { BEN, type Suite } from './mail-suite-types.ts'
import { byMetadata } from './mail-suite-messages.ts'
import { apiError, idsOf } from './sdk-client.ts'

const MEGABYTE = 1_048_576
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)

/** messages.send in every form, and the methods of scheduled messages. */
export function sendTests({ world, mail, find, send, schedulesDrafts }: Suite): void {
  const bytesOf = (messageId: string, attachmentId: string) => {
    const { nylas, grant } = world()
    return nylas.attachments.downloadBytes({ identifier: grant.id, attachmentId, queryParams: { messageId } })
  }

  describe('messages.send', () => {
    test('sends JSON, and the sent copy is found by the id of the answer', async () => {
      const subject = `Grüße ✉ ${randomUUID()}`
      const sent = await send({
        subject,
        body: '<p>Hello <b>Ben</b> 👋</p>',
        cc: [{ email: 'carol@globex.example' }],
        bcc: [{ email: 'dan@globex.example' }],
        replyTo: [{ name: 'Team', email: 'team@globex.example' }],
      })
      assert.deepEqual([sent.object, sent.subject, sent.grantId], ['message', subject, world().grant.id])
      const found = await find(sent.id)
      assert.deepEqual([found.subject, found.to], [subject, [BEN]])
      assert.deepEqual(
        [found.cc, found.replyTo].map((list) => list?.map(({ email }) => email)),
        [['carol@globex.example'], ['team@globex.example']],
      )
      assert.equal(found.from?.[0]?.email, world().grant.email)
      assert.match(found.body ?? '', /<b>Ben<\/b> 👋/)
      assert.equal(found.threadId, sent.threadId)
      assert.deepEqual(found.folders.toSorted(), sent.folders.toSorted())
    })

    const small = randomBytes(2000)
    const large = randomBytes(3 * MEGABYTE + 17)
    for (const [name, content, size] of [
      ['a small file as JSON', small, small.length],
      ['a small file from a stream', Readable.from([small]), small.length],
      ['a file of 3 MiB as multipart', large, large.length],
      // With no size of its own the SDK counts nothing and sends one JSON text of over 4 MB.
      ['a file of 3 MiB in base64, as JSON', large.toString('base64'), undefined],
    ] as const) {
      test(`sends ${name}`, async () => {
        const sent = await send({
          subject: name,
          attachments: [
            {
              filename: 'Übersicht 2026.bin',
              contentType: 'application/octet-stream',
              content,
              ...(size === undefined ? {} : { size }),
            },
          ],
        })
        const [file, ...others] = (await find(sent.id)).attachments ?? []
        assert.ok(file)
        assert.deepEqual(others, [])
        assert.deepEqual([file.filename, file.isInline ?? false], ['Übersicht 2026.bin', false])
        assert.ok((await bytesOf(sent.id, file.id)).equals(size === small.length ? small : large))
      })
    }

    for (const [name, more] of [
      ['JSON', []],
      [
        'multipart',
        [
          {
            filename: 'big.bin',
            contentType: 'application/octet-stream',
            content: large,
            size: large.length,
          },
        ],
      ],
    ] as const) {
      test(`sends an inline image by ${name}`, async () => {
        const image = { filename: 'dot.png', contentType: 'image/png', content: PNG, size: PNG.length }
        const sent = await send({
          body: '<p>See <img src="cid:dot1"></p>',
          attachments: [{ ...image, contentId: 'dot1', isInline: true }, ...more],
        })
        const found = await find(sent.id)
        const file = found.attachments?.find(({ filename }) => filename === 'dot.png')
        assert.ok(file)
        assert.deepEqual([file.isInline, file.contentId?.replaceAll(/[<>]/g, '')], [true, 'dot1'])
        assert.match(found.body ?? '', /cid:dot1/)
        assert.equal(found.attachments?.length, 1 + more.length)
        assert.ok((await bytesOf(sent.id, file.id)).equals(PNG))
      })
    }

    test('sends a reply into its conversation', async () => {
      const { nylas, grant } = world()
      const original = await send({ subject: `Question ${randomUUID()}` })
      const reply = await send({ subject: `Re: ${original.subject}`, replyToMessageId: original.id })
      const headersOf = async (messageId: string) => {
        const queryParams = { fields: MessageFields.INCLUDE_HEADERS }
        const { data } = await nylas.messages.find({ identifier: grant.id, messageId, queryParams })
        return new Map(data.headers?.map(({ name, value }) => [name.toLowerCase(), value]))
      }
      const id = (await headersOf(original.id)).get('message-id')
      const headers = await headersOf(reply.id)
      assert.equal(headers.get('in-reply-to'), id)
      assert.ok(id && headers.get('references')?.includes(id))
      assert.deepEqual(
        [reply.threadId, (await find(reply.id)).threadId],
        [original.threadId, original.threadId],
      )
    })

    test('sends plain text, and keeps metadata', async () => {
      const { nylas, grant } = world()
      const value = randomUUID()
      const sent = await send({
        body: 'One <b> & two\nlines',
        isPlaintext: true,
        metadata: { key2: value },
      })
      const queryParams = { fields: MessageFields.RAW_MIME }
      const { data } = await nylas.messages.find({ identifier: grant.id, messageId: sent.id, queryParams })
      const source = Buffer.from(data.rawMime ?? '', 'base64url').toString('utf8')
      assert.match(source, /^content-type: text\/plain/im)
      assert.doesNotMatch(source, /text\/html/)
      assert.deepEqual((await find(sent.id)).metadata, { key2: value })
      const listed = await nylas.messages.list({
        identifier: grant.id,
        queryParams: byMetadata('key2', value),
      })
      assert.deepEqual(idsOf(listed.data), [sent.id])
    })

    test('answers with headers where they are asked for', async () => {
      const { nylas, grant } = world()
      const { data } = await nylas.messages.send({
        identifier: grant.id,
        requestBody: { to: [BEN], subject: 'Headers', body: 'x' },
        queryParams: { fields: MessageFields.INCLUDE_HEADERS },
      })
      assert.ok(data.headers?.some(({ name }) => name.toLowerCase() === 'message-id'))
    })

    test('sends once for one Idempotency-Key', async () => {
      const { nylas, grant } = world()
      const key = randomUUID()
      const once = (subject: string) =>
        nylas.messages.send({
          identifier: grant.id,
          requestBody: { to: [BEN], subject, body: 'x' },
          overrides: { headers: { 'Idempotency-Key': key } },
        })
      const first = await once(key)
      const second = await once(key)
      assert.equal(
        first.headers?.['idempotentResponse'] ?? first.rawHeaders?.['idempotent-response'],
        undefined,
      )
      assert.equal(second.rawHeaders?.['idempotent-response'], 'true')
      assert.deepEqual(second.data, first.data)
      await assert.rejects(once('another'), apiError(409, 'api.invalid_idempotent_request'))
    })

    test('refuses a message to nobody, and an address that is none', async () => {
      const invalid = apiError(400, 'api.invalid_request_error')
      await assert.rejects(send({ to: [] }), invalid)
      await assert.rejects(send({ to: [{ email: 'no address' }] }), invalid)
    })
  })

  describe('scheduled messages', () => {
    const later = (seconds = 3600) => Math.floor(Date.now() / 1000) + seconds
    const scheduleTest = (name: string, more: Partial<SendMessageRequest>) =>
      void test(name, async () => {
        const { nylas, grant } = world()
        const identifier = grant.id
        const sendAt = later()
        const { scheduleId = '', sendAt: told, useDraft } = await send({ subject: 'Later', sendAt, ...more })
        assert.deepEqual([told, useDraft], [sendAt, more.useDraft ?? false])
        // The SDK's type of this list is not what it decodes.
        const list = async () => {
          const { data } = await nylas.messages.listScheduledMessages({ identifier })
          assert.ok(Array.isArray(data))
          return data.map((one: { scheduleId: string }) => one.scheduleId)
        }
        assert.ok((await list()).includes(scheduleId))
        const { data } = await nylas.messages.findScheduledMessage({ identifier, scheduleId })
        assert.deepEqual([String(data.scheduleId), data.status.code], [scheduleId, 'pending'])
        assert.equal(typeof data.status.description, 'string')
        const stopped = await nylas.messages.stopScheduledMessage({ identifier, scheduleId })
        assert.equal(typeof stopped.data.message, 'string')
        assert.ok(!(await list()).includes(scheduleId))
      })
    scheduleTest('are listed, found and stopped', {})
    if (schedulesDrafts)
      scheduleTest('are kept as drafts at the provider where that is asked for', { useDraft: true })
    else
      test('are never drafts at the provider, which could not send them', async () => {
        const refused = apiError(400, 'api.invalid_request_error', /use_draft/)
        await assert.rejects(send({ sendAt: later(), useDraft: true }), refused)
      })

    test('that are not there, or too soon, are refused', async () => {
      const { nylas, grant } = world()
      const unknown = { identifier: grant.id, scheduleId: randomUUID() }
      await assert.rejects(nylas.messages.findScheduledMessage(unknown), apiError(404, 'not_found_error'))
      await assert.rejects(nylas.messages.stopScheduledMessage(unknown), apiError(404, 'not_found_error'))
      await assert.rejects(send({ sendAt: later(5) }), apiError(400, 'api.invalid_request_error', /send_at/))
    })
  })

  test('the mail that was there is still there', async () => {
    const [oldest] = mail().slice(-1)
    assert.equal((await find(oldest?.id ?? '')).subject, oldest?.subject)
  })
}
