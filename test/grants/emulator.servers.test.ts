import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Emulator, startEmulator } from '../support/emulate.ts'
import { type GrantwayApp, startGrantway } from '../support/grantway-app.ts'

// Token handling of the composed server against counterparts that we did not write. The emulator's Microsoft kills the
// old refresh token with each use, which is stricter than the real one: a replay can't go unseen.

const ALICE = 'alice@testworld.example'
let emulator: Emulator
let app: GrantwayApp

before(async () => {
  emulator = await startEmulator()
  const { google, microsoft } = emulator
  app = await startGrantway({
    GRANTWAY_GOOGLE_TOKEN_URL: google.tokenUrl,
    GRANTWAY_GOOGLE_USERINFO_URL: `${google.url}/oauth2/v2/userinfo`,
    GRANTWAY_GOOGLE_REVOKE_URL: `${google.url}/oauth2/revoke`,
    GRANTWAY_GOOGLE_GMAIL_URL: google.url,
    GRANTWAY_MICROSOFT_TOKEN_URL: microsoft.tokenUrl,
    GRANTWAY_MICROSOFT_GRAPH_URL: microsoft.url,
  })
  for (const provider of ['google', 'microsoft'] as const) {
    const { clientId, clientSecret } = emulator[provider]
    const made = await app.call('POST', '/v3/connectors', {
      provider,
      settings: { client_id: clientId, client_secret: clientSecret },
    })
    assert.equal(made.status, 201, made.text)
  }
})
after(async () => {
  await app.stop()
  await emulator.stop()
})

const connect = (provider: string, refreshToken: string) =>
  app.call('POST', '/v3/connect/custom', { provider, settings: { refresh_token: refreshToken } })

for (const provider of ['google', 'microsoft'] as const) {
  test(`${provider}: a grant, the same one again with the old token, and a made-up token refused`, async () => {
    const token = String((await emulator.mint(provider, ALICE))['refresh_token'])
    const first = await connect(provider, token)
    assert.equal(first.status, 201, first.text)
    assert.equal(first.body.data.email, ALICE)
    for (let again = 0; again < 3; again++) {
      const next = await connect(provider, token)
      assert.equal(next.status, 201, next.text)
      assert.equal(next.body.data.id, first.body.data.id)
    }
    const refused = await connect(provider, 'made-up')
    assert.equal(refused.status, 401, refused.text)
    assert.equal(refused.body.error.type, 'grant.refresh_token_invalid')
  })

  test(`${provider}: a wrong client secret is 400, names the cause, and leaves the grant valid`, async () => {
    const secret = emulator[provider].clientSecret
    const update = (value: string) =>
      app.call('PATCH', `/v3/connectors/${provider}`, { settings: { client_secret: value } })
    assert.equal((await update('wrong')).status, 200)
    const token = String((await emulator.mint(provider, 'bob@testworld.example'))['refresh_token'])
    const refused = await connect(provider, token)
    assert.equal(refused.status, 400, refused.text)
    assert.equal(refused.body.error.type, 'grant.invalid_authentication')
    assert.equal((await update(secret)).status, 200)
    assert.equal((await connect(provider, token)).status, 201)
    const alice = await app.call('GET', `/v3/grants?email=${ALICE}&provider=${provider}`)
    assert.equal(alice.body.data[0].grant_status, 'valid')
  })
}
