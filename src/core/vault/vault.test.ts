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

test('opens at the place where it was sealed, and nowhere else', async () => {
  const sealed = vault.seal(place, 'päss')
  assert.equal(await vault.open(place, sealed), 'päss')
  for (const other of [
    { ...place, table: 'x' },
    { ...place, column: 'x' },
    { ...place, rowId: 'x' },
    { ...place, applicationId: applicationId('x') },
  ]) {
    await assert.rejects(vault.open(other, sealed))
  }
})

test('refuses a value with any character changed', async () => {
  const sealed = vault.seal(place, 'secret')
  await fc.assert(
    fc.asyncProperty(
      fc.nat(sealed.length - 1),
      fc.constantFrom('A', 'b', '0', '.'),
      async (at, character) => {
        const changed = sealed.slice(0, at) + character + sealed.slice(at + 1)
        // The last character of base64url carries unused bits, so another text can be the same value.
        if (
          Buffer.from(changed.split('.')[2] ?? '', 'base64url').equals(
            Buffer.from(sealed.split('.')[2] ?? '', 'base64url'),
          ) &&
          changed.startsWith('g1.k1.')
        )
          return
        await assert.rejects(vault.open(place, changed))
      },
    ),
  )
})

test('seals the same text differently each time, and gives equal digests for equal text only', () => {
  assert.notEqual(vault.seal(place, 'x'), vault.seal(place, 'x'))
  assert.equal(vault.digest('refresh-token', 'x'), vault.digest('refresh-token', 'x'))
  assert.notEqual(vault.digest('refresh-token', 'x'), vault.digest('credential', 'x'))
  assert.notEqual(vault.digest('refresh-token', 'x'), vault.digest('refresh-token', 'y'))
})

test('secrets inside JSON come back as secrets that do not print', async () => {
  const sealed = sealJson(vault, place, {
    kind: 'refresh-token',
    list: [1, null],
    refreshToken: new Secret('tok'),
  })
  const value = await openJson<{ refreshToken: Secret; list: unknown[] }>(vault, place, sealed)
  assert.equal(value.refreshToken.open(), 'tok')
  assert.deepEqual(value.list, [1, null])
  assert.ok(!inspect(value).includes('tok"') && !JSON.stringify(value).includes('tok"'))
})

test('a value under an unknown key makes the keys be read once, and fails when it stays unknown', async () => {
  let reloads = 0
  const sealKeys = new Map([['k1', key]])
  const late = createVault({
    current: { id: 'k1', key },
    sealKeys,
    lookupKey: key,
    reload: () => {
      reloads += 1
      if (reloads > 1) sealKeys.set('k2', key)
      return Promise.resolve()
    },
  })
  const other = createVault({ current: { id: 'k2', key }, sealKeys: new Map(), lookupKey: key })
  const sealed = other.seal(place, 'new')
  assert.equal(await late.open(place, late.seal(place, 'known')), 'known')
  assert.equal(reloads, 0)
  await assert.rejects(late.open(place, sealed), /unknown format or key/)
  assert.equal(await late.open(place, sealed), 'new')
  assert.equal(await late.open(place, sealed), 'new')
  assert.equal(reloads, 2)
})
