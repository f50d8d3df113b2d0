import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeFolderId, encodeFolderId } from './folder-id.ts'
import { decodeListCursor, encodeListCursor } from './list-cursor.ts'
import { decodePlaceId, encodePlaceId, publicMessageId, rootOfThread, threadIdOf } from './message-id.ts'
import { parseNativeSearch } from './native-search.ts'
import { uidSet } from './uid-set.ts'

const path = fc
  .string({ minLength: 1, maxLength: 60, unit: 'grapheme' })
  .filter((text) => Array.from(text).every((character) => character >= ' ' && character !== '\x7f'))
const whole = fc.integer({ min: 1, max: 4_294_967_295 })

test('folder ids are URL-safe and read back; INBOX in other capitals is no id', () => {
  fc.assert(
    fc.property(path, (text) => {
      fc.pre(text.toUpperCase() !== 'INBOX')
      const id = encodeFolderId(text)
      assert.match(id, /^[A-Za-z0-9._-]+$/)
      assert.equal(decodeFolderId(id), text)
    }),
  )
  assert.equal(encodeFolderId('INBOX'), 'INBOX')
  assert.equal(encodeFolderId('INBOX.Sent'), 'INBOX.Sent')
  assert.equal(decodeFolderId(encodeFolderId('f.abc')), 'f.abc')
  assert.equal(decodeFolderId('Projects/Ä & B'), 'Projects/Ä & B')
  for (const id of ['inbox', 'Inbox', '', 'a\r\nb']) assert.equal(decodeFolderId(id), undefined, id)
})

test('place ids read back, others do not', () => {
  fc.assert(
    fc.property(path, whole, whole, (text, uidValidity, uid) => {
      const place = { path: text, uidValidity, uid }
      const id = encodePlaceId(place)
      assert.match(id, /^m\.[A-Za-z0-9_-]+$/)
      assert.deepEqual(decodePlaceId(id), place)
    }),
  )
  for (const id of ['m.', 'm.!!', '<a@b>', 'm.W10']) assert.equal(decodePlaceId(id), undefined, id)
})

test('a Message-ID is a public id only where every SDK can carry it', () => {
  assert.equal(publicMessageId(' <a/b+c#d@x> '), '<a/b+c#d@x>')
  for (const header of [
    '',
    'a@b',
    '<a b@c>',
    '<a%2Fb@c>',
    '<a@b> <c@d>',
    '<ü@x>',
    `<${'a'.repeat(300)}@x>`,
  ]) {
    assert.equal(publicMessageId(header), undefined, header)
  }
})

test('a thread id names the root of the references and reads back', () => {
  const id = threadIdOf({ messageId: '<c@x>', inReplyTo: '<b@x>', references: '<a@x> <b@x>' }, 'own')
  assert.equal(rootOfThread(id), '<a@x>')
  assert.equal(rootOfThread(threadIdOf({ messageId: '<c@x>' }, 'own')), '<c@x>')
  assert.match(threadIdOf({}, 'own'), /^h\.[\w-]{22}$/)
  assert.match(threadIdOf({ messageId: `<${'a'.repeat(200)}@x>` }, 'own'), /^h\.[\w-]{22}$/)
  assert.equal(rootOfThread('t.!!'), undefined)
})

test('list cursors read back; anything else is refused', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record(
          { path, uidValidity: whole, low: whole, high: fc.option(whole), date: whole, uid: whole },
          { noNullPrototype: true },
        ),
      ),
      (positions) => {
        assert.deepEqual(decodeListCursor(encodeListCursor(positions)), positions)
      },
    ),
  )
  for (const cursor of ['', 'x', Buffer.from('{"at":[[1]]}').toString('base64url')]) {
    assert.throws(() => decodeListCursor(cursor), { kind: 'invalid-request' }, cursor)
  }
})

test('UID sets are compact', () => {
  assert.equal(uidSet([9, 1, 2, 3, 5]), '1:3,5,9')
  assert.equal(uidSet([]), '')
})

test('parses RFC 3501 search keys', () => {
  assert.deepEqual(parseNativeSearch('UNSEEN from "Ada M" larger 1000'), {
    seen: false,
    from: 'Ada M',
    larger: 1000,
  })
  assert.deepEqual(parseNativeSearch('OR (FROM a SUBJECT "b \\" c") NOT SEEN'), {
    or: [{ from: 'a', subject: 'b " c' }, { not: { seen: true } }],
  })
  assert.deepEqual(parseNativeSearch('SINCE 1-Feb-2026'), { since: new Date('2026-02-01') })
  assert.deepEqual(parseNativeSearch('FROM a FROM b'), {
    not: { or: [{ not: { from: 'a' } }, { not: { from: 'b' } }] },
  })
  assert.deepEqual(parseNativeSearch('HEADER X-Testworld plain UID 1:5,9'), {
    header: { 'X-Testworld': 'plain' },
    uid: '1:5,9',
  })
})

test('refuses what is no search key, and every injection', () => {
  for (const text of [
    '',
    'SEEN)',
    '(SEEN',
    '()',
    'SEEN\r\nA1 DELETE INBOX',
    'FROM',
    'FROM ""',
    'FROM "unclosed',
    'FROM {5}',
    '1:5',
    'SINCE 30-Feb-2026',
    'LARGER x',
    'FOO bar',
    'CHARSET UTF-8 SEEN',
    'KEYWORD \\Seen',
    'HEADER "X (" y',
    'X-GM-RAW x',
    '('.repeat(50) + 'SEEN' + ')'.repeat(50),
    'SEEN '.repeat(300),
  ]) {
    assert.throws(() => parseNativeSearch(text), { kind: 'invalid-request' }, text)
  }
})

test('the search parser fails only by its own error', () => {
  const word = fc.constantFrom(
    'OR',
    'NOT',
    '(',
    ')',
    'SEEN',
    'FROM',
    '"a"',
    'UID',
    '1:*',
    'HEADER',
    'SINCE',
    '1-Jan-2026',
  )
  fc.assert(
    fc.property(fc.array(fc.oneof(word, fc.string({ maxLength: 5 }))), (words) => {
      try {
        parseNativeSearch(words.join(' '))
      } catch (error) {
        assert.equal(error instanceof Error && error.name, 'ProviderError')
      }
    }),
  )
})
