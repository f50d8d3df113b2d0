import assert from 'node:assert/strict'
import { test } from 'node:test'
import { file, hardMessages, noise } from '../../../test/support/hard-messages.ts'
import { assertSameMail } from '../../../test/support/same-mail.ts'
import { composeToBuffer } from '../../formats/mime/compose-message.ts'
import { headerValue, parseHeaderBlock } from '../../formats/mime/headers.ts'
import { changedContent, contentOfDraft } from './draft-content.ts'

const facts = { email: 'me@x.example', messageId: '<1@x.example>', date: 1_780_000_000 }
const source = (text: string) => Buffer.from(text.replace(/\n/g, '\r\n'), 'latin1')
const written = (content: ReturnType<typeof contentOfDraft>) => composeToBuffer(content, { keepsBcc: true })

for (const { name, message } of hardMessages('draft').filter((hard) => !hard.isLarge)) {
  test(`reads a draft back so that it can be written again and again: ${name}`, async () => {
    const content = { ...message, from: message.from ?? { email: facts.email } }
    let stored = await written(content)
    for (let times = 0; times < 2; times += 1)
      stored = await written(contentOfDraft(stored, { ...facts, ...message }))
    await assertSameMail(stored, message, { withBcc: true })
  })
}

test('keeps the threading of a draft, and replaces it by that of another reply', async () => {
  const content = contentOfDraft(
    source('References: <a@x>\n <b@x>\nIn-Reply-To: <b@x>\nSubject: s\n\ntext\n'),
    facts,
  )
  const kept = parseHeaderBlock(await written(changedContent(content, { subject: 't' }, undefined)))
  assert.equal(headerValue(kept, 'references'), '<a@x> <b@x>')
  assert.equal(headerValue(kept, 'in-reply-to'), '<b@x>')
  const other = parseHeaderBlock(await written(changedContent(content, { subject: 't' }, ['<c@x>', '<d@x>'])))
  assert.equal(headerValue(other, 'references'), '<c@x> <d@x>')
  assert.equal(headerValue(other, 'in-reply-to'), '<d@x>')
})

test('writes threading headers once when the client gives its own', async () => {
  const content = contentOfDraft(source('References: <a@x>\nIn-Reply-To: <a@x>\n\ntext\n'), facts)
  const headers = [{ name: 'In-Reply-To', value: '<own@x>' }]
  const fields = parseHeaderBlock(await written(changedContent(content, { headers }, undefined)))
  const named = fields.filter(({ name }) => name.toLowerCase() === 'in-reply-to').map(({ value }) => value)
  assert.deepEqual(named, ['<own@x>'])
})

test('custom headers given replace those before, and leave out what servers wrote', async () => {
  const content = contentOfDraft(
    source('Received: by mx\nReturn-Path: <a@x>\nX-One: 1\nMIME-Version: 1.0\n\ntext\n'),
    facts,
  )
  assert.deepEqual(content.headers, [{ name: 'X-One', value: '1' }])
  const changed = changedContent(content, { headers: [{ name: 'X-Two', value: '2' }] }, undefined)
  assert.deepEqual(changed.headers, [{ name: 'X-Two', value: '2' }])
})

test('a given list replaces the old one, an empty one too', () => {
  const content = contentOfDraft(source('To: a@x.example\nBcc: b@x.example\n\ntext\n'), facts)
  const changed = changedContent(
    content,
    { to: [], attachments: [file('a', 'text/plain', noise(3))] },
    undefined,
  )
  assert.deepEqual(changed.to, [])
  assert.deepEqual(changed.bcc, [{ email: 'b@x.example' }])
  assert.deepEqual(
    changed.attachments.map(({ filename }) => filename),
    ['a'],
  )
})

test('converts the body when its form alone changes', () => {
  const plain = contentOfDraft(source('Content-Type: text/plain\n\na < b\nc'), facts)
  const html = changedContent(plain, { isPlaintext: false }, undefined)
  assert.deepEqual([html.body, html.isPlaintext], ['a &lt; b<br>\r\nc', false])
  const marked = contentOfDraft(source('Content-Type: text/html\n\n<p>a &lt; b</p>'), facts)
  const text = changedContent(marked, { isPlaintext: true }, undefined)
  assert.deepEqual([text.body.trim(), text.isPlaintext], ['a < b', true])
})

test('reads broken sources without throwing', () => {
  for (const text of [
    '',
    '\n',
    'From:\n\n',
    'Content-Type: multipart/mixed; boundary=x\n\n--x\n',
    '\xff\xfe: \x00',
  ]) {
    const content = contentOfDraft(source(text), facts)
    assert.deepEqual([content.from, content.to], [{ email: facts.email }, []])
  }
})
