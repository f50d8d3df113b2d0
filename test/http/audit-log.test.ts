// The audit log through the API: each mutating route of the table leaves one row when it works, none when it fails.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { AuditLogEntry } from '../../src/contract/audit.ts'
import { applicationId } from '../../src/contract/ids.ts'
import { allRoutes } from '../../src/http/routes/all.ts'
import { type FakeZoom, startFakeZoom, ZOOM_CLIENT } from '../support/fake-zoom.ts'
import { type GrantwayApp, startGrantway } from '../support/grantway-app.ts'
import { startWebhookReceiver, type WebhookReceiver } from '../support/webhook-receiver.ts'
import { plantWebhook } from './plant-webhook.ts'

const PLANTED = 'planted-secret-value'
/** They look something up or send a sample: nothing of ours changes. */
const CHANGE_NOTHING = [
  'detectProvider',
  'getMockWebhookPayload',
  'sendTestWebhookEvent',
  // Tokens are given and looked at all day: only taking them back is told.
  'exchangeToken',
  'postTokenInfo',
]
/** What a grant is used for: the log is about who may do what, not about the user's mail. */
const USES = ['Messages', 'Drafts', 'Threads', 'Folders', 'Attachments', 'Signatures', 'Templates']

let zoom: FakeZoom
let receiver: WebhookReceiver
let app: GrantwayApp
before(async () => {
  zoom = await startFakeZoom()
  receiver = await startWebhookReceiver()
  app = await startGrantway({
    GRANTWAY_ZOOM_TOKEN_URL: zoom.endpoints.tokenUrl,
    GRANTWAY_ZOOM_API_URL: zoom.endpoints.apiUrl,
    GRANTWAY_ALLOWED_NETWORKS: '127.0.0.0/8',
  })
})
after(async () => {
  await app.stop()
  await receiver.stop()
  await zoom.stop()
})

async function read(query = ''): Promise<readonly AuditLogEntry[]> {
  const answer = await app.call('GET', `/v3/audit-log?limit=200${query}`)
  assert.equal(answer.status, 200, answer.text)
  return answer.body.data
}

interface Step {
  /** routes of the table that this calls, by their operation ids */
  readonly operations: readonly string[]
  readonly method: string
  readonly path: string
  readonly body?: unknown
  readonly headers?: Record<string, string>
  readonly action: string
  readonly target: (data: { readonly id: string }) => string
  /** a call of the same route that is refused */
  readonly refused: { readonly path?: string; readonly body?: unknown }
}

/** Does a step: refused first, then as it should be. @returns what was answered */
async function audited(step: Step, keyId: string): Promise<{ readonly id: string }> {
  const start = await read()
  const refused = await app.call(step.method, step.refused.path ?? step.path, step.refused.body, step.headers)
  assert.ok(refused.status >= 400 && refused.status < 500, `${step.path}: ${refused.text}`)
  assert.deepEqual(await read(), start, `${step.method} ${step.path}, refused`)
  const done = await app.call(step.method, step.path, step.body, step.headers)
  assert.ok(done.status < 300, done.text)
  const data = done.body.data ?? {}
  const added = (await read()).slice(0, -start.length || undefined)
  // A connector takes its grants with it: theirs are the system's rows.
  const rows = added.filter(({ actor }) => actor !== 'system')
  assert.deepEqual(
    rows.map(({ actor, action, target }) => ({ actor, action, target })),
    [{ actor: `key:${keyId}`, action: step.action, target: step.target(data) }],
    `${step.method} ${step.path}`,
  )
  return data
}

test('refuses without a key', async () => {
  const answer = await app.call('GET', '/v3/audit-log', undefined, { authorization: '' })
  assert.deepEqual([answer.status, answer.body.error.type], [401, 'token.unauthorized_access'])
})

test('each change leaves one row: who, what, on what, and no secret; a refused call leaves none', async () => {
  const [bootstrapped] = await app.application.services.apiKeys.list(null)
  const keyId = bootstrapped?.id ?? ''
  const application = bootstrapped?.applicationId ?? applicationId('')
  const walked = new Set<string>()
  const walk = (step: Step) => {
    for (const operation of step.operations) walked.add(operation)
    return audited(step, keyId)
  }
  const change = async (
    operations: readonly string[],
    method: string,
    path: string,
    rest: Omit<Step, 'operations' | 'method' | 'path'>,
  ) => walk({ operations, method, path, ...rest })

  for (const path of ['/v3/applications', `/v3/applications/${application}`]) {
    await change(['updateApplication', 'updateApplicationById'], 'PATCH', path, {
      body: { branding: { name: PLANTED } },
      action: 'application.updated',
      target: () => `application:${application}`,
      refused: { body: { branding: 7 } },
    })
  }
  for (const [at, noun] of [
    ['redirect-uris', 'RedirectUri'],
    ['callback-uris', 'CallbackUri'],
  ] as const) {
    const url = `/v3/applications/${at}`
    const uri = (name: string) => ({ url: `https://${at}.example/${name}?key=${PLANTED}`, platform: 'web' })
    await app.call('PATCH', '/v3/applications', { hosted_authentication: {} })
    const made = await change([`create${noun}`], 'POST', url, {
      body: { url: `https://${at}.example/a`, platform: 'web' },
      action: 'callback_uri.created',
      target: ({ id }) => `callback_uri:${id}`,
      refused: { body: { platform: 'web' } },
    })
    const target = () => `callback_uri:${made.id}`
    for (const method of ['PATCH', 'PUT']) {
      await change([`${method === 'PUT' ? 'put' : 'update'}${noun}`], method, `${url}/${made.id}`, {
        body: { url: `https://${at}.example/${method}` },
        action: 'callback_uri.updated',
        target,
        refused: { path: `${url}/unknown`, body: uri('x') },
      })
    }
    await change([`delete${noun}`], 'DELETE', `${url}/${made.id}`, {
      action: 'callback_uri.deleted',
      target,
      refused: { path: `${url}/unknown` },
    })
  }

  const settings = { client_id: ZOOM_CLIENT.clientId, client_secret: ZOOM_CLIENT.clientSecret }
  const connector = () => 'connector:zoom'
  await change(['createConnector'], 'POST', '/v3/connectors', {
    body: { provider: 'zoom', settings },
    action: 'connector.created',
    target: connector,
    refused: { body: { provider: 'zoom', settings: { client_id: PLANTED } } },
  })
  for (const [method, operation] of [
    ['PATCH', 'updateConnector'],
    ['PUT', 'putConnector'],
  ] as const) {
    await change([operation], method, '/v3/connectors/zoom', {
      body: { name: PLANTED, settings: { client_secret: ZOOM_CLIENT.clientSecret } },
      action: 'connector.updated',
      target: connector,
      refused: { path: '/v3/connectors/google', body: { name: 'x' } },
    })
  }
  const creds = '/v3/connectors/zoom/creds'
  const credential = await change(['createCredential'], 'POST', creds, {
    body: {
      name: 'second',
      credential_type: 'connector',
      credential_data: { client_id: 'other', client_secret: PLANTED },
    },
    action: 'credential.created',
    target: ({ id }) => `credential:${id}`,
    refused: { body: { name: 'third', credential_type: 'connector', credential_data: {} } },
  })
  for (const method of ['PATCH', 'PUT']) {
    await change([`${method === 'PUT' ? 'put' : 'update'}Credential`], method, `${creds}/${credential.id}`, {
      body: { credential_data: { client_id: 'other', client_secret: `${PLANTED}-${method}` } },
      action: 'credential.updated',
      target: () => `credential:${credential.id}`,
      refused: { body: { credential_data: { client_id: 7 } } },
    })
  }
  await change(['deleteCredential'], 'DELETE', `${creds}/${credential.id}`, {
    action: 'credential.deleted',
    target: () => `credential:${credential.id}`,
    refused: { path: `${creds}/unknown` },
  })

  const token = zoom.mint('ada@zoom.example')
  const grant = await change(['connectCustom'], 'POST', '/v3/connect/custom', {
    body: { provider: 'zoom', settings: { refresh_token: token } },
    action: 'grant.created',
    target: ({ id }) => `grant:${id}`,
    refused: { body: { provider: 'zoom', settings: { refresh_token: PLANTED } } },
  })
  const ofGrant = () => `grant:${grant.id}`
  await change(['connectCustom'], 'POST', '/v3/connect/custom', {
    body: { provider: 'zoom', settings: { refresh_token: token } },
    action: 'grant.reauthenticated',
    target: ofGrant,
    refused: { body: { provider: 'yahoo' } },
  })
  await change(['updateGrant'], 'PATCH', `/v3/grants/${grant.id}`, {
    body: { scope: ['user:read:user'] },
    action: 'grant.scope_changed',
    target: ofGrant,
    refused: { body: {} },
  })
  await change(['updateGrant'], 'PATCH', `/v3/grants/${grant.id}`, {
    body: { settings: { refresh_token: token } },
    action: 'grant.reauthenticated',
    target: ofGrant,
    refused: { body: { settings: { refresh_token: PLANTED } } },
  })
  await change(['importGrants'], 'POST', '/v3/grants/import', {
    headers: { 'content-type': 'application/x-ndjson' },
    body: { provider: 'zoom', email: 'bea@zoom.example', refresh_token: PLANTED },
    action: 'grants.imported',
    target: () => `application:${application}`,
    refused: { path: '/v3/grants/import?verify=never', body: {} },
  })
  await change(['deleteGrant'], 'DELETE', `/v3/grants/${grant.id}`, {
    action: 'grant.deleted',
    target: ofGrant,
    refused: { path: '/v3/grants/unknown' },
  })

  const hook = await change(['createWebhook'], 'POST', '/v3/webhooks', {
    body: { trigger_types: ['grant.created'], webhook_url: `${receiver.url}/hook?key=${PLANTED}` },
    action: 'webhook.created',
    target: ({ id }) => `webhook:${id}`,
    refused: { body: { trigger_types: [], webhook_url: receiver.url } },
  })
  const ofHook = () => `webhook:${hook.id}`
  const rotations = [
    ['rotateWebhookSecret', 'POST', '/v3/webhooks/rotate-secret/ID'],
    ['putWebhookSecret', 'PUT', '/v3/webhooks/ID/rotate-secret'],
  ] as const
  for (const [operation, method, path] of rotations) {
    await change([operation], method, path.replace('ID', hook.id), {
      action: 'webhook.secret_rotated',
      target: ofHook,
      refused: { path: path.replace('ID', 'unknown') },
    })
  }
  await change(['updateWebhook'], 'PUT', `/v3/webhooks/${hook.id}`, {
    body: { description: PLANTED },
    action: 'webhook.updated',
    target: ofHook,
    refused: { path: '/v3/webhooks/unknown', body: { description: 'x' } },
  })
  const planted = await plantWebhook(app.application.database, application)
  const delivery = `/v3/webhooks/${planted.webhook}/deliveries`
  walked.add('revokeToken') // the next test
  walked.add('replayWebhookDelivery') // needs a kept event: test/http/webhook-deliveries.test.ts
  await app.call('PUT', `/v3/webhooks/${planted.webhook}`, {
    status: 'active',
    webhook_url: `${receiver.url}/p`,
  })
  await change(['replayWebhookDeliveries'], 'POST', `${delivery}/replay`, {
    body: { since: 1 },
    action: 'webhook.replayed',
    target: () => `webhook:${planted.webhook}`,
    refused: { body: { since: 9, until: 1 } },
  })
  await change(['deleteWebhook'], 'DELETE', `/v3/webhooks/${hook.id}`, {
    action: 'webhook.deleted',
    target: ofHook,
    refused: { path: '/v3/webhooks/unknown' },
  })
  await change(['deleteConnector'], 'DELETE', '/v3/connectors/zoom', {
    action: 'connector.deleted',
    target: connector,
    refused: { path: '/v3/connectors/google' },
  })

  const mutating = allRoutes()
    .filter(({ method }) => method !== 'GET')
    .filter(({ operationId, tag }) => !CHANGE_NOTHING.includes(operationId) && !USES.includes(tag))
    .map(({ operationId }) => operationId)
  assert.deepEqual(
    mutating.filter((operation) => !walked.has(operation)),
    [],
  )
  const everything = JSON.stringify(
    await app.application.database.stores.audit.list({ applicationId: null }, { limit: 999 }),
  )
  for (const secret of [PLANTED, ZOOM_CLIENT.clientSecret, token, app.key]) {
    assert.ok(!everything.includes(secret), `the audit log holds ${secret}`)
  }
})

test('a grant that its provider or its connector ends is written down for the system', async () => {
  const settings = { client_id: ZOOM_CLIENT.clientId, client_secret: ZOOM_CLIENT.clientSecret }
  await app.call('POST', '/v3/connectors', { provider: 'zoom', settings })
  const connect = async (email: string) => {
    const body = { provider: 'zoom', settings: { refresh_token: zoom.mint(email) } }
    return (await app.call('POST', '/v3/connect/custom', body)).body.data.id
  }
  const refused = await connect('cal@zoom.example')
  const orphan = await connect('dan@zoom.example')
  const spent = zoom.currentToken('cal@zoom.example')
  app.clock.advance(3_600_000)
  zoom.failNext(401, { reason: 'Invalid Token!', error: 'invalid_request' })
  await app.call('POST', '/v3/connect/custom', { provider: 'zoom', settings: { refresh_token: spent } })
  assert.equal((await app.call('DELETE', '/v3/connectors/zoom')).status, 200)
  const expired = await read('&action=grant.expired&actor=system')
  assert.deepEqual(
    [orphan, refused].map((id) =>
      expired.filter(({ target }) => target === `grant:${id}`).map(({ detail }) => detail['reason']),
    ),
    [['connector_deleted'], ['refresh_token_spent']],
  )
})

test('pages newest first, filters, and shows an application its own entries only', async () => {
  const all = await read()
  assert.ok(all.length > 12)
  const pages: AuditLogEntry[] = []
  let token = ''
  do {
    const answer = await app.call('GET', `/v3/audit-log?limit=7${token && `&page_token=${token}`}`)
    assert.ok(answer.body.data.length <= 7)
    pages.push(...answer.body.data)
    token = answer.body.next_cursor ?? ''
  } while (token !== '')
  assert.deepEqual(pages, all)

  const first = all.at(-1)!
  assert.deepEqual(Object.keys(first).sort(), ['action', 'actor', 'created_at', 'detail', 'id', 'target'])
  const created = await read(
    `&action=grant.created&target=${all.find(({ action }) => action === 'grant.created')?.target}`,
  )
  assert.deepEqual(
    created.map(({ action }) => action),
    ['grant.created'],
  )
  assert.deepEqual(await read(`&until=${first.created_at - 1}`), [])
  assert.deepEqual(await read(`&since=${first.created_at}`), all)
  assert.deepEqual(await read('&actor=key:nobody'), [])

  const cursor = (await app.call('GET', '/v3/audit-log?limit=1')).body.next_cursor
  const { services } = app.application
  const other = await services.applications.create({ name: 'Other', actor: 'cli' })
  const { value } = await services.apiKeys.create(other.id, { name: 'other', actor: 'cli' })
  const authorization = `Bearer ${value}`
  const theirs = await app.call('GET', '/v3/audit-log', undefined, { authorization })
  assert.deepEqual(
    theirs.body.data.map(({ actor, action }: AuditLogEntry) => [actor, action]),
    [
      ['cli', 'key.created'],
      ['cli', 'application.created'],
    ],
  )
  const refused = [
    await app.call('GET', `/v3/audit-log?page_token=${cursor}`, undefined, { authorization }),
    await app.call('GET', `/v3/audit-log?page_token=${cursor}&actor=system`),
    await app.call('GET', '/v3/audit-log?page_token=x'),
    await app.call('GET', '/v3/audit-log?since=9&until=1'),
    await app.call('GET', '/v3/audit-log?limit=0'),
  ]
  for (const { status, body } of refused) {
    assert.deepEqual([status, body.error.type], [400, 'api.invalid_request_error'])
  }
})

test('taking tokens of a grant back leaves one row of whoever held them', async () => {
  await app.call('POST', '/v3/connectors', { provider: 'virtual-calendar' })
  const made = await app.call('POST', '/v3/connect/custom', {
    provider: 'virtual-calendar',
    settings: { email: 'revoked@example.com' },
  })
  const grantId: string = made.body.data.id
  const [application] = await app.application.services.applications.list()
  const issued = await app.call('POST', '/v3/connect/token', {
    grant_type: 'client_credentials',
    client_id: application?.id,
    client_secret: app.key,
    grant_id: grantId,
  })
  assert.equal(issued.status, 200, issued.text)
  const revoked = await app.call('POST', `/v3/connect/revoke?token=${issued.body.access_token}`)
  assert.equal(revoked.status, 200, revoked.text)
  const { body } = await app.call('GET', `/v3/audit-log?action=tokens.revoked`)
  assert.deepEqual(
    body.data.map(({ actor, target }: { actor: string; target: string }) => ({ actor, target })),
    [{ actor: `grant:${grantId}`, target: `grant:${grantId}` }],
  )
  assert.ok(!JSON.stringify(body).includes(issued.body.access_token))
})
