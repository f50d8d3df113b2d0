import assert from 'node:assert/strict'
import { test } from 'node:test'
import { prepareRaw, type RawDefaults } from './raw-source.ts'

const defaults: RawDefaults = {
  from: 'me@x.example',
  messageId: '<new@x.example>',
  date: 1_780_000_000,
  isDraft: false,
}
const raw = (text: string, more: Partial<RawDefaults> = {}) =>
  prepareRaw(Buffer.from(text, 'latin1'), { ...defaults, ...more })

const WHOLE = [
  'From: A <a@x.example>',
  'To: b@x.example, "C, D" <c@x.example>',
  'Cc: b@x.example',
  'Bcc: hidden@x.example,',
  '\tother@x.example',
  'Resent-Bcc: resent@x.example',
  'Date: Mon, 05 Jan 2026 10:00:00 +0000',
  'Message-ID: <own@x.example>',
  'Subject: s',
  '',
  'Bcc: this is text',
  '',
].join('\r\n')

test('recipients are those of To, Cc and Bcc, each once', () => {
  const { to, from } = raw(WHOLE)
  assert.deepEqual(to, ['b@x.example', 'c@x.example', 'hidden@x.example', 'other@x.example'])
  assert.equal(from, 'a@x.example')
})

test('sends no Bcc, in none of its lines, and keeps it in the own copy; the text stays', () => {
  const { sent, kept } = raw(WHOLE)
  assert.equal(/hidden@|other@|resent@/.test(sent.toString()), false)
  assert.ok(sent.includes('\r\n\r\nBcc: this is text\r\n'))
  assert.equal(kept.toString(), WHOLE)
})

test('adds what is missing, and nothing else', () => {
  const { sent, headers } = raw('To: b@x.example\n\ntext')
  assert.equal(
    sent.toString(),
    'From: me@x.example\r\nDate: Thu, 28 May 2026 20:26:40 +0000\r\nMessage-ID: <new@x.example>\r\nTo: b@x.example\r\n\r\ntext',
  )
  assert.equal(headers.length, 4)
})

test('brings every kind of line end to CRLF', () => {
  const { sent } = raw('To: b@x.example\nFrom: a@x.example\rDate: x\r\nMessage-ID: <1@x>\n\na\nb\rc\r\n')
  assert.equal(
    sent.toString(),
    'To: b@x.example\r\nFrom: a@x.example\r\nDate: x\r\nMessage-ID: <1@x>\r\n\r\na\r\nb\r\nc\r\n',
  )
})

test('a source without a body, or without recipients', () => {
  assert.ok(raw('To: b@x.example').sent.toString().endsWith('To: b@x.example\r\n\r\n'))
  for (const text of [
    '',
    '\r\ntext',
    'Subject: s\n\nTo: b@x.example',
    'To: nobody\n\n',
    'To: undisclosed:;\n\n',
  ]) {
    assert.throws(() => raw(text), { kind: 'invalid-request' })
  }
})

test('a header can not smuggle in another one', () => {
  const { to } = raw('To: b@x.example\nSubject: s\n Bcc: c@x.example\n\n')
  assert.deepEqual(to, ['b@x.example'])
})

test('tells whether there are bytes outside ASCII', () => {
  assert.equal(raw('To: b@x.example\n\nASCII').is8Bit, false)
  assert.equal(raw('To: b@x.example\n\n\xe4').is8Bit, true)
  assert.deepEqual(raw('To: b@x.example\n\n\xe4').sent.at(-1), 0xe4)
})

test('a draft is dated when it goes, and loses the notes of its mail client', () => {
  const noted = `X-Mozilla-Draft-Info: a;\r\n b\r\nFCC: imap://me@host/Sent\r\nX-Unsent: 1\r\n${WHOLE}`
  const { sent, kept } = raw(noted, { isDraft: true })
  assert.ok(sent.includes('Date: Thu, 28 May 2026 20:26:40 +0000\r\n'))
  assert.equal(/10:00:00|Mozilla|FCC|X-Unsent|\n b\r/.test(`${sent.toString()}${kept.toString()}`), false)
  assert.ok(raw(noted).sent.includes('FCC: imap'))
})
