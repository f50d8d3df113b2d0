import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { applicationId } from '../../contract/ids.ts'
import { Secret } from '../../kit/secret.ts'
import { openJson, sealJson } from './sealed-json.ts'
import { createVault } from './vault.ts'

const key = randomBytes(32)
const vault = createVault({
  current: { id: 'k1', key },
  sealKeys: new Map([['k1', key]]),
  lookupKey: randomBytes(32),
})
const place = { table: 'grants', column: 'secret', rowId: 'g', applicationId: applicationId('a') }

test('opens at the place where it was sealed, and nowhere else', () => {
  const sealed = vault.seal(place, 'päss')
  assert.equal(vault.open(place, sealed), 'päss')
  for (const other of [
    { ...place, table: 'x' },
    { ...place, column: 'x' },
    { ...place, rowId: 'x' },
    { ...place, applicationId: applicationId('x') },
  ]) {
    assert.throws(() => vault.open(other, sealed))
  }
})

test('refuses a value with any character changed', () => {
  const sealed = vault.seal(place, 'secret')
  fc.assert(
    fc.property(fc.nat(sealed.length - 1), fc.constantFrom('A', 'b', '0', '.'), (at, character) => {
      const changed = sealed.slice(0, at) + character + sealed.slice(at + 1)
      // The last character of base64url carries unused bits, so another text can be the same value.
      if (
        Buffer.from(changed.split('.')[2] ?? '', 'base64url').equals(
          Buffer.from(sealed.split('.')[2] ?? '', 'base64url'),
        ) &&
        changed.startsWith('g1.k1.')
      )
        return
      assert.throws(() => vault.open(place, changed))
    }),
  )
})

test('seals the same text differently each time, and gives equal digests for equal text only', () => {
  assert.notEqual(vault.seal(place, 'x'), vault.seal(place, 'x'))
  assert.equal(vault.digest('refresh-token', 'x'), vault.digest('refresh-token', 'x'))
  assert.notEqual(vault.digest('refresh-token', 'x'), vault.digest('credential', 'x'))
  assert.notEqual(vault.digest('refresh-token', 'x'), vault.digest('refresh-token', 'y'))
})

test('secrets inside JSON come back as secrets that do not print', () => {
  const sealed = sealJson(vault, place, {
    kind: 'refresh-token',
    list: [1, null],
    refreshToken: new Secret('tok'),
  })
  const value = openJson<{ refreshToken: Secret; list: unknown[] }>(vault, place, sealed)
  assert.equal(value.refreshToken.open(), 'tok')
  assert.deepEqual(value.list, [1, null])
  assert.ok(!inspect(value).includes('tok"') && !JSON.stringify(value).includes('tok"'))
})
