import assert from 'node:assert/strict'
import { test } from 'node:test'
import { grantId } from '../../contract/ids.ts'
import { Secret } from '../../kit/secret.ts'
import type { Stores } from '../ports/stores.ts'
import type { GrantUse } from '../ports/grant-secret-store.ts'
import { createUseNotes } from './use-notes.ts'

const HOUR_MS = 3_600_000
const token = { token: new Secret('t'), expiresAtMs: 9, refreshDueMs: 5, version: 3 }
const ada = grantId('ada')

function notesOf(noteUses: (uses: readonly GrantUse[]) => Promise<void>) {
  return createUseNotes({ noteUses } as unknown as Stores['secrets'])
}

test('writes a grant down once an hour however often it is used', async () => {
  const written: GrantUse[] = []
  const notes = notesOf(async (uses) => void written.push(...uses))
  for (let at = 0; at < 100; at++) notes.note(ada, token, at)
  await notes.flush()
  notes.note(ada, token, HOUR_MS - 1)
  await notes.flush()
  assert.deepEqual(written, [{ grantId: ada, version: 3, refreshDueMs: 5 }])
  notes.note(ada, token, HOUR_MS)
  await notes.flush()
  assert.equal(written.length, 2)
})

test('writes many grants in batches', async () => {
  const sizes: number[] = []
  const notes = notesOf(async (uses) => void sizes.push(uses.length))
  for (let at = 0; at < 450; at++) notes.note(grantId(`g${at}`), token, 0)
  await notes.flush()
  assert.deepEqual(sizes, [200, 200, 50])
})

test('keeps what could not be written for the next time', async () => {
  const written: GrantUse[] = []
  let isDown = true
  const notes = notesOf(async (uses) => {
    if (isDown) throw new Error('the database is down')
    written.push(...uses)
  })
  notes.note(ada, token, 0)
  await assert.rejects(notes.flush())
  isDown = false
  await notes.flush()
  await notes.flush()
  assert.equal(written.length, 1)
})
