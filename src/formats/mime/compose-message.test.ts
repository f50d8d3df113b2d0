import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { file, hardMessages, noise, streamedFile } from '../../../test/support/hard-messages.ts'
import { assertSameMail } from '../../../test/support/same-mail.ts'
import { composeMessage, composeToBuffer, type MailContent } from './compose-message.ts'
import { headerValue, parseHeaderBlock } from './headers.ts'

const PLAIN: MailContent = {
  from: { email: 'a@x.example' },
  to: [{ email: 'b@x.example' }],
  cc: [],
  bcc: [],
  replyTo: [],
  subject: 's',
  body: '<p>b</p>',
  isPlaintext: false,
  attachments: [],
  headers: [],
  messageId: '<1@x.example>',
  date: 1_780_000_000,
}

const linesOf = (source: Buffer) => source.toString('latin1').split('\r\n')

for (const { name, message, isLarge } of hardMessages('compose').filter((hard) => !hard.isLarge)) {
  test(`writes a message another parser reads back: ${name}`, async () => {
    const from = message.from ?? { email: '' }
    const source = await composeToBuffer({ ...message, from }, { keepsBcc: true })
    assert.equal(isLarge, false)
    await assertSameMail(source, message, { withBcc: true })
    assert.ok(linesOf(source).every((line) => line.length <= 998))
    assert.equal(/\r(?!\n)|(?<!\r)\n/.test(source.toString('latin1')), false, 'lone line ends')
  })
}

test('keeps Bcc to itself unless asked', async () => {
  const content = {
    ...PLAIN,
    bcc: [{ email: 'hidden@x.example' }],
    headers: [{ name: 'Bcc', value: 'more@x.example' }],
  }
  const source = await composeToBuffer(content, { keepsBcc: false })
  assert.equal(/hidden|more@/.test(source.toString()), false)
  const kept = parseHeaderBlock(await composeToBuffer(content, { keepsBcc: true }))
  assert.equal(headerValue(kept, 'bcc'), 'hidden@x.example')
})

test('lets nothing break out of a header', async () => {
  const evil = 'x\r\nEvil: 1\r\n\r\n<script>'
  const source = await composeToBuffer(
    {
      ...PLAIN,
      from: { email: 'a@x.example\r\nEvil: 1', name: evil },
      to: [{ email: 'b@x.example', name: evil }],
      subject: evil,
      headers: [
        { name: 'X-Evil\r\nEvil', value: evil },
        { name: 'X-Other', value: evil },
        { name: 'Content-Type', value: 'text/evil' },
        { name: 'MIME-Version ', value: '9' },
      ],
      inReplyTo: `<a@b>${evil}`,
      references: [`<c@d>${evil}`],
      attachments: [
        file(evil, `text/plain; a="${evil}"`, 'content', { contentId: evil }),
        file('m.txt', 'multipart/mixed; boundary=x', '--x\r\nEvil: 1\r\n\r\ninner\r\n--x--'),
      ],
    },
    { keepsBcc: true },
  )
  assert.equal(/^evil:/im.test(source.toString()), false)
  assert.equal(/text\/evil|multipart\/mixed; boundary=x/.test(source.toString()), false)
  assert.equal(source.toString().match(/^mime-version/gim)?.length, 1)
})

test('writes 7-bit text, so that it needs no extension on the way', async () => {
  const content = { ...PLAIN, subject: 'ü', body: 'üñ€'.repeat(500), headers: [{ name: 'X-U', value: 'ü' }] }
  const source = await composeToBuffer(content, { keepsBcc: true })
  assert.ok(source.every((byte) => byte < 128))
})

test('breaks what is too long for a line', async () => {
  const long = 'x'.repeat(3000)
  const source = await composeToBuffer(
    { ...PLAIN, subject: long, to: [{ email: 'b@x.example', name: long }] },
    { keepsBcc: true },
  )
  assert.ok(linesOf(source).every((line) => line.length <= 998))
})

test('reads a large file while it is written, never whole', async () => {
  const sizeBytes = 20 * 1024 * 1024
  let read = 0
  const large = streamedFile('large.bin', sizeBytes)
  const counted = {
    ...large,
    open: () => large.open().on('data', (chunk: Buffer) => (read += chunk.length)),
  }
  let written = 0
  let furthest = 0
  for await (const chunk of await composeMessage({ ...PLAIN, attachments: [counted] }, { keepsBcc: true })) {
    written += Buffer.from(chunk).length
    furthest = Math.max(furthest, read - written)
  }
  assert.ok(written > (sizeBytes * 4) / 3)
  assert.ok(furthest < 2 * 1024 * 1024, `${furthest} bytes ahead`)
})

test('opens a file when its turn comes, and fails when it fails', async () => {
  const opened: string[] = []
  const one = file('a.bin', 'application/octet-stream', noise(100))
  const content: MailContent = {
    ...PLAIN,
    attachments: [
      { ...one, open: () => (opened.push('a'), one.open()) },
      {
        ...one,
        open: () =>
          new Readable({
            read() {
              this.destroy(new Error('disk on fire'))
            },
          }),
      },
    ],
  }
  const stream = await composeMessage(content, { keepsBcc: true })
  assert.deepEqual(opened, [])
  await assert.rejects(async () => {
    for await (const chunk of stream) assert.ok(chunk)
  }, /disk on fire/)
  assert.deepEqual(opened, ['a'])
})
