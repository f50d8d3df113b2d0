import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { examine } from '../../src/app/doctor.ts'
import { grantFindings, readFindings } from '../../src/app/doctor/grant-findings.ts'
import { startServer } from '../../src/app/serve.ts'
import { loadConfig } from '../../src/config/load.ts'
import { applicationId } from '../../src/contract/ids.ts'
import { silentLogger } from '../../src/kit/logger.ts'
import { startSandbox, type Sandbox } from '../../src/sandbox/start-sandbox.ts'

let sandbox: Sandbox
let dataDir: string
before(async () => {
  sandbox = await startSandbox({ host: '127.0.0.1' })
  dataDir = await mkdtemp(join(tmpdir(), 'grantway-doctor-'))
})
after(async () => {
  await sandbox.stop()
  await rm(dataDir, { recursive: true })
})

/** Every address is the sandbox's: nothing leaves the machine. */
function config() {
  const server = new URL(sandbox.url).host
  return loadConfig({
    GRANTWAY_PORT: '0',
    GRANTWAY_DATA_DIR: dataDir,
    GRANTWAY_ENCRYPTION_KEYS: `k1:${KEY}`,
    ...sandbox.endpoints,
    GRANTWAY_MICROSOFT_TOKEN_URL: sandbox.url,
    GRANTWAY_MICROSOFT_GRAPH_URL: sandbox.url,
    GRANTWAY_YAHOO_TOKEN_URL: sandbox.url,
    GRANTWAY_YAHOO_IMAP: server,
    GRANTWAY_ZOOM_TOKEN_URL: sandbox.url,
    GRANTWAY_ICLOUD_IMAP: server,
    GRANTWAY_ICLOUD_CALDAV_URL: sandbox.url,
  })
}
const KEY = randomBytes(32).toString('base64')

test('doctor looks at the grants of an idle database and of a running server alike', async () => {
  const server = await startServer(config(), 'all', silentLogger)
  const beside = await examine(config())
  await server.stop()
  const idle = await examine(config())
  const grants = { check: 'grants', ok: true, detail: 'there are none yet' }
  for (const found of [beside, idle]) {
    assert.deepEqual(
      found.filter(({ ok }) => !ok),
      [],
    )
    assert.deepEqual(
      found.filter(({ check }) => check === 'grants'),
      [grants],
    )
  }
  assert.ok(idle.some(({ check, ok }) => check === 'encryption key' && ok))
})

test('dead grants are counted and advised on, an alarm fails the check', () => {
  const findings = grantFindings({
    grants: [
      { provider: 'zoom', status: 'valid', reasonCode: null, count: 3 },
      { provider: 'google', status: 'valid', reasonCode: null, count: 40 },
      { provider: 'google', status: 'invalid', reasonCode: 'reauth_policy', count: 1, advice: 'Ask.' },
      { provider: 'google', status: 'invalid', reasonCode: 'access_revoked', count: 2, advice: 'Sign in.' },
    ],
    alarms: [
      {
        applicationId: applicationId('app-1'),
        provider: 'microsoft',
        alarm: {
          code: 'client_secret_expired',
          message: 'It has expired.',
          advice: 'Make one.',
          at: 1_795_000_000,
        },
      },
    ],
  })
  assert.deepEqual(findings, [
    { check: 'grants', ok: true, detail: 'google: 40 valid, 3 invalid' },
    { check: 'grants', ok: true, detail: 'zoom: 3 valid, 0 invalid' },
    { check: 'grants', ok: true, detail: 'google: 2 invalid because of access_revoked', advice: 'Sign in.' },
    { check: 'grants', ok: true, detail: 'google: 1 invalid because of reauth_policy', advice: 'Ask.' },
    {
      check: 'connector',
      ok: false,
      detail:
        'microsoft of application app-1: client_secret_expired since 2026-11-18T11:06:40.000Z. It has expired.',
      advice: 'Make one.',
    },
  ])
  assert.deepEqual(readFindings(JSON.parse(JSON.stringify(findings))), findings)
})

test('what another version’s server answers is read with care', () => {
  assert.deepEqual(readFindings({ grants: 3 }), [])
  assert.deepEqual(readFindings([null, 'x', { check: 1 }, { check: 'grants', detail: 'd', ok: 'yes' }]), [
    { check: 'grants', ok: false, detail: 'd' },
  ])
})
