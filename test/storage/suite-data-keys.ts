import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { SEALED_TABLES } from '../../src/core/ports/sealed.ts'
import type { DataKeyRecord } from '../../src/core/ports/records.ts'
import { aConnector, aCredential, aGrant, newApplicationId, someTokens } from './records.ts'
import type { Subject } from './suite.ts'

/** Data keys, the fence against values under closed ones, and the walk over sealed values. */
export function coversDataKeys(subject: Subject): void {
  const stores = () => subject().database.stores
  const key = (id: string, generation: number): DataKeyRecord => ({
    id,
    purpose: generation === 0 ? 'lookup' : 'seal',
    wrappedBy: 'k1',
    wrapped: 'w',
    createdAtMs: 1_700_000_000_123,
    generation,
  })
  const listed = async () => (await stores().dataKeys.list()).map(({ id, isClosed }) => [id, isClosed])

  /** Writes a value into every sealed column, as `write` says. */
  async function writeEverywhere(sealed: string) {
    const connector = aConnector()
    const credential = aCredential(connector, { sealedData: sealed })
    const grant = aGrant()
    await stores().connectors.insert(connector)
    await stores().grants.insert(grant)
    const claim = { id: randomUUID(), applicationId: grant.applicationId, grantId: grant.id }
    await stores().idempotency.claim({ ...claim, attemptId: 'a', payloadHash: 'p' }, 1_000_000)
    const tokens = someTokens()
    const pending = { applicationId: newApplicationId(), provider: 'zoom', clientId: 'c' } as const
    const session = {
      applicationId: newApplicationId(),
      browserHash: 'b',
      stateHash: null,
      provider: null,
      request: {},
      attempts: 0,
      status: 'open',
    } as const
    const hook = {
      id: randomUUID(),
      applicationId: newApplicationId(),
      description: '',
      triggerTypes: [],
      url: 'https://example.com',
      status: 'active',
      notificationEmailAddresses: [],
      compressedDelivery: false,
      statusUpdatedAt: 1,
      createdAt: 1,
      updatedAt: 1,
    } as const
    return {
      'credentials.sealed_data': () => stores().credentials.insert(credential),
      'webhooks.sealed_secret': () => stores().webhooks.insert({ ...hook, sealedSecret: sealed }),
      'signing_keys.sealed_private': () =>
        stores().signingKeys.insert({ kid: randomUUID(), publicJwk: {}, sealedPrivate: sealed }),
      'oauth_sessions.sealed_verifier': () =>
        stores().oauthSessions.insert({ ...session, id: randomUUID(), sealedVerifier: sealed }, 1_000),
      'pending_secrets.sealed': () =>
        stores().pendingSecrets.insert({ ...pending, id: randomUUID(), sealed }),
      'idempotency_keys.sealed_answer': () => stores().idempotency.finish(claim.id, 'a', sealed),
      'tracked_messages.sealed_links': () =>
        stores().tracking.insert({ ...claim, id: randomUUID(), options: {}, sealedLinks: sealed }),
      'scheduled_sends.sealed_message': () =>
        stores().scheduledSends.insert({
          ...claim,
          id: randomUUID(),
          sendAt: 1,
          useDraft: false,
          sealedMessage: sealed,
        }),
      'contents.sealed_key': () =>
        stores().contents.insert({ ...claim, id: randomUUID(), ownerId: 'o', sealedKey: sealed }, 1_000),
      'grant_secrets.sealed_secret': () =>
        stores().secrets.replace(grant.id, { ...tokens, sealedSecret: sealed }),
      'grant_secrets.sealed_access_token': () =>
        stores().secrets.replace(grant.id, { ...tokens, sealedAccessToken: sealed }),
      'grant_secrets.sealed_superseded': () =>
        stores().secrets.replace(grant.id, { ...tokens, sealedSuperseded: sealed }),
    }
  }

  test('keeps one lookup key whatever happens at once, and one seal key of each generation', async () => {
    const other = await subject().other()
    const twice = (wanted: (at: number) => DataKeyRecord) =>
      Promise.all([subject().database, other].map((each, at) => each.stores.dataKeys.insert(wanted(at))))
    assert.equal((await twice((at) => key(`l${at}`, 0))).filter(Boolean).length, 1)
    assert.equal((await twice((at) => key(`s1-${at}`, 1))).filter(Boolean).length, 1)
    assert.equal(await stores().dataKeys.insert(key('s2', 2)), true)
    assert.equal(await stores().dataKeys.insert(key('s2', 3)), false)
    const [, first, second] = await stores().dataKeys.list()
    assert.equal(first?.generation, 1)
    assert.ok(second && second.ageMs < 60_000)
    assert.deepEqual(second, { ...key('s2', 2), isClosed: false, seals: 0, ageMs: second.ageMs })
  })

  test('counts the seals of a key and puts another wrapping around it once', async () => {
    await stores().dataKeys.insert(key('s3', 3))
    await Promise.all([1, 2, 3].map((count) => stores().dataKeys.addSeals('s3', count)))
    const after = { wrappedBy: 'k2', wrapped: 'w2' }
    assert.equal(await stores().dataKeys.rewrap('s3', 'w', after), true)
    assert.equal(await stores().dataKeys.rewrap('s3', 'w', { ...after, wrapped: 'w3' }), false)
    const found = (await stores().dataKeys.list()).find(({ id }) => id === 's3')
    assert.deepEqual([found?.seals, found?.wrappedBy, found?.wrapped], [6, 'k2', 'w2'])
  })

  test('refuses any value under a closed or deleted key, and never closes the newest', async () => {
    for (const [id, generation] of [
      ['old', 11],
      ['gone', 12],
      ['new', 13],
    ] as const) {
      await stores().dataKeys.insert(key(id, generation))
    }
    await stores().dataKeys.close(['old', 'gone', 'new'])
    await stores().dataKeys.close(['old'])
    assert.equal(await stores().dataKeys.destroy(['gone', 'new']), 1)
    assert.deepEqual((await listed()).slice(-2), [
      ['old', true],
      ['new', false],
    ])
    for (const id of ['old', 'gone']) {
      const refused = await writeEverywhere(`g1.${id}.box`)
      assert.deepEqual(
        Object.keys(refused),
        SEALED_TABLES.flatMap(({ table, columns }) => columns.map((column) => `${table}.${column}`)),
      )
      for (const [column, write] of Object.entries(refused)) {
        await assert.rejects(write, { status: 503 }, `${column} under ${id}`)
      }
    }
    for (const write of Object.values(await writeEverywhere('g1.new.box'))) await write()
    assert.equal(await stores().dataKeys.insert(key('gone', 14)), false)
  })

  test('lets writes that are under way under a key finish before it is closed', async () => {
    await stores().dataKeys.insert(key('closing', 21))
    await stores().dataKeys.insert(key('next', 22))
    const other = await subject().other()
    const grant = aGrant()
    const order: string[] = []
    let closing: Promise<void> | undefined
    await stores().grants.insert(grant)
    await subject().database.transaction(async (inside) => {
      const tokens = { ...someTokens(), sealedSecret: 'g1.closing.box' }
      await inside.secrets.replace(grant.id, tokens)
      closing = other.stores.dataKeys.close(['closing']).then(() => void order.push('closed'))
      await inside.secrets.find(grant.id)
      order.push('written')
    })
    await closing
    assert.deepEqual(order, ['written', 'closed'])
    assert.equal((await stores().secrets.find(grant.id))?.sealedSecret, 'g1.closing.box')
  })

  test('walks sealed values by id and replaces only what still stands', async () => {
    const [credentials, secrets] = (['credentials', 'grant_secrets'] as const).map((name) =>
      SEALED_TABLES.find(({ table }) => table === name),
    )
    if (!credentials || !secrets) throw new Error('the list has changed')
    const connector = aConnector()
    await stores().connectors.insert(connector)
    const made = ['a', 'b'].map((sealedData) => aCredential(connector, { sealedData }))
    for (const one of made) await stores().credentials.insert(one)
    const first = made.map(({ id }) => String(id)).sort()[0]!
    const rows = await stores().sealed.list(credentials, '', 1000)
    assert.ok(rows.length >= 2)
    assert.equal(await stores().sealed.count(credentials), rows.length)
    assert.ok((await stores().sealed.list(credentials, first, 1000)).every(({ id }) => id > first))
    const changed = await stores().sealed.replace(credentials, [
      { id: made[0]!.id, before: { sealed_data: 'a' }, after: { sealed_data: 'a2' } },
      { id: made[1]!.id, before: { sealed_data: 'other' }, after: { sealed_data: 'b2' } },
      { id: 'unknown', before: { sealed_data: 'a' }, after: { sealed_data: 'a2' } },
    ])
    assert.equal(changed, 1)
    const found = await Promise.all(made.map((one) => stores().credentials.find(one.applicationId, one.id)))
    assert.deepEqual(found, [{ ...made[0], sealedData: 'a2' }, made[1]])

    const grant = aGrant()
    await stores().grants.insert(grant)
    await stores().secrets.replace(grant.id, { ...someTokens(), sealedSecret: 's', sealedAccessToken: null })
    const before = await stores().secrets.find(grant.id)
    const change = { id: grant.id, before: { sealed_secret: 's' }, after: { sealed_secret: 's2' } }
    assert.equal(await stores().sealed.replace(secrets, [change]), 1)
    const after = await stores().secrets.find(grant.id)
    assert.deepEqual(after, { ...before, sealedSecret: 's2', readAtMs: after?.readAtMs })
  })
}
