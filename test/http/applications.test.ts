import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startHttpApp, type HttpApp } from '../support/http-app.ts'

let app: HttpApp
before(async () => {
  app = await startHttpApp()
})
after(() => app.close())

test('refuses without a key', async () => {
  assert.equal((await fetch(`${app.url}/v3/applications`)).status, 401)
})

test('answers the defaults of a new application', async () => {
  const expected = {
    application_id: app.otherApplicationId,
    organization_id: app.otherApplicationId,
    region: 'us',
    environment: 'production',
    branding: { name: 'Other' },
    hosted_authentication: {},
    idp_settings: {},
    callback_uris: [],
    created_at: 1_767_225_600,
    updated_at: 1_767_225_600,
  }
  const headers = { authorization: `bearer ${app.otherKey}` }
  for (const path of ['/v3/applications', `/v3/applications/${app.otherApplicationId}`]) {
    const answer = await app.call('GET', path, undefined, headers)
    assert.deepEqual(answer.body, { request_id: answer.body.request_id, data: expected })
  }
  const foreign = await app.call('GET', `/v3/applications/${app.applicationId}`, undefined, headers)
  assert.deepEqual([foreign.status, foreign.body.error.type], [404, 'api.not_found_error'])
  const patched = await app.call('PATCH', `/v3/applications/${app.applicationId}`, {}, headers)
  assert.equal(patched.status, 404)
})

test('replaces a nested object whole, keeps what is left out, and hides additional_settings', async () => {
  const first = await app.call('PATCH', '/v3/applications', {
    branding: { name: 'Acme', icon_url: 'https://acme.example/i.png', unknown: 1 },
    hosted_authentication: { title: 'Connect', spacing: 5 },
    domain: 'mail.acme.example',
    additional_settings: { rotate_refresh_token: true, login_url: 'https://acme.example/login' },
  })
  assert.equal(first.status, 200, first.text)
  app.clock.advance(5_000)
  const second = await app.call('PATCH', `/v3/applications/${app.applicationId}`, {
    branding: { website_url: 'https://acme.example' },
    hosted_authentication: { subtitle: 'Hello' },
  })
  assert.deepEqual(second.body, {
    request_id: second.body.request_id,
    success: true,
    data: {
      application_id: app.applicationId,
      organization_id: app.applicationId,
      region: 'us',
      environment: 'production',
      branding: { website_url: 'https://acme.example', name: 'Acme' },
      hosted_authentication: { subtitle: 'Hello' },
      idp_settings: {},
      callback_uris: [],
      domain: 'mail.acme.example',
      created_at: 1_767_225_600,
      updated_at: 1_767_225_605,
    },
  })
  const stored = await app.database.stores.applications.find(app.applicationId)
  assert.deepEqual(stored?.settings['additional_settings'], {
    rotate_refresh_token: true,
    login_url: 'https://acme.example/login',
  })
})

test('names the field that is wrong', async () => {
  for (const [body, message] of [
    [{ branding: { name: 7 } }, /^branding\.name /],
    [{ hosted_authentication: { spacing: 'wide' } }, /^hosted_authentication\.spacing /],
    [{ additional_settings: { refresh_token_expiration_idle: -1 } }, /^additional_settings\./],
    [{ callback_uris: [{ platform: 'web' }] }, /^callback_uris\.0\.url is required/],
    [{ callback_uris: [{ url: 'http://acme.example' }] }, /^callback_uris\.0\.url must be https/],
    [{ callback_uris: [{ url: 'https://a.example', id: 'nope' }] }, /^callback_uris\.0\.id /],
  ] as const) {
    const answer = await app.call('PATCH', '/v3/applications', body)
    assert.equal(answer.status, 400, answer.text)
    assert.match(answer.body.error.message, message)
  }
})

test('makes the callback URIs the given list: keeps by id, adds, removes, swaps URLs', async () => {
  const patch = async (callback_uris: object[]) => app.call('PATCH', '/v3/applications', { callback_uris })
  const created = await patch([
    { url: 'https://a.example/cb' },
    { url: 'https://b.example/cb', platform: 'desktop' },
  ])
  // Both are made in the same second, so their order is open.
  const [a, b] = created.body.data.callback_uris.toSorted((x: { url: string }, y: { url: string }) =>
    x.url < y.url ? -1 : 1,
  )
  assert.deepEqual([a.platform, b.platform], ['web', 'desktop'])

  const swapped = await patch([
    { id: a.id, url: 'https://b.example/cb' },
    { id: b.id, url: 'https://a.example/cb' },
  ])
  const byId = new Map(swapped.body.data.callback_uris.map((uri: { id: string }) => [uri.id, uri]))
  assert.deepEqual(byId.get(a.id), { id: a.id, url: 'https://b.example/cb', platform: 'web' })
  assert.deepEqual(byId.get(b.id), { id: b.id, url: 'https://a.example/cb', platform: 'desktop' })

  const same = await patch([{ url: 'https://a.example/cb' }])
  assert.deepEqual(same.body.data.callback_uris, [
    { id: b.id, url: 'https://a.example/cb', platform: 'desktop' },
  ])
  const twice = await patch([{ url: 'https://x.example' }, { url: 'https://x.example' }])
  assert.match(twice.body.error.message, /^callback_uris\.1 is there twice/)
  const kept = await app.call('GET', '/v3/applications')
  assert.deepEqual(kept.body.data.callback_uris, same.body.data.callback_uris)
  assert.deepEqual((await patch([])).body.data.callback_uris, [])
})

test('answers only the selected fields', async () => {
  const answer = await app.call('GET', '/v3/applications?select=application_id,region,nonsense')
  assert.deepEqual(answer.body.data, { application_id: app.applicationId, region: 'us' })
})
