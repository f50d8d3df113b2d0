import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createVault } from '../vault/vault.ts'
import { decodeCursor, encodeCursor } from './cursor.ts'

const key = Buffer.alloc(32, 7)
const vault = createVault({ current: { id: 'k', key }, sealKeys: new Map([['k', key]]), lookupKey: key })
const scope = { grantId: 'g', route: 'messages', filter: { subject: 'x', unread: true } }

test('opens its own cursor whatever the order of the filter', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const cursor = encodeCursor(vault, scope, text)
      assert.match(cursor, /^[A-Za-z0-9._-]+$/)
      assert.equal(decodeCursor(vault, { ...scope, filter: { unread: true, subject: 'x' } }, cursor), text)
    }),
  )
})

test('refuses a cursor of another grant, route or filter, and garbage', () => {
  const cursor = encodeCursor(vault, scope, 'token')
  for (const other of [
    { ...scope, grantId: 'h' },
    { ...scope, route: 'folders' },
    { ...scope, filter: {} },
  ]) {
    assert.throws(() => decodeCursor(vault, other, cursor), /page_token/)
  }
  fc.assert(
    fc.property(fc.string(), (text) => assert.throws(() => decodeCursor(vault, scope, text), /page_token/)),
  )
})
