import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { createMetrics } from '../../src/app/metrics/create-metrics.ts'
import { startMetricsListener } from '../../src/app/metrics/listener.ts'
import { applicationId, grantId } from '../../src/contract/ids.ts'
import type { Stores } from '../../src/core/ports/stores.ts'
import { silentLogger } from '../../src/kit/logger.ts'
import { type Sandbox, startSandbox } from '../../src/sandbox/start-sandbox.ts'
import { type GrantwayApp, movableClock, startGrantway } from '../support/grantway-app.ts'
import { readPrometheusText, type Scrape } from '../support/prometheus-text.ts'

const ADA = 'ada@sandbox.example'
const BEN = 'ben@sandbox.example'
const TOKEN = 'planted-metrics-token'
const HOUR_MS = 3_600_000

describe('metrics of the composed server', () => {
  let sandbox: Sandbox
  let app: GrantwayApp
  before(async () => {
    sandbox = await startSandbox({ host: '127.0.0.1' })
    app = await startGrantway({
      ...sandbox.endpoints,
      GRANTWAY_METRICS_TOKEN: TOKEN,
      GRANTWAY_ALLOWED_NETWORKS: '127.0.0.0/8',
      GRANTWAY_ALLOW_PLAINTEXT_MAIL: 'true',
    })
    // Only what a test asks for is counted: nothing is refreshed or delivered in the background.
    await app.application.jobs?.stop()
    const made = await app.call('POST', '/v3/connectors', {
      provider: 'google',
      settings: { client_id: 'sandbox-client-id', client_secret: 'sandbox-client-secret' },
    })
    assert.equal(made.status, 201, made.text)
    assert.equal((await app.call('POST', '/v3/connectors', { provider: 'imap' })).status, 201)
  })
  after(async () => {
    await app.stop()
    await sandbox.stop()
  })

  /** Scrapes when everything read from the database is due again. */
  async function scrape(): Promise<Scrape> {
    app.clock.advance(HOUR_MS)
    const answer = await fetch(`${app.url}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } })
    assert.equal(answer.status, 200)
    assert.match(answer.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
    return readPrometheusText(await answer.text())
  }
  async function connect(email: string): Promise<string> {
    const made = await app.call('POST', '/v3/connect/custom', {
      provider: 'google',
      settings: { refresh_token: sandbox.control.mintRefreshToken(email) },
    })
    assert.equal(made.status, 201, made.text)
    return made.body.data.id
  }
  const read = async (id: string) => (await app.call('GET', `/v3/grants/${id}/messages?limit=1`)).status
  const readings = ['refreshes', 'connectors', 'destinations', 'events', 'jobs', 'grants']

  test('count calls, refreshes and grants, each by provider and outcome', async () => {
    const before = await scrape()
    const since = (now: Scrape, name: string, labels: { readonly [name: string]: string }) =>
      (now.value(name, labels) ?? 0) - (before.value(name, labels) ?? 0)
    const google = { provider: 'google' }
    const [ada, ben] = [await connect(ADA), await connect(BEN)]

    app.clock.advance(2 * HOUR_MS)
    assert.equal(await read(ada), 200)
    sandbox.control.fail({ target: 'token', mode: '503', times: 1 })
    assert.equal(await read(ben), 504)
    sandbox.control.fail({ target: 'token', mode: 'drop-after', times: 1 })
    app.clock.advance(2 * HOUR_MS)
    assert.equal(await read(ben), 504)
    sandbox.control.revokeUser(ADA)
    app.clock.advance(2 * HOUR_MS)
    assert.equal(await read(ada), 401)

    const now = await scrape()
    const refreshes = (result: string) => since(now, 'grantway_refreshes_total', { ...google, result })
    assert.deepEqual(
      ['kept', 'failed', 'unanswered', 'refused', 'misconfigured'].map(refreshes),
      [1, 1, 1, 1, 0],
    )
    assert.equal(since(now, 'grantway_refresh_duration_seconds_count', google), 4)
    const calls = (status: string) => since(now, 'grantway_provider_calls_total', { ...google, status })
    assert.deepEqual([calls('503'), calls('400'), calls('unreachable')], [1, 1, 1])
    assert.ok(calls('200') >= 5, String(calls('200')))
    assert.equal(
      since(now, 'grantway_provider_call_duration_seconds_count', google),
      since(now, 'grantway_provider_calls_total', google),
    )
    assert.equal(now.value('grantway_grants', { ...google, status: 'valid', reason: '' }), 1)
    const grant = (await app.call('GET', `/v3/grants/${ada}`)).body.data
    const invalid = { ...google, status: 'invalid', reason: grant.reason.code }
    assert.equal(now.value('grantway_grants', invalid), 1)
    const route = '/v3/grants/:grant_id/messages'
    assert.equal(since(now, 'grantway_http_request_duration_seconds_count', { route, status: '401' }), 1)
    for (const reading of readings) {
      assert.ok((now.value('grantway_database_reading_age_seconds', { reading }) ?? 99) < 60, reading)
    }
  })

  test('count logins at mail servers by protocol and result', async () => {
    const server = createServer((socket) => socket.end('* BYE not now\r\n'))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const port = typeof address === 'object' && address ? address.port : 0
    const settings = {
      imap_username: ADA,
      imap_password: 'planted-password',
      imap_host: '127.0.0.1',
      imap_port: port,
    }
    const refused = await app.call('POST', '/v3/connect/custom', { provider: 'imap', settings })
    await new Promise((resolve) => server.close(resolve))
    assert.notEqual(refused.status, 201)
    const now = await scrape()
    assert.equal(now.value('grantway_mail_sign_ins_total', { provider: 'imap', protocol: 'imap' }), 1)
    assert.equal(now.value('grantway_mail_sign_ins_total', { provider: 'imap', result: 'ok' }), undefined)
  })

  test('tell the state of connectors, destinations, events, jobs and due refreshes', async () => {
    const { stores } = app.application.database
    const id = applicationId((await app.call('GET', '/v3/applications')).body.data.application_id)
    const before = await scrape()
    const alarm = { code: 'invalid_client', message: 'm', advice: 'a', at: 1 }
    await stores.connectors.setAlarm(id, 'google', alarm)
    const lane = 'planted-lane'
    const job = { kind: 'webhook.delivery', lane, applicationId: id, payload: {} } as const
    // Not due for a year: no worker takes it.
    await stores.jobs.enqueue([{ ...job, dedupeKey: 'planted-a', delayMs: 365 * 24 * HOUR_MS }])
    await stores.jobs.buryLane(job.kind, lane, {}, 10)
    await stores.jobs.enqueue([{ ...job, dedupeKey: 'planted-b', delayMs: 365 * 24 * HOUR_MS }])
    const now = await scrape()
    await stores.connectors.setAlarm(id, 'google', null)
    assert.equal(before.value('grantway_alarmed_connectors', { provider: 'google' }), 0)
    assert.equal(now.value('grantway_alarmed_connectors', { provider: 'google' }), 1)
    assert.equal(now.value('grantway_alarmed_connectors', { provider: 'imap' }), 0)
    for (const state of ['waiting', 'dead']) {
      const jobs = (of: Scrape) => of.value('grantway_jobs', { kind: job.kind, state }) ?? 0
      assert.equal(jobs(now) - jobs(before), 1, state)
    }
    assert.equal(now.value('grantway_jobs', { state: 'done' }), undefined)
    for (const status of ['active', 'pause', 'failing', 'failed']) {
      assert.equal(now.value('grantway_webhook_destinations', { status }), 0, status)
    }
    for (const name of ['refresh', 'job', 'unsent_event'].map((each) =>
      each === 'unsent_event'
        ? 'grantway_oldest_unsent_event_age_seconds'
        : `grantway_oldest_due_${each}_age_seconds`,
    )) {
      assert.ok((now.value(name) ?? -1) >= 0, name)
    }
  })

  test('show no id, address, key, path or secret in any label, whatever went by', async () => {
    const id = await connect(BEN)
    await read(id)
    const uuid = '11111111-2222-4333-8444-555555555555'
    const planted = [
      id,
      ADA,
      BEN,
      app.key,
      TOKEN,
      uuid,
      'sandbox-client',
      'sandbox.example',
      'planted',
      '127.0.0.1',
    ]
    for (const path of [
      '/planted-path',
      `/v3/grants/${uuid}/planted`,
      `/v3/grants/${BEN}`,
      '/v3/%00planted',
    ]) {
      await app.call('GET', path, undefined, { 'user-agent': 'planted-agent' })
      await app.call('GET', path, undefined, { authorization: 'Bearer planted-key' })
    }
    await app.call('PATCH', `/v3/grants/${uuid}`, { settings: { refresh_token: 'planted-refresh-token' } })
    const appId = applicationId((await app.call('GET', '/v3/applications')).body.data.application_id)
    const reason = { message: 'planted', advice: 'planted', at: 1 }
    for (const code of [BEN, uuid, 'mail.sandbox.example', 'x'.repeat(5000)]) {
      const other = await connect(BEN)
      const { grants } = app.application.database.stores
      assert.equal(await grants.markInvalid(appId, grantId(other), { code, ...reason }), true)
      const { samples, text } = await scrape()
      assert.equal(
        samples.find(({ name, labels }) => name === 'grantway_grants' && labels.get('reason') === 'other')
          ?.value,
        1,
      )
      for (const secret of planted) assert.ok(!text.includes(secret), `${secret} is in the metrics`)
    }
    const { samples } = await scrape()
    const values = new Set(samples.flatMap(({ labels }) => [...labels.values()]))
    assert.ok(values.size > 30)
    for (const value of values) {
      // Words, numbers, and the patterns of routes: nothing long, no address, no id.
      assert.match(value, /^(?!.*[0-9a-f]{8}-[0-9a-f]{4})[A-Za-z0-9_.:/+*-]{0,80}$/)
    }
    const routes = new Set(samples.flatMap(({ labels }) => labels.get('route') ?? []))
    for (const route of routes) assert.ok(!/[0-9a-f]{12}/.test(route), route)
  })

  test('follow the naming rules of Prometheus', async () => {
    const { samples, types, helped } = await scrape()
    const own = [...types].filter(([name]) => name.startsWith('grantway_'))
    assert.ok(own.length >= 15)
    for (const [name, type] of own) {
      assert.match(name, /^grantway_[a-z][a-z_]*[a-z]$/)
      assert.ok(helped.has(name), name)
      assert.equal(name.endsWith('_total'), type === 'counter', name)
      if (type === 'histogram') assert.match(name, /_seconds$/)
      assert.doesNotMatch(name, /_(ms|milliseconds|minutes|count|sum|bucket|info)$/)
    }
    for (const [name] of types) assert.match(name, /^(grantway|process|nodejs)_/)
    for (const { name, labels } of samples) {
      const family = name.replace(/_(bucket|sum|count)$/, '')
      assert.ok(types.has(name) || types.get(family) === 'histogram' || types.get(family) === 'summary', name)
      for (const label of labels.keys()) assert.match(label, /^[a-z][a-z_]*$/)
    }
  })

  test('are all in docs/metrics.md, and its alerts name no others', async () => {
    const page = await readFile(new URL('../../docs/metrics.md', import.meta.url), 'utf8')
    const own = [...(await scrape()).types.keys()].filter((name) => name.startsWith('grantway_'))
    const rows = [...page.matchAll(/^\| `(grantway_\w+)` \|/gm)].map(([, name]) => name)
    assert.deepEqual(new Set(rows), new Set(own))
    assert.equal(rows.length, own.length)
    const named = [...page.matchAll(/\bgrantway_\w+[a-z]\b/g)].map(([name]) => name)
    for (const name of named)
      assert.ok(
        own.some((each) => each === name),
        name,
      )
  })

  test('are answered to nobody without the token', async () => {
    for (const authorization of [`Bearer ${app.key}`, 'Bearer', '']) {
      const answer = await fetch(`${app.url}/metrics`, { headers: { authorization } })
      assert.equal(answer.status, 404)
    }
  })
})

type Answer<T> = () => Promise<T>
/** Stores that answer what metrics ask, and count how often. */
function countedStores(due: Answer<number | null>): {
  readonly stores: Stores
  readonly asked: Map<string, number>
} {
  const asked = new Map<string, number>()
  const counted =
    <T>(name: string, answer: Answer<T>): Answer<T> =>
    () => {
      asked.set(name, (asked.get(name) ?? 0) + 1)
      return answer()
    }
  const none = async () => []
  const stores = {
    secrets: { oldestDueRefreshMs: counted('refreshes', due) },
    connectors: { listAlarmed: counted('connectors', none) },
    webhooks: { countByStatus: counted('destinations', none) },
    outbox: { oldestUnsentSeconds: counted('events', async () => 3) },
    jobs: { oldestDueMs: counted('lag', async () => 4000), countByState: counted('jobs', none) },
    grants: { countByStatus: counted('grants', none) },
  }
  return { stores: stores as unknown as Stores, asked }
}

test('delivery attempts and waits for a lease are counted in seconds, by result and status', async () => {
  const { stores } = countedStores(async () => null)
  const metrics = createMetrics({ database: { stores }, clock: movableClock(), log: silentLogger })
  const { telemetry } = metrics
  telemetry.delivered({ result: 'delivered', status: 200, durationMs: 250, lagMs: 1500 })
  telemetry.delivered({ result: 'retried', status: 'timeout', durationMs: 10_000, lagMs: 90_000 })
  // Destinations are users' servers: they may answer any number, and their clocks are not ours.
  telemetry.delivered({ result: 'dead', status: 999, durationMs: 1, lagMs: -5 })
  telemetry.waitedForLease({ provider: 'zoom', durationMs: 300 })
  const now = readPrometheusText(await metrics.render())
  const attempts = (result: string, status: string) =>
    now.value('grantway_delivery_attempts_total', { result, status })
  assert.deepEqual([attempts('delivered', '200'), attempts('retried', 'timeout')], [1, 1])
  assert.equal(attempts('dead', 'other'), 1)
  assert.equal(now.value('grantway_delivery_lag_seconds_sum', { result: 'delivered' }), 1.5)
  assert.equal(now.value('grantway_delivery_lag_seconds_sum', { result: 'dead' }), 0)
  assert.equal(now.value('grantway_delivery_duration_seconds_sum', { result: 'retried' }), 10)
  const waits = { provider: 'zoom' }
  assert.equal(now.value('grantway_refresh_lease_wait_seconds_count', waits), 1)
  assert.equal(now.value('grantway_refresh_lease_wait_seconds_sum', waits), 0.3)
})

describe('what is read from the database at a scrape', () => {
  const metricsOver = (stores: Stores, clock = movableClock(), databaseWaitMs = 60_000) =>
    createMetrics({ database: { stores }, clock, log: silentLogger, databaseWaitMs })

  test('is asked once for a storm of scrapes, and again no sooner than 30 s later', async () => {
    const { stores, asked } = countedStores(async () => 2000)
    let nowMs = 1_800_000_000_000
    const clock = { nowMs: () => nowMs, advance: () => {} }
    const metrics = metricsOver(stores, clock)
    await Promise.all(Array.from({ length: 50 }, () => metrics.render()))
    assert.deepEqual([...asked.values()], [1, 1, 1, 1, 1, 1, 1])
    nowMs += 29_999
    await metrics.render()
    assert.deepEqual([...asked.values()], [1, 1, 1, 1, 1, 1, 1])
    // A reading may rest longer than 30 s after a slow one: a minute and more is enough for these.
    nowMs += 600_000
    const text = await metrics.render()
    assert.deepEqual([...asked.values()], [2, 2, 2, 2, 2, 2, 2])
    const now = readPrometheusText(text)
    assert.equal(now.value('grantway_oldest_due_refresh_age_seconds'), 2)
    assert.equal(now.value('grantway_oldest_unsent_event_age_seconds'), 3)
    assert.equal(now.value('grantway_oldest_due_job_age_seconds', { kind: 'webhook.delivery' }), 4)
  })

  test('keeps its last value and tells its age while the database is away, and the others go on', async () => {
    let isAway = false
    const { stores } = countedStores(() =>
      isAway ? Promise.reject(new Error('away')) : Promise.resolve(5000),
    )
    const clock = movableClock()
    const metrics = metricsOver(stores, clock)
    await metrics.render()
    isAway = true
    clock.advance(HOUR_MS)
    const now = readPrometheusText(await metrics.render())
    assert.equal(now.value('grantway_oldest_due_refresh_age_seconds'), 5)
    const age = (reading: string) => now.value('grantway_database_reading_age_seconds', { reading }) ?? -1
    assert.ok(age('refreshes') >= HOUR_MS / 1000)
    assert.ok(age('grants') < HOUR_MS / 1000)
  })

  test('holds no scrape up when the database never answers, over any number of scrapes', async () => {
    const { stores, asked } = countedStores(() => new Promise(() => {}))
    const listener = await startMetricsListener(metricsOver(stores, movableClock(), 1), {
      host: '127.0.0.1',
      port: 0,
    })
    const url = `http://127.0.0.1:${listener.port}`
    try {
      for (let scrape = 0; scrape < 3; scrape++) {
        const answer = await fetch(`${url}/metrics?x=1`)
        assert.equal(answer.status, 200)
        assert.match(await answer.text(), /^grantway_oldest_due_refresh_age_seconds 0$/m)
      }
      assert.deepEqual([...asked], [['refreshes', 1]])
      assert.equal((await fetch(`${url}/v3/grants`)).status, 404)
      assert.equal((await fetch(`${url}/metrics`, { method: 'POST' })).status, 404)
    } finally {
      await listener.stop()
    }
  })
})
