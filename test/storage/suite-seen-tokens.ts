import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { grantId } from '../../src/contract/ids.ts'
import type { SeenTokenKey } from '../../src/core/ports/stores.ts'
import { aGrant, anAttempt, aTokenKey } from './records.ts'
import type { Subject } from './suite.ts'

const DAY_MS = 86_400_000

export function coversSeenTokens(subject: Subject): void {
  const stores = () => subject().database.stores
  const stateOf = async (key: SeenTokenKey) => (await stores().seenTokens.find(key))?.state

  async function aPending() {
    const id = randomUUID()
    const record = {
      id,
      applicationId: aTokenKey().applicationId,
      provider: 'google' as const,
      clientId: 'client',
      sealed: 's1',
    }
    await stores().pendingSecrets.insert(record)
    return record
  }

  test('lets one of many callers try a token that nobody knew', async () => {
    const key = aTokenKey()
    const handles = [subject().database, await subject().other()]
    const attempts = Array.from({ length: 50 }, () => anAttempt())
    const won = await Promise.all(
      attempts.map((attempt, at) => handles[at % 2]!.stores.seenTokens.insertAttempt(key, attempt)),
    )
    assert.equal(won.filter(Boolean).length, 1)
    const found = await stores().seenTokens.find(key)
    const { id, holder } = attempts[won.indexOf(true)]!
    assert.ok(found?.state.kind === 'attempted')
    assert.deepEqual(found, {
      ...key,
      state: {
        kind: 'attempted',
        attempt: { id, holder, startedAtMs: found.state.attempt.startedAtMs },
        tries: 1,
      },
      readAtMs: found.readAtMs,
    })
    assert.ok(found.state.attempt.startedAtMs <= found.readAtMs)
  })

  test('finds the grant of a token by its digest alone, within the application', async () => {
    const grant = aGrant()
    await stores().grants.insert(grant)
    const [granted, pending] = [aTokenKey(), aTokenKey()]
    const found = (key: SeenTokenKey, applicationId = key.applicationId) =>
      stores().seenTokens.findGrantByDigest(applicationId, key.digest)
    await stores().seenTokens.insertAttempt(granted, anAttempt())
    assert.equal(await found(granted), null)
    await stores().seenTokens.setGranted(granted, grant.id, 3)
    await stores().seenTokens.setPending(pending, (await aPending()).id)
    assert.equal(await found(granted), grant.id)
    assert.equal(await found(granted, aTokenKey().applicationId), null)
    assert.equal(await found(pending), null)
    assert.equal(await found(aTokenKey()), null)
  })

  test('knows a token by application, provider, client and digest together', async () => {
    const key = aTokenKey()
    await stores().seenTokens.insertAttempt(key, anAttempt())
    for (const other of [
      aTokenKey({ ...key, applicationId: aTokenKey().applicationId }),
      { ...key, provider: 'zoom' as const },
      { ...key, clientId: 'other' },
      { ...key, digest: 'other' },
    ]) {
      assert.equal(await stores().seenTokens.find(other), null)
    }
  })

  test('lets an attempt be taken over by one who saw the newest', async () => {
    const key = aTokenKey()
    const [first, second] = [anAttempt(), anAttempt('other')]
    await stores().seenTokens.insertAttempt(key, first)
    const handles = [subject().database, await subject().other()]
    const won = await Promise.all(
      Array.from({ length: 20 }, (_, at) =>
        handles[at % 2]!.stores.seenTokens.retakeAttempt(key, first.id, at === 7 ? second : anAttempt()),
      ),
    )
    assert.equal(won.filter(Boolean).length, 1)
    const state = await stateOf(key)
    assert.equal(state?.kind === 'attempted' && state.tries, 2)
    assert.equal(await stores().seenTokens.deleteAttempt(key, first.id), false)
    assert.equal(await stores().seenTokens.retakeAttempt(key, first.id, anAttempt()), false)
  })

  test('shows an abandoned attempt as held by nobody alive', async () => {
    const key = aTokenKey()
    const attempt = anAttempt(subject().database.liveness.self)
    await stores().seenTokens.insertAttempt(key, attempt)
    assert.equal(await subject().database.liveness.isAlive(attempt.holder), true)
    await stores().seenTokens.abandonAttempt(key, 'another attempt')
    await stores().seenTokens.abandonAttempt(key, attempt.id)
    const state = await stateOf(key)
    assert.ok(state?.kind === 'attempted')
    assert.equal(state.attempt.id, attempt.id)
    assert.equal(await subject().database.liveness.isAlive(state.attempt.holder), false)
    assert.equal(await stores().seenTokens.deleteAttempt(key, attempt.id), true)
    assert.equal(await stores().seenTokens.find(key), null)
  })

  test('goes from attempt to pending to grant, and is no attempt any more', async () => {
    const key = aTokenKey()
    const rotated = { ...key, digest: randomUUID() }
    const attempt = anAttempt()
    const pending = await aPending()
    const grant = aGrant()
    await stores().grants.insert(grant)
    await stores().seenTokens.insertAttempt(key, attempt)
    await stores().seenTokens.setPending(key, pending.id)
    await stores().seenTokens.setPending(rotated, pending.id)
    assert.deepEqual(await stateOf(key), { kind: 'pending', pendingId: pending.id })
    assert.deepEqual(await stateOf(rotated), { kind: 'pending', pendingId: pending.id })
    assert.equal(await stores().seenTokens.deleteAttempt(key, attempt.id), false)
    assert.equal(await stores().seenTokens.retakeAttempt(key, attempt.id, anAttempt()), false)
    assert.equal(await stores().seenTokens.insertAttempt(key, anAttempt()), false)
    await stores().seenTokens.grantPending(pending.id, grant.id, 3)
    const granted = { kind: 'granted', grantId: grant.id, version: 3 }
    assert.deepEqual(await stateOf(key), granted)
    assert.deepEqual(await stateOf(rotated), granted)
    await stores().seenTokens.deleteOfPending(pending.id)
    assert.deepEqual(await stateOf(key), granted)
    await stores().seenTokens.setGranted(key, grant.id, 4)
    assert.deepEqual(await stateOf(key), { ...granted, version: 4 })
  })

  test('points an unknown token at a grant, and refuses a grant that is gone', async () => {
    const grant = aGrant()
    const key = aTokenKey()
    await subject().database.transaction(async (inside) => {
      await inside.seenTokens.setGranted(key, grant.id, 1)
      await inside.grants.insert(grant)
    })
    assert.deepEqual(await stateOf(key), { kind: 'granted', grantId: grant.id, version: 1 })
    await assert.rejects(stores().seenTokens.setGranted(aTokenKey(), grantId('gone'), 1), { status: 404 })
  })

  test('deletes the tokens of a pending secret', async () => {
    const [key, other] = [aTokenKey(), aTokenKey()]
    const [pending, kept] = [await aPending(), await aPending()]
    await stores().seenTokens.setPending(key, pending.id)
    await stores().seenTokens.setPending(other, kept.id)
    await stores().seenTokens.deleteOfPending(pending.id)
    assert.equal(await stores().seenTokens.find(key), null)
    assert.ok(await stores().seenTokens.find(other))
  })

  test('changes a pending secret by compare-and-swap', async () => {
    const record = await aPending()
    const found = await stores().pendingSecrets.find(record.id)
    assert.ok(found && Number.isInteger(found.createdAtMs))
    assert.deepEqual(found, { ...record, version: 1, createdAtMs: found.createdAtMs })
    assert.equal(await stores().pendingSecrets.update(record.id, 1, 's2'), true)
    assert.equal(await stores().pendingSecrets.update(record.id, 1, 's3'), false)
    assert.deepEqual(await stores().pendingSecrets.find(record.id), { ...found, version: 2, sealed: 's2' })
    await stores().pendingSecrets.delete(record.id)
    assert.equal(await stores().pendingSecrets.find(record.id), null)
  })

  test('drops pending secrets and their tokens when their day is over, not before', async () => {
    const [pending, young] = [await aPending(), aTokenKey()]
    const key = aTokenKey()
    await stores().seenTokens.setPending(key, pending.id)
    await stores().seenTokens.insertAttempt(young, anAttempt())
    await stores().pendingSecrets.deleteOlderThan(DAY_MS)
    assert.ok(await stores().pendingSecrets.find(pending.id))
    const tomorrow = (await subject().later(DAY_MS + 60_000)).stores
    assert.ok((await tomorrow.pendingSecrets.deleteOlderThan(DAY_MS)) >= 1)
    assert.equal(await tomorrow.pendingSecrets.find(pending.id), null)
    assert.equal(await tomorrow.seenTokens.find(key), null)
    assert.ok(await tomorrow.seenTokens.find(young))
    assert.equal(await tomorrow.pendingSecrets.deleteOlderThan(DAY_MS), 0)
  })
}
