import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { credentialId, grantId } from '../../src/contract/ids.ts'
import {
  aCallbackUri,
  aConnector,
  aCredential,
  aGrant,
  anApiKey,
  anApplication,
  newApplicationId,
} from './records.ts'
import type { Subject } from './suite.ts'

export function coversAdminRecords(subject: Subject): void {
  const stores = () => subject().database.stores

  test('keeps an application whole and changes it', async () => {
    const record = anApplication()
    await stores().applications.insert(record)
    assert.deepEqual(await stores().applications.find(record.id), record)
    const changed = { ...record, name: 'B', settings: { x: 1 }, blocked: true, updatedAt: 1_700_000_500 }
    await stores().applications.update(changed)
    assert.deepEqual(await stores().applications.find(record.id), changed)
    assert.equal(await stores().applications.find(newApplicationId()), null)
  })

  test('lists applications oldest first', async () => {
    const [second, first] = [anApplication({ createdAt: 20 }), anApplication({ createdAt: 10 })]
    await stores().applications.insert(second)
    await stores().applications.insert(first)
    const mine = (await stores().applications.list()).filter(({ id }) => id === first.id || id === second.id)
    assert.deepEqual(mine, [first, second])
  })

  test('finds a live API key by its hash and no more once it is revoked', async () => {
    const record = anApiKey()
    await stores().apiKeys.insert(record)
    assert.deepEqual(await stores().apiKeys.findLive(record.hash), record)
    assert.equal(await stores().apiKeys.revoke(record.id, 1_700_000_009), true)
    assert.equal(await stores().apiKeys.revoke(record.id, 1_700_000_010), false)
    assert.equal(await stores().apiKeys.findLive(record.hash), null)
    assert.deepEqual(await stores().apiKeys.list(record.applicationId), [
      { ...record, revokedAt: 1_700_000_009 },
    ])
    assert.ok((await stores().apiKeys.list(null)).some(({ id }) => id === record.id))
    await assert.rejects(stores().apiKeys.insert(anApiKey({ hash: record.hash })))
  })

  test('refuses a callback URI that the application has, byte for byte', async () => {
    const { callbackUris } = stores()
    const record = aCallbackUri()
    const other = aCallbackUri({
      applicationId: record.applicationId,
      url: 'https://example.com/Callback',
      createdAt: record.createdAt + 1,
    })
    assert.equal(await callbackUris.insert(record), true)
    assert.equal(await callbackUris.insert(other), true)
    assert.equal(await callbackUris.insert({ ...record, id: randomUUID() }), false)
    assert.equal(await callbackUris.insert(aCallbackUri({ url: record.url })), true)
    assert.equal(await callbackUris.update({ ...other, url: record.url }), false)
    assert.deepEqual(await callbackUris.list(record.applicationId), [record, other])
    const browser = aCallbackUri({ platform: 'js', settings: { origin: 'https://spa.example' } })
    await callbackUris.insert(browser)
    const listed = await callbackUris.listBrowser()
    assert.ok(listed.every(({ platform }) => platform === 'js'))
    assert.deepEqual(
      listed.filter(({ id }) => id === browser.id),
      [browser],
    )
    const moved = { ...other, url: `https://example.com/${'ü'.repeat(2000)}`, platform: 'ios' as const }
    assert.equal(await callbackUris.update(moved), true)
    assert.deepEqual(await callbackUris.find(record.applicationId, other.id), moved)
    assert.equal(await callbackUris.find(newApplicationId(), other.id), null)
    assert.equal(await callbackUris.delete(newApplicationId(), other.id), false)
    assert.equal(await callbackUris.delete(record.applicationId, other.id), true)
    assert.deepEqual(await callbackUris.list(record.applicationId), [record])
  })

  test('goes on with a transaction after a unique index refused an insert and an update', async () => {
    const record = aCallbackUri()
    const other = aCallbackUri({ applicationId: record.applicationId, url: 'https://example.com/2' })
    const key = anApiKey()
    await subject().database.transaction(async (inside) => {
      assert.equal(await inside.callbackUris.insert(record), true)
      assert.equal(await inside.callbackUris.insert({ ...record, id: randomUUID() }), false)
      assert.equal(await inside.callbackUris.insert(other), true)
      assert.equal(await inside.callbackUris.update({ ...other, url: record.url }), false)
      await inside.apiKeys.insert(key)
    })
    assert.equal((await stores().callbackUris.list(record.applicationId)).length, 2)
    assert.deepEqual(await stores().apiKeys.findLive(key.hash), key)
  })

  test('keeps one connector per provider and application', async () => {
    const { connectors } = stores()
    const record = aConnector()
    const other = aConnector({ applicationId: record.applicationId, provider: 'imap', createdAt: 1 })
    assert.equal(await connectors.insert(record), true)
    assert.equal(await connectors.insert(aConnector({ applicationId: record.applicationId })), false)
    assert.equal(await connectors.insert(other), true)
    assert.deepEqual(await connectors.find(record.applicationId, 'google'), record)
    assert.equal(await connectors.find(record.applicationId, 'zoom'), null)
    assert.deepEqual(await connectors.list(record.applicationId), [other, record])
    assert.deepEqual(await connectors.list(record.applicationId, { limit: 1, offset: 1 }), [record])
    const changed = {
      ...record,
      name: 'G',
      settings: {},
      scope: [],
      activeCredentialId: credentialId('c'),
      updatedAt: 5,
    }
    await connectors.update(changed)
    assert.deepEqual(await connectors.find(record.applicationId, 'google'), changed)
  })

  test('deletes a connector with its credentials and leaves its grants', async () => {
    const connector = aConnector()
    const credential = aCredential(connector)
    const grant = aGrant({
      applicationId: connector.applicationId,
      connectorId: connector.id,
      credentialId: credential.id,
    })
    await stores().connectors.insert(connector)
    await stores().credentials.insert(credential)
    await stores().grants.insert(grant)
    assert.equal(await stores().connectors.delete(connector.applicationId, 'google'), true)
    assert.equal(await stores().connectors.delete(connector.applicationId, 'google'), false)
    assert.equal(await stores().credentials.find(connector.applicationId, credential.id), null)
    assert.deepEqual(await stores().grants.find(connector.applicationId, grant.id), grant)
  })

  test('keeps credential names unique per connector and finds equal data by its digest', async () => {
    const { credentials } = stores()
    const connector = aConnector()
    await stores().connectors.insert(connector)
    const first = aCredential(connector, { name: 'a', createdAt: 10, updatedAt: 30 })
    const second = aCredential(connector, { name: 'b', createdAt: 20, updatedAt: 20 })
    assert.equal(await credentials.insert(first), true)
    assert.equal(await credentials.insert(second), true)
    assert.equal(await credentials.insert(aCredential(connector, { name: 'a' })), false)
    assert.equal(await credentials.update({ ...second, name: 'a' }), false)
    assert.deepEqual(await credentials.findByDigest(connector.id, first.digest), first)
    assert.equal(await credentials.findByDigest(connector.id, 'none'), null)
    const page = { limit: 10, offset: 0, order: 'asc' } as const
    assert.deepEqual(await credentials.list(connector.id, { ...page, by: 'created_at' }), [first, second])
    assert.deepEqual(await credentials.list(connector.id, { ...page, by: 'updated_at' }), [second, first])
    const changed = { ...second, publicData: {}, sealedData: 's2', digest: 'd2', updatedAt: 99 }
    assert.equal(await credentials.update(changed), true)
    assert.deepEqual(await credentials.find(connector.applicationId, second.id), changed)
    assert.equal(await credentials.delete(newApplicationId(), second.id), false)
    assert.equal(await credentials.delete(connector.applicationId, second.id), true)
  })

  test('refuses a credential of a connector that is gone', async () => {
    await assert.rejects(stores().credentials.insert(aCredential(aConnector())), { status: 404 })
  })

  test('lists events in the order they came, also inside one second', async () => {
    const applicationId = newApplicationId()
    const events = ['c', 'a', 'b'].map((name) => ({
      id: `${name}-${randomUUID()}`,
      applicationId,
      grantId: grantId(randomUUID()),
      trigger: 'grant.created' as const,
      source: '/nylas/system',
      data: { object: { name } },
      createdAt: 1_700_000_000,
    }))
    for (const event of events) await stores().outbox.insert(event)
    assert.deepEqual(await stores().outbox.list(applicationId, 10), events)
    assert.deepEqual(await stores().outbox.list(applicationId, 2), events.slice(0, 2))
    await assert.rejects(stores().outbox.insert(events[0]!))
  })

  test('takes audit entries with and without an application, once each', async () => {
    const entry = {
      id: randomUUID(),
      applicationId: null,
      actor: 'cli',
      action: 'key.create',
      target: 'key:1',
      detail: {},
      createdAt: 1,
    }
    await stores().audit.insert(entry)
    await stores().audit.insert({ ...entry, id: randomUUID(), applicationId: newApplicationId() })
    await assert.rejects(stores().audit.insert(entry))
  })
}
