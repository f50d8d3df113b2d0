import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { ApplicationId, GrantId } from '../../src/contract/ids.ts'
import { type Sandbox, startSandbox } from '../../src/sandbox/start-sandbox.ts'
import { type GrantwayApp, startGrantway } from '../support/grantway-app.ts'
import { until } from './token-provider.ts'

const ADA = 'ada@sandbox.example'
const BEN = 'ben@sandbox.example'
const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

let sandbox: Sandbox
let app: GrantwayApp

before(async () => {
  sandbox = await startSandbox({ host: '127.0.0.1' })
  app = await startGrantway(sandbox.endpoints)
  await makeConnector()
})
after(async () => {
  await app.stop()
  await sandbox.stop()
})

async function makeConnector(): Promise<void> {
  const made = await app.call('POST', '/v3/connectors', {
    provider: 'google',
    settings: { client_id: 'sandbox-client-id', client_secret: 'sandbox-client-secret' },
  })
  assert.equal(made.status, 201, made.text)
}

async function connect(email: string): Promise<GrantId> {
  const refreshToken = sandbox.control.mintRefreshToken(email)
  const made = await app.call('POST', '/v3/connect/custom', {
    provider: 'google',
    settings: { refresh_token: refreshToken },
  })
  assert.equal(made.status, 201, made.text)
  return made.body.data.id
}

async function secretOf(id: GrantId) {
  const found = await app.application.database.stores.secrets.find(id)
  assert.ok(found)
  return found
}
const tokenCalls = () => sandbox.control.tokenLog().length
const read = (id: GrantId) => app.call('GET', `/v3/grants/${id}/messages?limit=1`)
const statusOf = async (id: GrantId) => (await app.call('GET', `/v3/grants/${id}`)).body.data.grant_status

/** Lets the background do what is due, and waits until it is done: the secret is newer, or out of the schedule. */
async function refreshDue(id: GrantId): Promise<void> {
  const { version } = await secretOf(id)
  app.application.jobs?.wake()
  await until('the due grant is refreshed', async () => {
    const now = await secretOf(id)
    return (now.version > version || now.nextRefreshAtMs === null) && now.leaseUntilMs === null
  })
}
/** How far from now the next refresh is. */
const waitOf = async (id: GrantId) => ((await secretOf(id)).nextRefreshAtMs ?? Number.NaN) - app.clock.nowMs()

/** A grant that nobody has used for a day, with a token that has just been refreshed for keep-alive. */
async function idleGrant(email: string): Promise<GrantId> {
  const id = await connect(email)
  app.clock.advance(25 * HOUR_MS)
  await refreshDue(id)
  return id
}

describe('refreshing in the background', () => {
  test('refreshes a grant in use before its token ends, and no request waits for it', async () => {
    const id = await connect(ADA)
    const before = tokenCalls()
    app.clock.advance(48 * MINUTE_MS)
    app.application.jobs?.wake()
    assert.ok((await waitOf(id)) > 0)
    app.clock.advance(6 * MINUTE_MS)
    await refreshDue(id)
    assert.equal(tokenCalls() - before, 1)
    const waitMs = await waitOf(id)
    assert.ok(waitMs > 50 * MINUTE_MS && waitMs <= 54 * MINUTE_MS, String(waitMs))
    app.clock.advance(10 * MINUTE_MS)
    assert.equal((await read(id)).status, 200)
    assert.equal(tokenCalls() - before, 1)
  })

  test('leaves a grant that nobody uses alone for a week', async () => {
    const id = await idleGrant(ADA)
    const waitMs = await waitOf(id)
    assert.ok(waitMs > 6.2 * DAY_MS && waitMs < 7.8 * DAY_MS, String(waitMs / DAY_MS))
    const before = tokenCalls()
    app.clock.advance(waitMs + 1)
    await refreshDue(id)
    assert.equal(tokenCalls() - before, 1)
    assert.ok((await waitOf(id)) > 6.2 * DAY_MS)
  })

  test('brings an idle grant forward that is used while its token lives', async () => {
    const id = await idleGrant(ADA)
    assert.equal((await read(id)).status, 200)
    assert.ok((await waitOf(id)) > 6 * DAY_MS)
    app.application.useFlush.wake()
    await until('the use is written down', async () => (await waitOf(id)) < HOUR_MS)
    assert.ok((await waitOf(id)) > 45 * MINUTE_MS)
    app.clock.advance(55 * MINUTE_MS)
    await refreshDue(id)
    assert.ok((await waitOf(id)) < HOUR_MS, 'it is in use now')
  })

  test('brings an idle grant forward that is used after the end of its token', async () => {
    const id = await idleGrant(ADA)
    app.clock.advance(2 * HOUR_MS)
    const before = tokenCalls()
    assert.equal((await read(id)).status, 200)
    assert.equal(tokenCalls() - before, 1)
    assert.ok((await waitOf(id)) < HOUR_MS)
  })

  test('reads with a cached token write nothing and ask the provider for no token', async () => {
    const id = await connect(ADA)
    assert.equal((await read(id)).status, 200)
    const [before, secret] = [tokenCalls(), await secretOf(id)]
    for (let i = 0; i < 5; i++) assert.equal((await read(id)).status, 200)
    assert.equal(tokenCalls(), before)
    assert.deepEqual({ ...(await secretOf(id)), readAtMs: 0 }, { ...secret, readAtMs: 0 })
  })

  test('a refusal makes the grant invalid, once, and takes it out of the schedule until it is renewed', async () => {
    const id = await connect(BEN)
    const { application_id: applicationId } = (await app.call('GET', '/v3/applications')).body.data as {
      application_id: ApplicationId
    }
    sandbox.control.revokeUser(BEN)
    app.clock.advance(55 * MINUTE_MS)
    await refreshDue(id)
    assert.equal(await statusOf(id), 'invalid')
    assert.equal((await secretOf(id)).nextRefreshAtMs, null)
    const expired = (await app.application.database.stores.outbox.list(applicationId, 10_000)).filter(
      (event) => event.grantId === id && event.trigger === 'grant.expired',
    )
    assert.equal(expired.length, 1)
    assert.equal(await connect(BEN), id)
    assert.ok((await waitOf(id)) < HOUR_MS)
    assert.equal((await app.call('DELETE', `/v3/grants/${id}`)).status, 200)
  })

  test('a failure is tried again later and later while the grant stays valid', async () => {
    const id = await connect(ADA)
    sandbox.control.fail({ target: 'token', mode: '503', times: 2 })
    app.clock.advance(55 * MINUTE_MS)
    const waits: number[] = []
    for (const failures of [1, 2]) {
      app.application.jobs?.wake()
      await until('the failure is noted', async () => (await secretOf(id)).failures === failures)
      waits.push(await waitOf(id))
      app.clock.advance(30_000)
    }
    const [first = 0, second = 0] = waits
    assert.ok(first > 8_000 && first <= 12_500, String(first))
    assert.ok(second > 18_000 && second <= 25_000, String(second))
    await refreshDue(id)
    assert.equal((await secretOf(id)).failures, 0)
    assert.equal(await statusOf(id), 'valid')
  })

  test('a deleted connector takes its grants out of the schedule', async () => {
    const id = await connect(ADA)
    assert.equal((await app.call('DELETE', '/v3/connectors/google')).status, 200)
    assert.equal((await secretOf(id)).nextRefreshAtMs, null)
    await makeConnector()
    assert.equal(await connect(ADA), id)
    assert.ok((await waitOf(id)) > 0)
  })
})
