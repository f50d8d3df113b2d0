import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { makeRow, packRows, unpackRows } from './index-rows.ts'
import { digestOf, rootDigestOf, threadIdOf } from './message-id.ts'

const place = { path: 'INBOX', uidValidity: 1, uid: 7 }
const header = (...lines: string[]) => Buffer.from(`${lines.join('\r\n')}\r\n\r\n`)

test('a row survives packing, whatever the headers hold', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.string(), fc.array(fc.stringMatching(/^<[a-z]{1,9}@x>$/)), fc.boolean())),
      (mails) => {
        const rows = mails.map(([id, references, holdsId], at) => ({
          ...makeRow(
            { ...place, uid: 2 ** 32 - 1 - at },
            new Date(at * 1e9),
            at,
            header(`Message-ID: ${id}`, `References: ${references.join(' ')}`),
          ),
          holdsId,
        }))
        assert.deepEqual(unpackRows('INBOX', packRows(rows)), rows)
      },
    ),
  )
})

test('bytes that were cut, or are none of ours, give fewer rows and no error', () => {
  const made = makeRow(place, undefined, undefined, header('Message-ID: <a@x>', 'References: <b@x> <c@x>'))
  const packed = packRows([
    { ...made, holdsId: true },
    { ...made, holdsId: true },
  ])
  for (let length = 0; length < packed.length; length += 1) {
    assert.ok(unpackRows('INBOX', packed.subarray(0, length)).length <= 1)
  }
  fc.assert(fc.property(fc.uint8Array(), (bytes) => unpackRows('INBOX', Buffer.from(bytes)).length >= 0))
})

test('a row takes about 40 bytes, and remembers nothing that can be read', () => {
  const made = makeRow(place, new Date(1e12), 5, header('Message-ID: <secret@x>', 'Subject: secret'))
  const packed = packRows([{ ...made, holdsId: true }])
  assert.ok(packed.length <= 40, String(packed.length))
  assert.ok(!packed.includes('secret') && !JSON.stringify(made).includes('secret'))
})

test('long References keep the root and the nearest ancestors', () => {
  const ids = Array.from({ length: 500 }, (_, n) => `<r${n}@x>`)
  const { links } = makeRow(place, undefined, 1, header('Message-ID: <a@x>', `References: ${ids.join(' ')}`))
  assert.ok(links.length <= 12, String(links.length))
  assert.ok(links.includes(digestOf('<r0@x>')) && links.includes(digestOf('<r499@x>')))
})

test('a thread id tells the digest of its root, in both forms', () => {
  for (const id of ['<a@x>', `<${'long'.repeat(100)}@x>`]) {
    const { row } = makeRow(place, undefined, 1, header(`Message-ID: ${id}`))
    assert.equal(rootDigestOf(threadIdOf({ messageId: id }, id)), row.root)
  }
  assert.equal(rootDigestOf('h.short'), undefined)
  assert.equal(rootDigestOf('anything'), undefined)
})
