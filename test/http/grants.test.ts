import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Caller, GrantService } from '../../src/core/ports/services.ts'
import { grantRecord, startHttpApp, type HttpApp } from '../support/http-app.ts'

let app: HttpApp
before(async () => {
  app = await startHttpApp()
  for (let index = 0; index < 15; index += 1) {
    await app.database.stores.grants.insert(
      grantRecord({
        applicationId: app.applicationId,
        email: `user${index}@example.com`,
        accountId: `account-${index}`,
        createdAt: 1_000 + index,
        updatedAt: 5_000 - index,
        provider: index % 2 === 0 ? 'google' : 'microsoft',
        status: index === 3 ? 'invalid' : 'valid',
      }),
    )
  }
})
after(() => app.close())

async function emails(query: string): Promise<string[]> {
  const answer = await app.call('GET', `/v3/grants${query}`)
  assert.equal(answer.status, 200, answer.text)
  return answer.body.data.map((grant: { email: string }) => grant.email.replace('@example.com', ''))
}

test('lists ten grants, newest first, by offset and without a cursor', async () => {
  const answer = await app.call('GET', '/v3/grants')
  assert.deepEqual(Object.keys(answer.body).toSorted(), ['data', 'limit', 'offset', 'request_id'])
  assert.deepEqual([answer.body.data.length, answer.body.limit, answer.body.offset], [10, 10, 0])
  assert.equal(answer.body.data[0].email, 'user14@example.com')
  assert.deepEqual(await emails('?limit=3&offset=13'), ['user1', 'user0'])
  assert.equal((await app.call('GET', '/v3/grants?limit=5000')).body.limit, 200)
})

test('filters and sorts', async () => {
  assert.deepEqual(await emails('?sort_by=updated_at&order_by=desc&limit=2'), ['user0', 'user1'])
  assert.deepEqual(await emails('?order_by=asc&limit=2'), ['user0', 'user1'])
  assert.deepEqual(await emails('?email=user7%40example.com'), ['user7'])
  assert.deepEqual(await emails('?grant_status=invalid'), ['user3'])
  assert.deepEqual(await emails('?provider=microsoft&limit=2'), ['user13', 'user11'])
  assert.deepEqual(await emails('?account_id=account-4'), ['user4'])
  assert.deepEqual(await emails('?account_ids=account-4,account-6&account_ids=account-8'), [
    'user8',
    'user6',
    'user4',
  ])
  assert.deepEqual(await emails('?since=1002&before=1003'), ['user3', 'user2'])
  assert.deepEqual(await emails('?workspace_id=w'), [])
  assert.equal((await emails('?workspace_id=')).length, 10)
})

test('names the parameter that is wrong', async () => {
  for (const [query, message] of [
    ['limit=0', /^limit /],
    ['limit=-1', /^limit /],
    ['limit=ten', /^limit /],
    ['limit=1e400', /^limit /],
    ['offset=-1', /^offset /],
    ['offset=99999999999999999999', /^offset /],
    ['sort_by=email', /^sort_by /],
    ['order_by=up', /^order_by /],
    ['grant_status=dead', /^grant_status /],
    ['since=yesterday', /^since /],
    ['since=2&before=1', /^since /],
    [`account_ids=${Array.from({ length: 201 }, (_, index) => index).join(',')}`, /^account_ids /],
  ] as const) {
    const answer = await app.call('GET', `/v3/grants?${query}`)
    assert.equal(answer.status, 400, query)
    assert.match(answer.body.error.message, message)
  }
})

test('answers the whole grant, without what is unknown, and its reason only while invalid', async () => {
  const full = grantRecord({
    applicationId: app.applicationId,
    email: 'Ada@Example.com',
    name: 'Ada',
    providerUserId: 'p1',
    state: 's',
    ip: '203.0.113.9',
    userAgent: 'test',
    scope: ['openid'],
    settings: { imap_host: 'imap.example', imap_port: 993 },
    accountId: 'v2',
    blocked: true,
    status: 'invalid',
    reason: { code: 'c', message: 'm', advice: 'a', provider_error: { error: 'x' }, at: 5 },
  })
  await app.database.stores.grants.insert(full)
  const answer = await app.call('GET', `/v3/grants/${full.id}?expose_aliases=True`)
  assert.deepEqual(answer.body.data, {
    id: full.id,
    provider: 'google',
    grant_status: 'invalid',
    email: 'Ada@Example.com',
    name: 'Ada',
    scope: ['openid'],
    provider_user_id: 'p1',
    state: 's',
    ip: '203.0.113.9',
    user_agent: 'test',
    settings: { imap_host: 'imap.example', imap_port: 993 },
    account_id: 'v2',
    blocked: true,
    email_aliases: ['alias@example.com'],
    reason: { code: 'c', message: 'm', advice: 'a', provider_error: { error: 'x' }, at: 5 },
    created_at: full.createdAt,
    updated_at: full.updatedAt,
  })
  const plain = grantRecord({ applicationId: app.applicationId, email: 'plain@example.com' })
  await app.database.stores.grants.insert(plain)
  const small = await app.call('GET', `/v3/grants/${plain.id}`)
  assert.deepEqual(small.body.data, {
    id: plain.id,
    provider: 'google',
    grant_status: 'valid',
    email: 'plain@example.com',
    scope: [],
    settings: {},
    created_at: plain.createdAt,
    updated_at: plain.updatedAt,
  })
})

test('answers 404 for unknown grants and those of another application, 401 for me with an API key', async () => {
  const foreign = grantRecord({ applicationId: app.otherApplicationId })
  await app.database.stores.grants.insert(foreign)
  for (const id of ['none', foreign.id, 'email%3Anobody%40example.com', 'a%2Fb']) {
    for (const method of ['GET', 'PATCH', 'DELETE']) {
      const answer = await app.call(method, `/v3/grants/${id}`, method === 'PATCH' ? {} : undefined)
      assert.deepEqual([answer.status, answer.body.error.type], [404, 'grant.not_found'], `${method} ${id}`)
      assert.equal(answer.body.error.message, 'No Grant found for this Grant ID.')
    }
  }
  const me = await app.call('GET', '/v3/grants/me')
  assert.deepEqual([me.status, me.body.error.type], [401, 'token.unauthorized_access'])
})

test('answers 423 for data of a blocked grant, but still shows the grant', async () => {
  const blocked = grantRecord({ applicationId: app.applicationId, blocked: true })
  await app.database.stores.grants.insert(blocked)
  for (const path of ['messages', 'messages/x', 'folders', 'folders/x']) {
    const answer = await app.call('GET', `/v3/grants/${blocked.id}/${path}`)
    assert.deepEqual([answer.status, answer.body.error.type], [423, 'api.resource_blocked'])
  }
  assert.equal((await app.call('GET', `/v3/grants/${blocked.id}`)).body.data.blocked, true)
})

test('gives connect/custom what was posted, the client and a signal, and answers 201', async () => {
  const calls: { caller: Caller; body: unknown; context: { ip: string; userAgent: string | null } }[] = []
  const record = grantRecord()
  const grants = {
    connectCustom: (caller, body, context) => {
      calls.push({ caller, body, context })
      assert.equal(context.signal.aborted, false)
      return Promise.resolve(record)
    },
  } as Partial<GrantService> as GrantService
  const custom = await startHttpApp({ services: { grants }, http: { trustedProxies: ['127.0.0.0/8'] } })
  try {
    const body = {
      provider: 'google',
      settings: { refresh_token: 'planted', nested: { deep: [1] } },
      scope: ['a'],
      state: 's',
      credential_id: 'c',
    }
    const headers = { 'user-agent': 'SDK', 'x-forwarded-for': '203.0.113.9' }
    const answer = await custom.call('POST', '/v3/connect/custom', { ...body, extra: 1 }, headers)
    assert.equal(answer.status, 201, answer.text)
    assert.equal(answer.body.data.id, record.id)
    await custom.call('POST', '/v3/connect/custom', {}, { ...headers, 'x-forwarded-for': '<x>' })
    assert.deepEqual(
      calls.map(({ body: posted, context }) => [posted, context.ip, context.userAgent]),
      [
        [body, '203.0.113.9', 'SDK'],
        [{}, '127.0.0.1', 'SDK'],
      ],
    )
    const long = await custom.call('POST', '/v3/connect/custom', { state: 'x'.repeat(257) })
    assert.match(long.body.error.message, /^state /)
  } finally {
    await custom.close()
  }
})

test('takes an address for detection from the query only, and wants one', async () => {
  for (const query of [
    '',
    '?email=',
    '?email=nobody',
    '?email=a@b.example,c@d.example',
    '?all_provider_types=maybe&email=a@b.example',
  ]) {
    const answer = await app.call('POST', `/v3/providers/detect${query}`, { email: 'a@b.example' })
    assert.equal(answer.status, 400, query)
    assert.equal(answer.body.error.type, 'api.invalid_request_error')
  }
})
