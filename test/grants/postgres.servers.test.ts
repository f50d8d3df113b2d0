import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { type Sandbox, startSandbox } from '../../src/sandbox/start-sandbox.ts'
import { type FakeZoom, startFakeZoom, ZOOM_CLIENT } from '../support/fake-zoom.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import type { ServerProcess } from '../support/server-process.ts'
import { createRandom } from '../torture/random.ts'
import { startTokenServer, type TokenServer } from '../torture/token-server.ts'
import { type Fleet, type FleetAnswer, startFleet } from './server-fleet.ts'

const ADA = 'ada@sandbox.example'
const BEN = 'ben@sandbox.example'

let postgres: TestPostgres
let sandbox: Sandbox
let zoom: FakeZoom
let strict: TokenServer
let fleet: Fleet
let url: string
let first: ServerProcess
let noteGoogleTokenCall = () => {}

before(async () => {
  postgres = await startPostgres()
  sandbox = await startSandbox({
    host: '127.0.0.1',
    onRequest: ({ url }) => {
      if (new URL(url).pathname === '/token') noteGoogleTokenCall()
    },
  })
  zoom = await startFakeZoom()
  strict = await startTokenServer(createRandom(1))
  strict.calmDown()
  url = await postgres.createDatabase()
  fleet = await startFleet(4, url, {
    ...sandbox.endpoints,
    GRANTWAY_ZOOM_TOKEN_URL: zoom.endpoints.tokenUrl,
    GRANTWAY_ZOOM_API_URL: zoom.endpoints.apiUrl,
    ...strict.endpoints('fleet'),
    GRANTWAY_YAHOO_IMAP: '127.0.0.1:9',
  })
  const [one] = fleet.servers
  assert.ok(one)
  first = one
  for (const [provider, settings] of [
    ['zoom', { client_id: ZOOM_CLIENT.clientId, client_secret: ZOOM_CLIENT.clientSecret }],
    ['yahoo', { client_id: 'strict-client-id', client_secret: 'strict-client-secret' }],
    ['google', { client_id: 'sandbox-client-id', client_secret: 'sandbox-client-secret' }],
  ] as const) {
    const made = await fleet.call(first, 'POST', '/v3/connectors', { provider, settings })
    assert.equal(made.status, 201, made.text)
  }
})
after(async () => {
  await fleet.stop()
  await zoom.stop()
  await strict.stop()
  await sandbox.stop()
  await postgres.stop()
})

const connect = (server: ServerProcess, provider: 'zoom' | 'yahoo' | 'google', refreshToken: string) =>
  fleet.call(server, 'POST', '/v3/connect/custom', { provider, settings: { refresh_token: refreshToken } })
const messages = (server: ServerProcess, id: string) =>
  fleet.call(server, 'GET', `/v3/grants/${id}/messages?limit=1`)
const grantOf = async (id: string) => (await fleet.call(first, 'GET', `/v3/grants/${id}`)).body.data
const statusesOf = (answers: readonly FleetAnswer[]) => [...new Set(answers.map(({ status }) => status))]

/** Requests that come later are answered after the first database work of those before. */
async function letThemIn(): Promise<void> {
  for (let i = 0; i < 5; i++) await fleet.everywhere(2, (server) => fleet.call(server, 'GET', '/v3/grants'))
}

/** Makes every open refresh as old as if its lease were over. */
async function letLeasesPass(): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query('update grant_secrets set attempt_started_at_ms = attempt_started_at_ms - 30000')
  await client.end()
}

/** One for those that came in time; one that comes after the answer has the provider asked anew. */
function assertFew(tokenCalls: number): void {
  assert.ok(tokenCalls >= 1 && tokenCalls <= 4, `${tokenCalls} token calls`)
}

/** A google grant whose access token has no time left, so that the next use refreshes. */
async function expiredGoogleGrant(email: string): Promise<string> {
  sandbox.control.configure({ accessTokenSeconds: 3 })
  const made = await connect(first, 'google', sandbox.control.mintRefreshToken(email))
  assert.equal(made.status, 201, made.text)
  sandbox.control.configure({ accessTokenSeconds: 3600 })
  return made.body.data.id
}

describe('four processes over one database', () => {
  test('100 requests at once with one rotating token: one grant, one exchange, nothing replayed', async () => {
    const token = zoom.mint('fleet@zoom.example')
    const before = zoom.tokenCalls()
    const held = zoom.hold('token')
    const answers = fleet.everywhere(25, (server) => connect(server, 'zoom', token))
    await held.first
    await letThemIn()
    held.release()
    assert.deepEqual(statusesOf(await answers), [201])
    assert.equal(new Set((await answers).map(({ body }) => body.data.id)).size, 1)
    assert.equal(zoom.replays(), 0)
    assertFew(zoom.tokenCalls() - before)
  })

  test('100 requests at once with a token that was seen refresh its grant and replay nothing', async () => {
    const token = zoom.mint('fleet-again@zoom.example')
    const { id } = (await connect(first, 'zoom', token)).body.data
    const before = zoom.tokenCalls()
    const held = zoom.hold('token')
    const answers = fleet.everywhere(25, (server) => connect(server, 'zoom', token))
    await held.first
    await letThemIn()
    held.release()
    assert.deepEqual(statusesOf(await answers), [201])
    assert.deepEqual([...new Set((await answers).map(({ body }) => body.data.id))], [id])
    assert.equal(zoom.replays(), 0)
    assertFew(zoom.tokenCalls() - before)
  })

  test('100 reads at once on each of four, of a grant whose access token is over, make one token call', async () => {
    const id = await expiredGoogleGrant(ADA)
    const before = sandbox.control.tokenLog().length
    const answers = await fleet.everywhere(100, (server) => messages(server, id))
    assert.equal(answers.length, 400)
    assert.deepEqual(statusesOf(answers), [200])
    assert.equal(sandbox.control.tokenLog().length - before, 1)
  })

  test('the same where the refresh token rotates strictly', async () => {
    const email = 'reads@yahoo.example'
    strict.setLife(3)
    const { status, text, body } = await connect(first, 'yahoo', strict.consent(email))
    assert.equal(status, 201, text)
    strict.setLife(3600)
    const before = strict.calls.length
    // Nobody is at the IMAP address: each read asks for an access token, and then finds no mailbox.
    const answers = await fleet.everywhere(100, (server) => messages(server, body.data.id))
    assert.deepEqual(statusesOf(answers), [504])
    assert.equal(strict.calls.length - before, 1)
  })

  test('a revoked consent is told by every process, and connect/custom at one heals it for all', async () => {
    const id = await expiredGoogleGrant(BEN)
    sandbox.control.revokeUser(BEN)
    for (const { status, body } of await fleet.everywhere(5, (server) => messages(server, id))) {
      assert.equal(status, 401)
      assert.equal(body.error.type, 'grant.expired')
    }
    assert.equal((await grantOf(id)).grant_status, 'invalid')
    const healed = await connect(first, 'google', sandbox.control.mintRefreshToken(BEN))
    assert.equal(healed.body.data.id, id)
    assert.deepEqual(statusesOf(await fleet.everywhere(2, (server) => messages(server, id))), [200])
    assert.equal((await fleet.call(first, 'DELETE', `/v3/grants/${id}`)).status, 200)
    assert.deepEqual(statusesOf(await fleet.everywhere(1, (server) => messages(server, id))), [404])
  })
})

describe('a process killed while its token call is under way', () => {
  test('is taken over by another one where the old token stays good', async () => {
    const id = await expiredGoogleGrant(ADA)
    const doomed = await fleet.start()
    const called = new Promise<void>((resolve) => {
      noteGoogleTokenCall = resolve
    })
    sandbox.control.fail({ target: 'token', mode: 'slow', times: 1, delayMs: 3000 })
    const cut = messages(doomed, id).catch(() => null)
    await called
    const waiting = messages(first, id)
    await doomed.end('SIGKILL')
    assert.equal(await cut, null)
    assert.equal((await waiting).status, 200)
  })

  test('says so where the old token died with the call: refresh_answer_lost', async () => {
    const email = 'killed@zoom.example'
    const token = zoom.mint(email)
    const { id } = (await connect(first, 'zoom', token)).body.data
    const doomed = await fleet.start()
    const held = zoom.hold('token')
    const cut = connect(doomed, 'zoom', token).catch(() => null)
    await held.first
    await doomed.end('SIGKILL')
    held.release()
    assert.equal(await cut, null)
    await letLeasesPass()
    // Until the database has noticed the death, the access token that still lives is used.
    let refused = await connect(first, 'zoom', token)
    while (refused.status === 201) refused = await connect(first, 'zoom', token)
    assert.equal(refused.status, 401, refused.text)
    assert.equal(refused.body.error.type, 'grant.refresh_token_invalid')
    assert.equal((await grantOf(id)).reason.code, 'refresh_answer_lost')
    const healed = await connect(first, 'zoom', zoom.mint(email))
    assert.equal(healed.body.data.id, id)
    assert.equal(healed.body.data.grant_status, 'valid')
  })
})
