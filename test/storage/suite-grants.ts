import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { connectorId, credentialId, grantId } from '../../src/contract/ids.ts'
import type { GrantRecord } from '../../src/core/ports/records.ts'
import { aGrant, aTokenKey, newApplicationId, someTokens } from './records.ts'
import type { Subject } from './suite.ts'
import { randomIds } from '../../src/kit/ids.ts'

const REASON = {
  code: 'refresh_token_revoked',
  message: 'The provider says it is revoked.',
  advice: 'Sign in again.',
  provider_error: { error: 'invalid_grant' },
  at: 1_700_000_050,
}

export function coversGrants(subject: Subject): void {
  const stores = () => subject().database.stores

  test('keeps a grant whole, found by application and id only', async () => {
    const full = aGrant({ accountId: 'v2-account', reason: REASON, status: 'invalid', blocked: true })
    const bare = aGrant({
      identityKey: null,
      providerUserId: null,
      name: null,
      state: null,
      ip: null,
      userAgent: null,
      scope: [],
      settings: {},
    })
    for (const grant of [full, bare]) {
      assert.equal(await stores().grants.insert(grant), true)
      assert.deepEqual(await stores().grants.find(grant.applicationId, grant.id), grant)
      assert.equal(await stores().grants.find(newApplicationId(), grant.id), null)
    }
    assert.deepEqual(await stores().grants.findByAccountId(full.applicationId, 'v2-account'), full)
    assert.equal(await stores().grants.findByAccountId(bare.applicationId, 'v2-account'), null)
  })

  test('fills in who a grant is, once, and changes nothing else', async () => {
    const grant = aGrant({ identityKey: null, providerUserId: null, status: 'invalid', reason: REASON })
    const known = aGrant()
    await stores().grants.insert(grant)
    await stores().grants.insert(known)
    const note = (of: GrantRecord, name?: string, scope?: readonly string[]) =>
      stores().grants.noteIdentity(of.applicationId, of.id, {
        identityKey: 'sub',
        providerUserId: 'user',
        name,
        scope,
        updatedAt: 1_700_000_200,
      })
    assert.equal(await note({ ...grant, applicationId: newApplicationId() }), false)
    assert.equal(await note(known, 'Other'), false)
    assert.deepEqual(await stores().grants.find(known.applicationId, known.id), known)
    assert.equal(await note(grant), true)
    const noted = { ...grant, identityKey: 'sub', providerUserId: 'user', updatedAt: 1_700_000_200 }
    assert.deepEqual(await stores().grants.find(grant.applicationId, grant.id), noted)
    assert.equal(await note(grant, 'Other'), false)
    const named = aGrant({ identityKey: null, providerUserId: null })
    await stores().grants.insert(named)
    assert.equal(await note(named, 'New name', ['a', 'b']), true)
    const found = await stores().grants.find(named.applicationId, named.id)
    assert.deepEqual([found?.name, found?.scope], ['New name', ['a', 'b']])
  })

  test('tells whether another grant, of any application, is of the same account', async () => {
    const identityKey = randomIds.uuid()
    const grant = aGrant({ identityKey })
    await stores().grants.insert(grant)
    assert.equal(await stores().grants.sharesAccount(grant), false)
    assert.equal(await stores().grants.insert(aGrant({ identityKey, provider: 'imap' })), true)
    assert.equal(await stores().grants.sharesAccount(grant), false)
    const twin = aGrant({ identityKey })
    await stores().grants.insert(twin)
    assert.equal(await stores().grants.sharesAccount(grant), true)
    assert.equal(await stores().grants.sharesAccount({ ...twin, identityKey: null }), false)
  })

  test('refuses a second grant of a mailbox, an id or an account id', async () => {
    const grant = aGrant({ accountId: 'a1' })
    const { applicationId } = grant
    assert.equal(await stores().grants.insert(grant), true)
    assert.equal(await stores().grants.insert(aGrant({ applicationId, email: grant.email })), false)
    assert.equal(await stores().grants.insert(aGrant({ id: grant.id })), false)
    assert.equal(await stores().grants.insert(aGrant({ applicationId, accountId: 'a1' })), false)
    assert.equal(await stores().grants.insert(aGrant({ email: grant.email, accountId: 'a1' })), true)
    const imap = aGrant({ applicationId, email: grant.email, provider: 'imap' })
    assert.equal(await stores().grants.insert(imap), true)
    assert.deepEqual(await stores().grants.findByMailbox(applicationId, 'imap', grant.emailKey), imap)
    assert.deepEqual(await stores().grants.listByEmail(applicationId, grant.emailKey), [grant, imap])
  })

  test('makes one grant of a mailbox when many callers insert it at once', async () => {
    const applicationId = newApplicationId()
    const handles = [subject().database, await subject().other()]
    const won = await Promise.all(
      Array.from({ length: 50 }, (_, at) =>
        handles[at % 2]!.stores.grants.insert(aGrant({ applicationId, email: 'same@example.com' })),
      ),
    )
    assert.equal(won.filter(Boolean).length, 1)
  })

  test('replaces everything of a grant but what it is found by', async () => {
    const grant = aGrant()
    await stores().grants.insert(grant)
    const changed = {
      ...aGrant({ id: grant.id, applicationId: grant.applicationId, accountId: randomUUID() }),
      status: 'invalid' as const,
      reason: REASON,
      name: null,
      scope: ['a', 'b'],
      credentialId: credentialId('c1'),
      blocked: true,
      updatedAt: 1_800_000_000,
    }
    await stores().grants.update({ ...changed, provider: 'imap', createdAt: 1 })
    assert.deepEqual(await stores().grants.find(grant.applicationId, grant.id), {
      ...changed,
      provider: 'google',
      createdAt: grant.createdAt,
    })
    await stores().grants.update({ ...changed, applicationId: newApplicationId(), name: 'stolen' })
    assert.equal((await stores().grants.find(grant.applicationId, grant.id))?.name, null)
  })

  test('says exactly once that a grant became invalid', async () => {
    const grant = aGrant()
    await stores().grants.insert(grant)
    assert.equal(await stores().grants.markInvalid(newApplicationId(), grant.id, REASON), false)
    const handles = [subject().database, await subject().other()]
    const changed = await Promise.all(
      Array.from({ length: 50 }, (_, at) =>
        handles[at % 2]!.transaction((inside) =>
          inside.grants.markInvalid(grant.applicationId, grant.id, REASON),
        ),
      ),
    )
    assert.equal(changed.filter(Boolean).length, 1)
    const found = await stores().grants.find(grant.applicationId, grant.id)
    assert.deepEqual(found, { ...grant, status: 'invalid', reason: REASON })
  })

  test('walks the valid grants of a connector and of a credential by id', async () => {
    const applicationId = newApplicationId()
    const of = { connectorId: connectorId(randomUUID()), credentialId: credentialId(randomUUID()) }
    const grants = ['b', 'c', 'a', 'd'].map((name) =>
      aGrant({ applicationId, ...of, id: grantId(`${name}-${randomUUID()}`) }),
    )
    for (const grant of grants) await stores().grants.insert(grant)
    await stores().grants.insert(aGrant({ applicationId }))
    await stores().grants.markInvalid(applicationId, grants[1]!.id, REASON)
    const expected = [grants[2]!, grants[0]!, grants[3]!]
    for (const owner of [{ connectorId: of.connectorId }, { credentialId: of.credentialId }]) {
      const first = await stores().grants.listValidOf(owner, null, 2)
      assert.deepEqual(first, expected.slice(0, 2))
      assert.deepEqual(await stores().grants.listValidOf(owner, first[1]!.id, 2), expected.slice(2))
    }
  })

  test('deletes a grant with its secret and its seen tokens', async () => {
    const [grant, kept] = [aGrant(), aGrant()]
    const keys = [aTokenKey(), aTokenKey()]
    for (const [at, one] of [grant, kept].entries()) {
      await stores().grants.insert(one)
      await stores().secrets.insert(one.id, one.applicationId, someTokens())
      await stores().seenTokens.setGranted(keys[at]!, one.id, 1)
    }
    assert.equal(await stores().grants.delete(newApplicationId(), grant.id), false)
    assert.equal(await stores().grants.delete(grant.applicationId, grant.id), true)
    assert.equal(await stores().grants.delete(grant.applicationId, grant.id), false)
    assert.equal(await stores().grants.find(grant.applicationId, grant.id), null)
    assert.equal(await stores().secrets.find(grant.id), null)
    assert.equal(await stores().seenTokens.find(keys[0]!), null)
    assert.equal((await stores().secrets.find(kept.id))?.version, 1)
    assert.equal((await stores().seenTokens.find(keys[1]!))?.state.kind, 'granted')
  })

  test('answers text that cannot be kept as a bad request', async () => {
    const bad = grantId('a\0b')
    await assert.rejects(stores().grants.find(newApplicationId(), bad), { status: 400 })
    await assert.rejects(stores().grants.insert(aGrant({ name: 'a\0b' })), { status: 400 })
  })
}
