import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import type { GrantRecord } from '../../src/core/ports/records.ts'
import { aGrant, newApplicationId } from './records.ts'
import type { Subject } from './suite.ts'

/** `later` counts from the opening of the database: each test looks from a later day than those before it. */
const DAY_MS = 86_400_000

/** Sessions of hosted authentication, and codes, tokens and signing keys of ours. */
export function coversOAuth(subject: Subject): void {
  const stores = () => subject().database.stores

  async function insertGrant(): Promise<GrantRecord> {
    const grant = aGrant()
    assert.equal(await stores().grants.insert(grant), true)
    return grant
  }

  test('keeps a session until it is finished, once, or its time is over', async () => {
    const session = (id: string) => ({
      id,
      applicationId: newApplicationId(),
      browserHash: 'b',
      stateHash: null,
      provider: null,
      sealedVerifier: null,
      request: { redirect_uri: 'https://app.example/cb' },
      attempts: 0,
      status: 'open' as const,
    })
    const [first, second] = [randomUUID(), randomUUID()]
    const sessions = stores().oauthSessions
    await sessions.insert(session(first), 600_000)
    await sessions.insert(session(second), 600_000)
    const chosen = { provider: 'google' as const, stateHash: `s-${first}`, sealedVerifier: 'v' }
    assert.equal(await sessions.chooseProvider(first, chosen), true)
    const found = await sessions.findOpenByState(`s-${first}`)
    assert.equal(found?.id, first)
    assert.deepEqual(found?.request, { redirect_uri: 'https://app.example/cb' })
    assert.equal(await sessions.countAttempt(first), 1)
    assert.equal(await sessions.countAttempt(first), 2)
    assert.equal(await sessions.finish(first), true)
    assert.equal(await sessions.finish(first), false)
    assert.equal(await sessions.findOpen(first), null)
    assert.equal(await sessions.countAttempt(first), null)
    assert.equal(await sessions.chooseProvider(first, chosen), false)
    const later = (await subject().later(40 * DAY_MS)).stores.oauthSessions
    assert.equal(await later.findOpen(second), null)
    assert.ok((await later.deleteExpired(100)) >= 2)
  })

  test('lets a code be used once', async () => {
    const hash = randomUUID()
    const code = {
      hash,
      applicationId: newApplicationId(),
      grantId: (await insertGrant()).id,
      redirectUri: 'https://app.example/cb',
      challenge: 'c',
      challengeMethod: 'S256' as const,
      offline: true,
      familyId: randomUUID(),
    }
    await stores().authorizationCodes.insert(code, 60_000)
    const found = await stores().authorizationCodes.find(hash)
    assert.deepEqual({ ...found, ...code }, found)
    assert.equal(found?.usedAtMs, null)
    assert.ok(found && found.expiresAtMs > found.readAtMs)
    const other = await subject().other()
    const uses = [stores(), other.stores].map(({ authorizationCodes }) => authorizationCodes.use(hash))
    assert.equal((await Promise.all(uses)).filter(Boolean).length, 1)
    assert.notEqual((await stores().authorizationCodes.find(hash))?.usedAtMs, null)
    assert.equal(await stores().authorizationCodes.deleteExpired(DAY_MS, 100), 0)
    const later = (await subject().later(42 * DAY_MS)).stores
    assert.ok((await later.authorizationCodes.deleteExpired(DAY_MS, 100)) >= 1)
    assert.equal(await later.authorizationCodes.find(hash), null)
  })

  test('revokes a whole family of tokens, and a grant takes its tokens along', async () => {
    const { applicationId, id: grantId } = await insertGrant()
    const tokens = stores().issuedTokens
    const issue = async (familyId: string) => {
      const [access, refresh] = [randomUUID(), randomUUID()]
      const shared = { familyId, applicationId, grantId }
      await tokens.insertAccess({ hash: access, ...shared, issuedAt: 1, expiresAt: 3601 })
      await tokens.insertRefresh({
        hash: refresh,
        ...shared,
        familyIssuedAt: 1,
        lastUsedAt: 1,
        replacedAt: null,
      })
      return { access, refresh }
    }
    const one = await issue('f1')
    const two = await issue('f2')
    assert.equal(await tokens.replaceRefresh(one.refresh, 5), true)
    assert.equal(await tokens.replaceRefresh(one.refresh, 6), false)
    assert.equal((await tokens.findRefresh(one.refresh))?.replacedAt, 5)
    assert.equal(await tokens.touchRefresh(two.refresh, 9), true)
    assert.equal(await tokens.touchRefresh('nobody', 9), false)
    assert.equal((await tokens.findRefresh(two.refresh))?.lastUsedAt, 9)
    assert.equal(await tokens.revokeFamily('f1'), 2)
    assert.equal(await tokens.revokeFamily('f1'), 0)
    assert.equal(await tokens.findAccess(one.access), null)
    assert.equal(await tokens.findRefresh(one.refresh), null)
    assert.equal((await tokens.findAccess(two.access))?.expiresAt, 3601)
    assert.equal(await stores().grants.delete(applicationId, grantId), true)
    assert.equal(await tokens.findAccess(two.access), null)
    assert.equal(await tokens.findRefresh(two.refresh), null)
  })

  test('deletes refresh tokens that were replaced long ago, and no others', async () => {
    const { applicationId, id: grantId } = await insertGrant()
    const tokens = stores().issuedTokens
    const [live, old, recent] = [randomUUID(), randomUUID(), randomUUID()]
    const shared = { familyId: randomUUID(), applicationId, grantId, familyIssuedAt: 1, lastUsedAt: 1 }
    await tokens.insertRefresh({ hash: live, ...shared, replacedAt: null })
    await tokens.insertRefresh({ hash: old, ...shared, replacedAt: 2 })
    await tokens.insertRefresh({ hash: recent, ...shared, replacedAt: 3 })
    assert.equal(await tokens.deleteReplacedRefresh(3, 100), 1)
    assert.equal(await tokens.findRefresh(old), null)
    assert.ok((await tokens.findRefresh(live)) && (await tokens.findRefresh(recent)))
  })

  test('a revocation leaves nothing of a refresh that runs at the same time', async () => {
    const { applicationId, id: grantId } = await insertGrant()
    const [familyId, first] = [randomUUID(), randomUUID()]
    const shared = { familyId, applicationId, grantId }
    const { issuedTokens } = stores()
    await issuedTokens.insertRefresh({
      hash: first,
      ...shared,
      familyIssuedAt: 1,
      lastUsedAt: 1,
      replacedAt: null,
    })
    const other = await subject().other()
    const [next, access] = [randomUUID(), randomUUID()]
    const refresh = subject().database.transaction(async ({ issuedTokens: tokens }) => {
      if (!(await tokens.replaceRefresh(first, 2))) return
      await tokens.insertRefresh({
        hash: next,
        ...shared,
        familyIssuedAt: 1,
        lastUsedAt: 2,
        replacedAt: null,
      })
      await tokens.insertAccess({ hash: access, ...shared, issuedAt: 2, expiresAt: 3602 })
    })
    await Promise.all([refresh, other.stores.issuedTokens.revokeFamily(familyId)])
    for (const hash of [first, next]) assert.equal(await issuedTokens.findRefresh(hash), null)
    assert.equal(await issuedTokens.findAccess(access), null)
  })

  test('keeps signing keys, newest first, and forgets retired ones when they are old', async () => {
    const keys = stores().signingKeys
    const [first, second] = [randomUUID(), randomUUID()]
    await keys.insert({ kid: first, publicJwk: { kty: 'RSA' }, sealedPrivate: 'p1' })
    await keys.insert({ kid: second, publicJwk: { kty: 'RSA' }, sealedPrivate: 'p2' })
    await keys.retireOthers(second)
    const listed = async () => (await keys.list()).filter(({ kid }) => kid === first || kid === second)
    assert.deepEqual(
      (await listed()).map(({ kid, retiredAtMs }) => `${kid} ${retiredAtMs === null}`).toSorted(),
      [`${first} false`, `${second} true`].toSorted(),
    )
    assert.equal(await keys.deleteRetiredBefore(DAY_MS), 0)
    const later = (await subject().later(44 * DAY_MS)).stores.signingKeys
    assert.ok((await later.deleteRetiredBefore(DAY_MS)) >= 1)
    assert.deepEqual(
      (await listed()).map(({ kid }) => kid),
      [second],
    )
  })
}
