// Who a grant is that was imported unverified: its first refresh finds out, and nobody waits for it.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type FakeZoom, startFakeZoom, ZOOM_CLIENT } from '../support/fake-zoom.ts'
import { type ImportWorld, startImportWorld } from '../support/import-world.ts'
import { logKeeper } from '../support/log-keeper.ts'

const ADA = 'ada@sandbox.example'

const logged = logKeeper()
let zoom: FakeZoom
let world: ImportWorld
before(async () => {
  zoom = await startFakeZoom()
  world = await startImportWorld(
    {
      GRANTWAY_ZOOM_AUTHORIZE_URL: zoom.endpoints.authorizeUrl,
      GRANTWAY_ZOOM_TOKEN_URL: zoom.endpoints.tokenUrl,
      GRANTWAY_ZOOM_API_URL: zoom.endpoints.apiUrl,
    },
    logged.log,
  )
  const settings = { client_id: ZOOM_CLIENT.clientId, client_secret: ZOOM_CLIENT.clientSecret }
  const made = await world.app.call('POST', '/v3/connectors', { provider: 'zoom', settings })
  assert.equal(made.status, 201, made.text)
})
after(async () => {
  await world.stop()
  await zoom.stop()
})

let users = 0
/** Imports a grant of Zoom, whose tokens work once. `account`: whose token the row has. */
async function importZoom(of: { readonly account?: string } = {}): Promise<string> {
  users += 1
  const email = `user-${users}@zoom.example`
  const refresh_token = zoom.mint(of.account ?? email)
  await world.load([{ provider: 'zoom', email, refresh_token, name: 'As imported' }])
  return email
}

/** Gets an access token as a data call does. */
async function use(email: string): Promise<void> {
  const { database, accessTokens } = world.app.application
  const { data } = (await world.app.call('GET', '/v3/applications')).body
  const [grant] = await database.stores.grants.listByEmail(data.application_id, email)
  assert.ok(grant)
  accessTokens.forget(grant.id)
  world.app.clock.advance(2 * 3_600_000)
  await accessTokens.current(grant)
}

const settled = () => world.app.application.accessTokens.idle()

async function auditOf(email: string) {
  const { id } = await world.grantOf(email)
  const { body } = await world.app.call('GET', `/v3/audit-log?target=grant:${id}`)
  return body.data as readonly { readonly action: string; readonly actor: string; readonly detail: object }[]
}

test('the first refresh of a Google grant fills in who it is, once, and no webhook hears of it', async () => {
  await world.load([
    { provider: 'google', email: ADA, refresh_token: world.sandbox.control.mintRefreshToken(ADA) },
  ])
  const before = await world.grantOf(ADA)
  assert.equal(before.provider_user_id, undefined)
  assert.equal((await world.app.call('GET', `/v3/grants/${before.id}/messages?limit=1`)).status, 200)
  await settled()
  const after = await world.grantOf(ADA)
  assert.ok(after.provider_user_id)
  assert.ok(after.name)
  assert.equal(after.id, before.id)
  assert.equal(after.grant_status, 'valid')
  assert.deepEqual(await auditOf(ADA), [])
  const events = await world.app.application.database.stores.outbox.list(
    (await world.app.call('GET', '/v3/applications')).body.data.application_id,
    100,
  )
  assert.deepEqual(events, [])
})

test('nobody waits for the provider to say who it is', async () => {
  const email = await importZoom()
  const held = zoom.hold('me')
  await use(email)
  await held.first
  assert.equal((await world.grantOf(email)).provider_user_id, undefined)
  held.release()
  await settled()
  const grant = await world.grantOf(email)
  assert.equal(grant.provider_user_id, `zoom-${email}`)
  assert.equal(grant.name, 'Ada Moreau')
  assert.deepEqual(grant.scope, ['user:read:user', 'meeting:write:meeting'])
})

test('a provider that fails to say it costs nothing, and is asked at the next refresh', async () => {
  const email = await importZoom()
  zoom.failNextMe(500, {})
  await use(email)
  await settled()
  const grant = await world.grantOf(email)
  assert.equal(grant.grant_status, 'valid')
  assert.equal(grant.provider_user_id, undefined)
  await use(email)
  await settled()
  assert.equal((await world.grantOf(email)).provider_user_id, `zoom-${email}`)
  assert.equal(zoom.replays(), 0)
})

test('a known identity is not asked for again', async () => {
  const email = await importZoom()
  await use(email)
  await settled()
  await use(email)
  await settled()
  assert.deepEqual([zoom.tokenCallsOf(email), zoom.meCallsOf(email)], [2, 1])
})

test('an account with another address keeps the grant valid, and the logs tell, without the address', async () => {
  const account = 'somebody.else@elsewhere.example'
  const email = await importZoom({ account })
  await use(email)
  await settled()
  const grant = await world.grantOf(email)
  assert.equal(grant.grant_status, 'valid')
  assert.equal(grant.email, email)
  assert.equal(grant.provider_user_id, `zoom-${account}`)
  const [entry, ...others] = await auditOf(email)
  assert.deepEqual(others, [])
  assert.equal(entry?.action, 'grant.address_differs')
  assert.equal(entry.actor, 'system')
  assert.deepEqual(entry.detail, { provider: 'zoom', account: 's***@elsewhere.example' })
  assert.match(logged.text(), /"grantId":"[^"]+","provider":"zoom","advice":[^\n]*grant\.address_differs/)
  assert.ok(!logged.text().includes('somebody.else'))
  await use(email)
  await settled()
  assert.equal((await auditOf(email)).length, 1)
})

test('a re-authentication that comes in between wins', async () => {
  const account = 'wrong@zoom.example'
  const email = await importZoom({ account })
  const held = zoom.hold('me')
  await use(email)
  await held.first
  held.release()
  const again = await world.app.call('PATCH', `/v3/grants/${(await world.grantOf(email)).id}`, {
    settings: { refresh_token: zoom.mint(email) },
  })
  assert.equal(again.status, 200, again.text)
  await settled()
  assert.equal((await world.grantOf(email)).provider_user_id, `zoom-${email}`)
})
