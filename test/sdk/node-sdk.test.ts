import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import nylasModule, { CredentialType, NylasApiError } from 'nylas'
import { startHttpApp, type HttpApp } from '../support/http-app.ts'

// The official Node SDK, unmodified, pointed at the server.

// The package's types are CommonJS: at run time the default import is the class itself.
const Nylas = nylasModule as unknown as typeof nylasModule.default

let app: HttpApp
let nylas: InstanceType<typeof Nylas>
before(async () => {
  app = await startHttpApp()
  nylas = new Nylas({ apiKey: app.key, apiUri: `${app.url}/` })
})
after(() => app.close())

test('gets and changes the application', async () => {
  const { data, requestId } = await nylas.applications.getDetails()
  assert.equal(data.applicationId, app.applicationId)
  assert.equal(data.branding.name, 'Mine')
  assert.match(requestId, /^[0-9a-f-]{36}$/)
  const changed = await nylas.applications.update({
    requestBody: { branding: { name: 'Acme', iconUrl: 'https://acme.example/i.png' } },
  })
  assert.deepEqual(changed.data.branding, { name: 'Acme', iconUrl: 'https://acme.example/i.png' })
})

test('manages callback URIs, also with the fingerprint as the SDK writes it', async () => {
  const { redirectUris } = nylas.applications
  const web = await redirectUris.create({ requestBody: { url: 'https://acme.example/cb', platform: 'web' } })
  assert.equal(web.data.platform, 'web')
  app.clock.advance(1_000)
  const android = await redirectUris.create({
    requestBody: {
      url: 'acme://cb',
      platform: 'android',
      settings: { packageName: 'com.acme', sha1CertificateFingerprint: 'AA:BB' },
    },
  })
  assert.equal(android.data.settings?.packageName, 'com.acme')
  const list = await redirectUris.list()
  assert.deepEqual(
    list.data.map((uri) => uri.url),
    ['https://acme.example/cb', 'acme://cb'],
  )
  const found = await redirectUris.find({ redirectUriId: web.data.id })
  assert.deepEqual(found.data, web.data)
  const changed = await redirectUris.update({
    redirectUriId: web.data.id,
    requestBody: { url: 'https://acme.example/cb2', platform: 'web' },
  })
  assert.equal(changed.data.url, 'https://acme.example/cb2')
  const gone = await redirectUris.destroy({ redirectUriId: web.data.id })
  assert.equal(typeof gone.requestId, 'string')
})

test('manages connectors and their credentials', async () => {
  const created = await nylas.connectors.create({
    requestBody: {
      provider: 'google',
      name: 'Google',
      settings: { clientId: 'id', clientSecret: 'secret', topicName: 'projects/p/topics/t' },
      scope: ['openid'],
    },
  })
  assert.equal(created.data.provider, 'google')
  assert.deepEqual(created.data.settings, { topicName: 'projects/p/topics/t' })
  const found = await nylas.connectors.find({ provider: 'google' })
  assert.deepEqual(found.data, created.data)
  const list = await nylas.connectors.list({})
  assert.deepEqual(list.data, [created.data])
  const updated = await nylas.connectors.update({ provider: 'google', requestBody: { name: 'Renamed' } })
  assert.deepEqual(updated.data, { ...created.data, name: 'Renamed' })

  const { credentials } = nylas.connectors
  const account = await credentials.create({
    provider: 'google',
    requestBody: {
      name: 'account',
      credentialType: CredentialType.SERVICEACCOUNT,
      credentialData: { privateKeyId: 'k', privateKey: 'pem', clientEmail: 'a@b.example' },
    },
  })
  assert.equal(account.data.name, 'account')
  const all = await credentials.list({ provider: 'google' })
  assert.equal(all.data.length, 2)
  const one = await credentials.find({ provider: 'google', credentialsId: account.data.id })
  assert.deepEqual(one.data, account.data)
  const renamed = await credentials.update({
    provider: 'google',
    credentialsId: account.data.id,
    requestBody: { name: 'renamed' },
  })
  assert.equal(renamed.data.name, 'renamed')
  await credentials.destroy({ provider: 'google', credentialsId: account.data.id })
  await nylas.connectors.destroy({ provider: 'google' })

  await assert.rejects(nylas.connectors.find({ provider: 'google' }), (error) => {
    assert.ok(error instanceof NylasApiError)
    assert.equal(error.type, 'connector.not_found')
    assert.equal(error.statusCode, 404)
    assert.match(error.requestId ?? '', /^[0-9a-f-]{36}$/)
    return true
  })
})

test('lists grants, and detects a provider with everything in the query', async () => {
  const grants = await nylas.grants.list({ queryParams: { limit: 5 } })
  assert.deepEqual(grants.data, [])
  const detected = await nylas.auth.detectProvider({ email: 'ada@example.com', allProviderTypes: true })
  assert.deepEqual(detected.data, { emailAddress: 'ada@example.com', detected: false })
})
