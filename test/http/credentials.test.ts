import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { credentialId } from '../../src/contract/ids.ts'
import { grantRecord, startHttpApp, type HttpApp } from '../support/http-app.ts'

let app: HttpApp
before(async () => {
  app = await startHttpApp()
})
after(() => app.close())

const CREDS = '/v3/connectors/google/creds'
const DATA = { client_id: 'id-2', client_secret: 'planted-secret-2' }

beforeEach(async () => {
  for (const provider of ['google', 'microsoft']) {
    await app.call('DELETE', `/v3/connectors/${provider}`)
    await app.call('POST', '/v3/connectors', {
      provider,
      settings: { client_id: 'id-1', client_secret: 'planted-secret-1' },
    })
  }
})

async function add(body: object, url = CREDS) {
  return app.call('POST', url, {
    name: 'second',
    credential_type: 'connector',
    credential_data: DATA,
    ...body,
  })
}

test('creates a credential and answers its data nowhere', async () => {
  const created = await add({})
  assert.equal(created.status, 201, created.text)
  assert.deepEqual(created.body, {
    request_id: created.body.request_id,
    data: {
      id: created.body.data.id,
      name: 'second',
      credential_type: 'connector',
      created_at: 1_767_225_600,
      updated_at: 1_767_225_600,
    },
  })
  const found = await app.call('GET', `${CREDS}/${created.body.data.id}`)
  assert.deepEqual(found.body.data, created.body.data)
  const record = await app.database.stores.credentials.find(
    app.applicationId,
    credentialId(created.body.data.id),
  )
  assert.ok(!JSON.stringify(record).includes('planted-secret'))
})

test('takes every type its provider has and no other', async () => {
  const account = { private_key_id: 'k', private_key: 'pem', client_email: 'a@b.example', project_id: 'p' }
  const ok = await add({ name: 'sa', credential_type: 'serviceaccount', credential_data: account })
  assert.equal(ok.status, 201, ok.text)
  const consent = await add(
    { name: 'consent', credential_type: 'adminconsent', credential_data: { tenant: 't' } },
    '/v3/connectors/microsoft/creds',
  )
  assert.equal(consent.status, 201, consent.text)
  for (const [body, message] of [
    [{ credential_type: 'adminconsent' }, /^credential_type must be one of connector, serviceaccount/],
    [{ credential_type: 'oauth' }, /^credential_type must be one of/],
    [{ credential_data: { client_id: 'x' } }, /^credential_data\.client_secret is required/],
    [
      { credential_type: 'serviceaccount', credential_data: {} },
      /^credential_data\.private_key_id is required/,
    ],
    [{ credential_data: undefined }, /^credential_data is required/],
    [{ name: '' }, /^name /],
  ] as const) {
    const refused = await add(body)
    assert.equal(refused.status, 400, refused.text)
    assert.match(refused.body.error.message, message)
  }
})

test('gives the existing credential for the same parameters, whatever their order', async () => {
  const first = await add({})
  const again = await add({
    name: 'another name',
    credential_data: { client_secret: DATA.client_secret, client_id: DATA.client_id },
  })
  assert.equal(again.status, 201)
  assert.deepEqual(again.body.data, first.body.data)
  const both = await Promise.all(
    ['x', 'y'].map((name) => add({ name, credential_data: { client_id: 'id-3', client_secret: 's' } })),
  )
  assert.equal(both[0]?.body.data.id, both[1]?.body.data.id)
})

test('refuses a name that another credential has', async () => {
  await add({})
  const taken = await add({ credential_data: { client_id: 'id-3', client_secret: 's' } })
  assert.equal(taken.status, 400)
  assert.match(taken.body.error.message, /^name is taken/)
  const third = await add({ name: 'third', credential_data: { client_id: 'id-3', client_secret: 's' } })
  const renamed = await app.call('PATCH', `${CREDS}/${third.body.data.id}`, { name: 'second' })
  assert.equal(renamed.status, 400)
})

test('lists by page and order', async () => {
  for (const [index, name] of ['a', 'b', 'c'].entries()) {
    app.clock.advance(1_000)
    await add({ name, credential_data: { client_id: `c-${index}`, client_secret: 's' } })
  }
  const names = async (query: string) => {
    const { body } = await app.call('GET', `${CREDS}${query}`)
    return [body.data.map((credential: { name: string }) => credential.name), body.limit, body.offset]
  }
  assert.deepEqual(await names('?limit=2'), [['c', 'b'], 2, 0])
  assert.deepEqual(await names('?limit=2&offset=2'), [['a', 'Google client id-1'], 2, 2])
  assert.deepEqual(await names('?sort_by=createdAt&order_by=asc&limit=1&offset=1'), [['a'], 1, 1])
  assert.equal((await app.call('GET', `${CREDS}?sort_by=name`)).status, 400)
  assert.equal((await app.call('GET', `${CREDS}?limit=1000`)).body.limit, 200)
})

for (const method of ['PATCH', 'PUT']) {
  test(`changes name and data on ${method}`, async () => {
    const { body } = await add({})
    app.clock.advance(60_000)
    const changed = await app.call(method, `${CREDS}/${body.data.id}`, {
      name: 'renamed',
      credential_data: { client_id: 'id-2', client_secret: 'planted-secret-3' },
    })
    assert.equal(changed.status, 200, changed.text)
    assert.equal(changed.body.data.name, 'renamed')
    assert.equal(changed.body.data.updated_at, body.data.updated_at + 60)
    const bad = await app.call(method, `${CREDS}/${body.data.id}`, { credential_data: {} })
    assert.match(bad.body.error.message, /^credential_data\.client_id is required/)
  })
}

test('does not delete the active credential', async () => {
  const { body } = await app.call('GET', '/v3/connectors/google')
  const refused = await app.call('DELETE', `${CREDS}/${body.data.active_credential_id}`)
  assert.equal(refused.status, 400)
  assert.match(refused.body.error.message, /active credential/)
})

test('makes the grants of a deleted credential invalid', async () => {
  const { body } = await add({})
  const record = await app.database.stores.connectors.find(app.applicationId, 'google')
  assert.ok(record)
  const bound = grantRecord({
    applicationId: app.applicationId,
    connectorId: record.id,
    credentialId: credentialId(body.data.id),
  })
  const free = grantRecord({ applicationId: app.applicationId, connectorId: record.id })
  await app.database.stores.grants.insert(bound)
  await app.database.stores.grants.insert(free)
  assert.equal((await app.call('DELETE', `${CREDS}/${body.data.id}`)).status, 200)
  const status = async (id: string) => (await app.call('GET', `/v3/grants/${id}`)).body.data
  assert.equal((await status(bound.id)).reason.code, 'credential_deleted')
  assert.equal((await status(free.id)).grant_status, 'valid')
  assert.equal((await app.call('GET', `${CREDS}/${body.data.id}`)).status, 404)
})

test('answers 404 for a credential of another connector or application', async () => {
  const { body } = await add({})
  const { id } = body.data
  const elsewhere = await app.call('GET', `/v3/connectors/microsoft/creds/${id}`)
  assert.deepEqual([elsewhere.status, elsewhere.body.error.type], [404, 'credential.not_found'])
  const foreign = await app.call('GET', `${CREDS}/${id}`, undefined, {
    authorization: `Bearer ${app.otherKey}`,
  })
  assert.deepEqual([foreign.status, foreign.body.error.type], [404, 'connector.not_found'])
  const none = await app.call('GET', '/v3/connectors/imap/creds')
  assert.deepEqual([none.status, none.body.error.type], [404, 'connector.not_found'])
})
