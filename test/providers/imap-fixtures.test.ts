import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { checkShape } from '../../src/kit/shape.ts'
import { Message } from '../../src/contract/message.ts'
import { messageFromSource } from '../../src/standards/imap-mail/message-from-source.ts'

const FOLDER = join(import.meta.dirname, '..', 'fixtures', 'eml')
const files = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.eml'),
)

const mapped = (name: string) =>
  messageFromSource(readFileSync(join(FOLDER, name)), {
    grantId: 'g',
    date: 1,
    folders: ['INBOX'],
    unread: true,
    starred: false,
    place: { path: 'INBOX', uidValidity: 1, uid: 1 },
  })

test('every fixture becomes a whole message', () => {
  assert.equal(files.length, 177)
  for (const name of files) {
    const message = mapped(name)
    const checked = checkShape(Message, message, name)
    assert.ok(checked.ok, checked.ok ? '' : checked.problem)
    for (const field of ['subject', 'snippet', 'body'] as const)
      assert.equal(typeof message[field], 'string', name)
    for (const list of [message.from, message.to, message.cc, message.bcc, message.reply_to]) {
      for (const address of list) assert.equal(typeof address.email, 'string', name)
    }
  }
})

test('fixtures in legacy charsets read as what they say', () => {
  const message = mapped('multi_charset__japanese_iso_2022.eml'.replace(/^/, 'mail-gem/'))
  assert.match(message.body, /[\u3040-\u30ff\u4e00-\u9fff]/)
  const attachment = mapped('mail-gem/attachment_emails__attachment_with_encoded_name.eml').attachments[0]
  assert.ok(attachment && !attachment.filename.includes('=?'), attachment?.filename)
})

test('mail with an attachment tells its name, type and size', () => {
  const message = mapped('mail-gem/attachment_emails__attachment_pdf.eml')
  const pdf = message.attachments.find((attachment) => attachment.content_type.startsWith('application/'))
  assert.ok(pdf)
  assert.match(pdf.filename, /\.pdf$/i)
  assert.match(pdf.id, /^a0\.[A-Za-z0-9_-]+$/)
  assert.ok(pdf.size > 0)
})
