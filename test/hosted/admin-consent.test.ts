import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import {
  type HostedWorld,
  parametersOf,
  type Query,
  REDIRECT,
  redirectOf,
  sessionOf,
  startHostedWorld,
  stopOf,
} from './hosted-world.ts'

let world: HostedWorld
before(async () => {
  world = await startHostedWorld()
  const settings = { client_id: 'ms-client', client_secret: 'ms-secret' }
  const made = await world.app.call('POST', '/v3/connectors', { provider: 'microsoft', settings })
  assert.equal(made.status, 201, made.text)
})
after(() => world.stop())

async function newCredential(data: object = {}): Promise<string> {
  const made = await world.app.call('POST', '/v3/connectors/microsoft/creds', {
    name: randomUUID(),
    credential_type: 'adminconsent',
    credential_data: { client_id: `admin-${randomUUID()}`, client_secret: 'admin-secret', ...data },
  })
  assert.equal(made.status, 201, made.text)
  return made.body.data.id
}

const start = (query: Query) => world.start({ response_type: 'adminconsent', ...query })

/** The administrator comes back from Microsoft with these parameters. */
async function comeBack(credential_id: string, query: Query): Promise<URL> {
  const { step, session } = await start({ credential_id, state: 's' })
  const state = redirectOf(step).searchParams.get('state') ?? ''
  return redirectOf(await world.callback({ state, ...query }, session))
}

async function tenantOf(credential_id: string): Promise<string | null> {
  const url = redirectOf((await start({ credential_id })).step)
  const [, tenant] = url.pathname.split('/')
  return tenant === 'organizations' ? null : (tenant ?? null)
}

test('sends an administrator to the consent of his tenant, keeps the tenant, and gives no code', async () => {
  const credential_id = await newCredential()
  const { step, session } = await start({ credential_id, state: 'app state' })
  const url = redirectOf(step)
  assert.equal(url.href.split('?')[0], 'https://login.microsoftonline.com/organizations/adminconsent')
  const { state, redirect_uri, client_id } = parametersOf(url)
  assert.equal(redirect_uri, `${world.app.url}/v3/connect/callback`)
  assert.match(client_id ?? '', /^admin-/)
  const tenant = randomUUID()
  const home = redirectOf(
    await world.callback({ state: state ?? '', admin_consent: 'True', tenant }, session),
  )
  assert.equal(home.href, `${REDIRECT}?admin_consent=true&state=app%20state`)
  assert.equal(await tenantOf(credential_id), tenant)
  const { audit } = world.app.application.database.stores
  const [entry] = await audit.list(
    { applicationId: null, action: 'credential.admin_consented' },
    { limit: 1 },
  )
  assert.deepEqual(
    [entry?.actor, entry?.target, entry?.detail],
    ['hosted', `credential:${credential_id}`, { tenant }],
  )
  assert.equal(
    stopOf(await world.callback({ state: state ?? '', admin_consent: 'True', tenant }, session)),
    '400 grant.login_id_invalid',
  )
})

test('asks for a tenant’s own consent where the credential names one, and lets no other tenant in', async () => {
  const tenant = randomUUID()
  const credential_id = await newCredential({ tenant })
  const url = redirectOf((await start({ credential_id, provider: 'microsoft' })).step)
  assert.equal(url.pathname, `/${tenant}/v2.0/adminconsent`)
  assert.ok(url.searchParams.get('scope'))
  const other = await comeBack(credential_id, { admin_consent: 'True', tenant: randomUUID() })
  assert.equal(other.searchParams.get('error'), 'invalid_request')
  assert.equal(await tenantOf(credential_id), tenant)
  const same = await comeBack(credential_id, { admin_consent: 'true', tenant: tenant.toUpperCase() })
  assert.equal(same.searchParams.get('admin_consent'), 'true')
})

test('tells the application why there is no consent', async () => {
  const credential_id = await newCredential()
  for (const [query, error] of [
    [{ error: 'access_denied', error_description: 'AADSTS65004: declined' }, 'access_denied'],
    [{ admin_consent: 'False', tenant: randomUUID() }, 'access_denied'],
    [{ admin_consent: 'True' }, 'server_error'],
    [{ admin_consent: 'True', tenant: '../../evil' }, 'server_error'],
    [{ code: 'a code' }, 'access_denied'],
  ] as const) {
    const answer = parametersOf(await comeBack(credential_id, query))
    assert.deepEqual([answer['error'], answer['state']], [error, 's'], JSON.stringify(query))
    assert.equal(await tenantOf(credential_id), null)
  }
})

test('wants a credential of that type', async () => {
  const { body } = await world.app.call('GET', '/v3/connectors/microsoft')
  const admin = await newCredential()
  const cases: readonly Query[] = [
    {},
    { credential_id: 'nobody' },
    { credential_id: body.data.active_credential_id },
    { credential_id: admin, provider: 'google' },
  ]
  for (const query of cases) {
    const answer = parametersOf(redirectOf((await start(query)).step))
    assert.equal(answer['error'], 'invalid_request')
    assert.match(answer['error_description'] ?? '', /credential_id/)
  }
  const asCode = redirectOf((await world.start({ credential_id: admin })).step)
  assert.equal(asCode.searchParams.get('error'), 'invalid_request')
})

test('has no pages of ours for an administrator', async () => {
  const session = sessionOf(await start({ credential_id: await newCredential() }))
  assert.equal(stopOf((await world.hosted.show(session)).step), '400 grant.login_id_invalid')
  assert.equal(stopOf((await world.hosted.choose(session, 'google')).step), '400 grant.login_id_invalid')
})
