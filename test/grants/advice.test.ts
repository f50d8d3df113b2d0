import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { examine } from '../../src/app/doctor.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { ApplicationId } from '../../src/contract/ids.ts'
import { startSandbox, type Sandbox } from '../../src/sandbox/start-sandbox.ts'
import { type GrantwayApp, startGrantway } from '../support/grantway-app.ts'
import { logKeeper } from '../support/log-keeper.ts'

const ADA = 'ada@sandbox.example'
const BEN = 'ben@sandbox.example'
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const CLIENT = { client_id: 'sandbox-client-id', client_secret: 'sandbox-client-secret' }

let sandbox: Sandbox
let app: GrantwayApp
const kept = logKeeper()

before(async () => {
  sandbox = await startSandbox({ host: '127.0.0.1' })
  app = await startGrantway(sandbox.endpoints, { log: kept.log })
  const made = await app.call('POST', '/v3/connectors', { provider: 'google', settings: CLIENT })
  assert.equal(made.status, 201, made.text)
})
after(async () => {
  await app.stop()
  await sandbox.stop()
})

async function connect(email: string): Promise<{ readonly id: string; readonly token: string }> {
  const token = sandbox.control.mintRefreshToken(email)
  const settings = { refresh_token: token }
  const made = await app.call('POST', '/v3/connect/custom', { provider: 'google', settings })
  assert.equal(made.status, 201, made.text)
  return { id: made.body.data.id, token }
}

const messages = (id: string) => app.call('GET', `/v3/grants/${id}/messages?limit=1`)
const connector = async () => (await app.call('GET', '/v3/connectors/google')).body.data
const putClient = (settings: object) => app.call('PATCH', '/v3/connectors/google', { settings })
const count = (event: string) => kept.text().split(`"msg":"${event}"`).length - 1

/** What doctor finds beside the running server; every provider's address is the sandbox, so that nothing leaves the machine. */
function doctor() {
  const at = new URL(sandbox.url)
  const server = `${at.hostname}:${at.port}`
  return examine(
    loadConfig({
      GRANTWAY_DATA_DIR: app.dataDir,
      ...sandbox.endpoints,
      GRANTWAY_MICROSOFT_TOKEN_URL: sandbox.url,
      GRANTWAY_MICROSOFT_GRAPH_URL: sandbox.url,
      GRANTWAY_YAHOO_TOKEN_URL: sandbox.url,
      GRANTWAY_YAHOO_IMAP: server,
      GRANTWAY_ZOOM_TOKEN_URL: sandbox.url,
      GRANTWAY_ICLOUD_IMAP: server,
      GRANTWAY_ICLOUD_CALDAV_URL: sandbox.url,
    }),
  )
}

describe('a grant that died tells what to do', () => {
  test('after seven days the Testing status comes first; in the error, in the grant and in doctor', async () => {
    const { id, token } = await connect(ADA)
    sandbox.control.revokeToken(token)
    app.clock.advance(7 * DAY_MS)
    const refused = await messages(id)
    assert.equal(refused.status, 401, refused.text)
    const { reason } = refused.body.error
    assert.equal(reason.code, 'access_revoked')
    assert.match(reason.advice, /^Most likely: .*publishing status "Testing".*7 days/)
    assert.match(reason.advice, /password changed/)
    assert.equal(refused.body.error.provider_error.error, 'invalid_grant')
    const again = await messages(id)
    assert.deepEqual(again.body.error.reason, reason)
    const { provider_error: said, ...shown } = (await app.call('GET', `/v3/grants/${id}`)).body.data.reason
    assert.deepEqual(shown, reason)
    assert.equal(said.error, 'invalid_grant')

    const found = (await doctor()).filter(({ check }) => check === 'grants')
    assert.deepEqual(
      found.map(({ ok, detail }) => [ok, detail]),
      [
        [true, 'google: 0 valid, 1 invalid'],
        [true, 'google: 1 invalid because of access_revoked'],
      ],
    )
    assert.match(found[1]?.advice ?? '', /Usual causes: .*"Testing", whose tokens live 7 days/)
  })

  test('after a month the usual causes are listed, and none is guessed', async () => {
    const { id, token } = await connect(BEN)
    sandbox.control.revokeToken(token)
    app.clock.advance(30 * DAY_MS)
    const { advice } = (await messages(id)).body.error.reason
    assert.match(advice, /^Ask the user to sign in again .*Usual causes: access removed/)
    for (const cause of [/six months/, /100 live tokens/, /session policy/, /"Testing"/])
      assert.match(advice, cause)
  })

  test('a refused refresh token says so in the answer of connect/custom', async () => {
    const settings = { refresh_token: 'no such token at all' }
    const refused = await app.call('POST', '/v3/connect/custom', { provider: 'google', settings })
    assert.equal(refused.body.error.type, 'grant.refresh_token_invalid')
    assert.equal(refused.body.error.reason.code, 'refresh_token_refused')
    assert.match(refused.body.error.reason.advice, /another client id/)
  })
})

describe('a fault of the connector', () => {
  test('raises one alarm, ends no grant, and is cleared by a change of the client', async () => {
    const grants = [await connect(ADA), await connect(BEN)]
    assert.equal((await putClient({ ...CLIENT, client_secret: 'not the secret' })).status, 200)
    assert.equal((await connector()).alarm, undefined)
    app.clock.advance(2 * HOUR_MS)
    for (const { id } of [...grants, ...grants]) {
      const refused = await messages(id)
      assert.equal(refused.status, 504, refused.text)
      assert.match(refused.body.error.message, /connector's credentials/)
      assert.equal(refused.body.error.reason.code, 'client_refused')
      assert.equal((await app.call('GET', `/v3/grants/${id}`)).body.data.grant_status, 'valid')
    }
    assert.equal(count('connector.alarm_raised'), 1)
    const { alarm } = await connector()
    assert.deepEqual(
      [alarm.code, alarm.client_id, typeof alarm.at],
      ['client_refused', CLIENT.client_id, 'number'],
    )
    assert.match(alarm.advice, /Compare client id and secret/)
    assert.equal(alarm.provider_error.error, 'invalid_client')
    assert.ok(!JSON.stringify(alarm).includes('not the secret'))
    const failed = (await doctor()).filter(({ ok }) => !ok)
    assert.deepEqual([failed.length, failed[0]?.check, failed[0]?.advice], [1, 'connector', alarm.advice])
    assert.match(failed[0]?.detail ?? '', /^google of application .*client_refused since 20/)

    assert.equal((await putClient(CLIENT)).status, 200)
    assert.equal((await connector()).alarm, undefined)
    app.clock.advance(HOUR_MS)
    assert.equal((await messages(grants[0]?.id ?? '')).status, 200)
  })

  test('is heard again within the minute once the connector was changed', async () => {
    const { id } = await connect(ADA)
    app.clock.advance(2 * HOUR_MS)
    for (const secret of ['wrong', 'wrong too']) {
      // Past the cool-down of the failure before, and inside its minute.
      app.clock.advance(30_000)
      await putClient({ ...CLIENT, client_secret: secret })
      assert.equal((await messages(id)).status, 504)
      assert.equal((await connector()).alarm.code, 'client_refused')
    }
    await putClient(CLIENT)
  })

  test('is over with the first success of the client it was about, and of no other', async () => {
    const { id } = await connect(ADA)
    const applicationId = (await app.call('GET', '/v3/applications')).body.data
      .application_id as ApplicationId
    const { connectors } = app.application.database.stores
    const alarm = { code: 'client_refused', message: 'Refused.', advice: 'Mend it.', at: 1 }
    for (const [clientId, isCleared] of [
      ['another-client', false],
      [CLIENT.client_id, true],
    ] as const) {
      await connectors.setAlarm(applicationId, 'google', { ...alarm, client_id: clientId })
      app.clock.advance(2 * HOUR_MS)
      const cleared = count('connector.alarm_cleared')
      assert.equal((await messages(id)).status, 200)
      assert.equal((await connector()).alarm === undefined, isCleared, clientId)
      assert.equal(count('connector.alarm_cleared') - cleared, isCleared ? 1 : 0)
    }
  })

  test('is forgotten when its credential is changed', async () => {
    const { active_credential_id: credential } = await connector()
    const applicationId = (await app.call('GET', '/v3/applications')).body.data
      .application_id as ApplicationId
    await app.application.database.stores.connectors.setAlarm(applicationId, 'google', {
      code: 'client_refused',
      message: 'Refused.',
      advice: 'Mend it.',
      at: 1,
    })
    assert.equal((await connector()).alarm.code, 'client_refused')
    const changed = await app.call('PATCH', `/v3/connectors/google/creds/${credential}`, {
      credential_data: CLIENT,
    })
    assert.equal(changed.status, 200, changed.text)
    assert.equal((await connector()).alarm, undefined)
  })
})
