import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { connectorId, credentialId } from '../../src/contract/ids.ts'
import { grantRecord, startHttpApp, type HttpApp } from '../support/http-app.ts'

let app: HttpApp
before(async () => {
  app = await startHttpApp()
})
after(() => app.close())
beforeEach(async () => {
  for (const provider of ['google', 'microsoft', 'imap'])
    await app.call('DELETE', `/v3/connectors/${provider}`)
})

const CLIENT = { client_id: 'id-1', client_secret: 'planted-secret-1' }

async function createGoogle(extra: object = {}) {
  const answer = await app.call('POST', '/v3/connectors', { provider: 'google', settings: CLIENT, ...extra })
  assert.equal(answer.status, 201, answer.text)
  return answer.body.data
}

async function storedConnector(provider: 'google' | 'microsoft') {
  const record = await app.database.stores.connectors.find(app.applicationId, provider)
  assert.ok(record)
  return record
}

async function activeCredential() {
  const connector = await storedConnector('google')
  assert.ok(connector.activeCredentialId)
  const record = await app.database.stores.credentials.find(app.applicationId, connector.activeCredentialId)
  assert.ok(record)
  return record
}

test('refuses without a key', async () => {
  const answer = await fetch(`${app.url}/v3/connectors`)
  assert.equal(answer.status, 401)
})

test('creates a connector with a sealed primary credential and answers no secret', async () => {
  const answer = await app.call('POST', '/v3/connectors', {
    provider: 'google',
    settings: { ...CLIENT, topic_name: 'projects/p/topics/t' },
    scope: ['openid', 'openid', ' email '],
    unknown: true,
  })
  assert.equal(answer.status, 201)
  const connector = await storedConnector('google')
  assert.deepEqual(answer.body, {
    request_id: answer.body.request_id,
    data: {
      id: connector.id,
      name: 'Google Connector',
      provider: 'google',
      settings: { topic_name: 'projects/p/topics/t' },
      scope: ['openid', 'email'],
      active_credential_id: connector.activeCredentialId,
    },
  })
  const credential = await activeCredential()
  assert.deepEqual(credential.publicData, { client_id: 'id-1' })
  assert.ok(!JSON.stringify(credential).includes('planted-secret-1'))
  assert.ok(!JSON.stringify(connector).includes('planted-secret-1'))

  const found = await app.call('GET', '/v3/connectors/google')
  assert.deepEqual(found.body.data, answer.body.data)
  const list = await app.call('GET', '/v3/connectors')
  assert.deepEqual(list.body, {
    request_id: list.body.request_id,
    data: [answer.body.data],
    limit: 10,
    offset: 0,
  })
})

test('stores Microsoft scopes in their short form', async () => {
  const { body } = await app.call('POST', '/v3/connectors', {
    provider: 'microsoft',
    settings: { ...CLIENT, tenant: 'contoso' },
    scope: ['https://graph.microsoft.com/Mail.Read', 'Mail.Read', 'offline_access'],
  })
  assert.deepEqual(body.data.scope, ['Mail.Read', 'offline_access'])
  assert.deepEqual(body.data.settings, { tenant: 'contoso' })
})

test('names what is wrong in a new connector', async () => {
  const cases: readonly [body: unknown, type: string, message: RegExp][] = [
    [{}, 'api.invalid_request_error', /^provider is required/],
    [{ provider: 'aol' }, 'api.invalid_request_error', /^provider must be one of google, /],
    [{ provider: 'ews' }, 'api.invalid_request_error', /does not speak the provider ews yet/],
    [{ provider: 'google' }, 'api.invalid_request_error', /^settings\.client_id is required/],
    [
      { provider: 'google', settings: { client_id: 'x' } },
      'api.invalid_request_error',
      /^settings\.client_secret is required/,
    ],
    [
      { provider: 'google', settings: { client_id: 'x', client_secret: '  ' } },
      'api.invalid_request_error',
      /client_secret is required/,
    ],
    [
      { provider: 'google', settings: { ...CLIENT, client_id: 7 } },
      'api.invalid_request_error',
      /^settings\.client_id /,
    ],
    [{ provider: 'google', settings: CLIENT, scope: 'openid' }, 'api.invalid_request_error', /^scope /],
    [[], 'api.invalid_request_error', /JSON object/],
    ['null', 'api.invalid_request_error', /JSON object/],
    ['"x"', 'api.invalid_request_error', /JSON object/],
    ['{"provider":', 'api.invalid_request_payload', /not valid JSON/],
    ['{"__proto__":{"a":1}}', 'api.invalid_request_payload', /not valid JSON/],
    [`{"settings":${'['.repeat(500)}${']'.repeat(500)}}`, 'api.invalid_request_payload', /nested/],
  ]
  for (const [body, type, message] of cases) {
    const answer = await app.call('POST', '/v3/connectors', body)
    assert.equal(answer.status, 400, answer.text)
    assert.equal(answer.body.error.type, type)
    assert.match(answer.body.error.message, message)
  }
})

test('has one connector per provider', async () => {
  await createGoogle()
  const again = await app.call('POST', '/v3/connectors', { provider: 'google', settings: CLIENT })
  assert.equal(again.status, 400)
  assert.equal(again.body.error.type, 'connector.already_exists')
  const other = await app.call('GET', '/v3/connectors/google', undefined, {
    authorization: `Bearer ${app.otherKey}`,
  })
  assert.equal(other.status, 404)
})

test('answers 404 for a provider without a connector and for one nobody knows', async () => {
  for (const provider of ['google', 'ews', 'aol', '%00', 'constructor']) {
    for (const [method, body] of [['GET'], ['PATCH', {}], ['PUT', {}], ['DELETE']] as const) {
      const answer = await app.call(method, `/v3/connectors/${provider}`, body)
      assert.equal(answer.status, 404, `${method} ${provider}`)
      assert.equal(answer.body.error.type, 'connector.not_found')
    }
  }
})

for (const method of ['PATCH', 'PUT']) {
  test(`keeps omitted client id and secret on ${method}`, async () => {
    await createGoogle({ scope: ['openid'] })
    const before = await activeCredential()
    const answer = await app.call(method, '/v3/connectors/google', {
      name: 'Renamed',
      settings: { topic_name: 'projects/p/topics/t' },
    })
    assert.equal(answer.status, 200, answer.text)
    assert.equal(answer.body.data.name, 'Renamed')
    assert.deepEqual(answer.body.data.settings, { topic_name: 'projects/p/topics/t' })
    assert.deepEqual(answer.body.data.scope, ['openid'])
    assert.deepEqual(await activeCredential(), before)
  })
}

test('puts a new client secret into the active credential', async () => {
  const { active_credential_id } = await createGoogle()
  const before = await activeCredential()
  const answer = await app.call('PATCH', '/v3/connectors/google', {
    settings: { client_secret: 'planted-secret-2' },
  })
  assert.equal(answer.status, 200, answer.text)
  assert.equal(answer.body.data.active_credential_id, active_credential_id)
  const after = await activeCredential()
  assert.notEqual(after.digest, before.digest)
  assert.ok(!answer.text.includes('planted-secret'))
})

test('keeps the old client for grants that use it when the client id changes', async () => {
  const created = await createGoogle()
  const connector = await storedConnector('google')
  const grant = grantRecord({
    applicationId: app.applicationId,
    connectorId: connector.id,
    credentialId: credentialId(created.active_credential_id),
  })
  await app.database.stores.grants.insert(grant)
  const before = await activeCredential()

  const alone = await app.call('PATCH', '/v3/connectors/google', { settings: { client_id: 'id-2' } })
  assert.equal(alone.status, 400)
  assert.match(alone.body.error.message, /client_secret is required/)

  const changed = await app.call('PATCH', '/v3/connectors/google', {
    settings: { client_id: 'id-2', client_secret: 'planted-secret-2' },
  })
  assert.equal(changed.status, 200, changed.text)
  assert.notEqual(changed.body.data.active_credential_id, before.id)
  assert.deepEqual(await app.database.stores.credentials.find(app.applicationId, before.id), before)
  assert.deepEqual((await activeCredential()).publicData, { client_id: 'id-2' })
})

test('changes the client in place when no grant uses it', async () => {
  const created = await createGoogle()
  const changed = await app.call('PUT', '/v3/connectors/google', {
    settings: { client_id: 'id-2', client_secret: 'planted-secret-2' },
  })
  assert.equal(changed.body.data.active_credential_id, created.active_credential_id)
  assert.deepEqual((await activeCredential()).publicData, { client_id: 'id-2' })
})

test('makes another credential active only if it is a connector credential of this connector', async () => {
  await createGoogle()
  const account = await app.call('POST', '/v3/connectors/google/creds', {
    name: 'service account',
    credential_type: 'serviceaccount',
    credential_data: { private_key_id: 'k', private_key: 'pem', client_email: 'a@b.example' },
  })
  for (const id of ['none', account.body.data.id]) {
    const refused = await app.call('PATCH', '/v3/connectors/google', { active_credential_id: id })
    assert.equal(refused.status, 400)
    assert.match(refused.body.error.message, /^active_credential_id/)
  }
  const second = await app.call('POST', '/v3/connectors/google/creds', {
    name: 'second',
    credential_type: 'connector',
    credential_data: { client_id: 'id-9', client_secret: 's' },
  })
  const changed = await app.call('PATCH', '/v3/connectors/google', {
    active_credential_id: second.body.data.id,
  })
  assert.equal(changed.status, 200, changed.text)
  assert.equal(changed.body.data.active_credential_id, second.body.data.id)
})

test('makes every grant of a deleted connector invalid, with one event each, and no other', async () => {
  await createGoogle()
  const connector = await storedConnector('google')
  const grants = Array.from({ length: 450 }, () =>
    grantRecord({ applicationId: app.applicationId, connectorId: connector.id }),
  )
  const stranger = grantRecord({ applicationId: app.applicationId, connectorId: connectorId('another') })
  await app.database.transaction(async (stores) => {
    for (const grant of [...grants, stranger]) await stores.grants.insert(grant)
  })

  const answer = await app.call('DELETE', '/v3/connectors/google')
  assert.equal(answer.status, 200, answer.text)
  const [first] = grants
  const read = await app.call('GET', `/v3/grants/${first?.id}`)
  assert.equal(read.body.data.grant_status, 'invalid')
  assert.deepEqual(read.body.data.reason, {
    code: 'connector_deleted',
    message: 'The connector of this grant was deleted.',
    advice:
      'Create the connector again, then authenticate the account once more with POST /v3/connect/custom.',
    at: 1_767_225_600,
  })
  const mine = new Set<string>(grants.map((grant) => grant.id))
  const events = (await app.database.stores.outbox.list(app.applicationId, 10_000)).filter((event) =>
    mine.has(event.grantId),
  )
  assert.equal(events.length, 450)
  assert.ok(events.every((event) => event.trigger === 'grant.expired'))
  const kept = await app.call('GET', `/v3/grants/${stranger.id}`)
  assert.equal(kept.body.data.grant_status, 'valid')
  assert.equal((await app.call('DELETE', '/v3/connectors/google')).status, 404)
})
