import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { inspect } from 'node:util'
import { ConfigError, type Environment, loadConfig } from '../../src/config/load.ts'
import { listSettings } from '../../src/config/schema.ts'

const folder = mkdtempSync(join(tmpdir(), 'grantway-config-'))
after(() => rmSync(folder, { recursive: true }))

let files = 0
function file(content: string): string {
  files += 1
  const path = join(folder, `${files}`)
  writeFileSync(path, content)
  return path
}

function problemsOf(environment: Environment): readonly string[] {
  try {
    loadConfig(environment)
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    return error.problems
  }
  return []
}

const keyA = Buffer.alloc(32, 1).toString('base64')
const keyB = Buffer.alloc(32, 2).toString('base64')

test('has the documented defaults', () => {
  const { google, microsoft, yahoo, icloud, zoom, ...rest } = loadConfig({ PATH: '/bin' })
  assert.deepEqual(rest, {
    host: '127.0.0.1',
    port: 8080,
    publicUrl: undefined,
    trustedProxies: [],
    dataDir: './grantway-data',
    databaseUrl: undefined,
    databasePoolSize: 10,
    encryptionKeys: undefined,
    applicationId: undefined,
    apiKey: undefined,
    allowedNetworks: [],
    egressIps: [],
    allowPlaintextMail: false,
    metrics: { port: undefined, host: '127.0.0.1', token: undefined },
    autoconfigUrl: undefined,
    refreshRate: 120,
    tracking: 'anonymous',
    rateLimitFactor: 1,
    gmailUnitsPerMinute: 6000,
    smtp: { url: undefined, from: undefined },
    logLevel: 'info',
    warnings: [],
  })
  assert.equal(google.tokenUrl, 'https://oauth2.googleapis.com/token')
  assert.equal(google.gmailUrl, 'https://gmail.googleapis.com')
  assert.equal(microsoft.tokenUrl, 'https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token')
  assert.deepEqual(yahoo.imap, { host: 'imap.mail.yahoo.com', port: 993 })
  assert.deepEqual(icloud.smtp, { host: 'smtp.mail.me.com', port: 587 })
  assert.equal(zoom.apiUrl, 'https://api.zoom.us')
})

test('names every unknown variable and every bad value at once', () => {
  const problems = problemsOf({
    GRANTWAY_PROT: '1',
    GRANTWAY_PORT: '80a',
    GRANTWAY_DATABASE_POOL_SIZE: '0',
    GRANTWAY_LOG_LEVEL: 'loud',
    GRANTWAY_ALLOW_PLAINTEXT_MAIL: 'yes',
    GRANTWAY_ALLOWED_NETWORKS: '10.0.0.0/8, 10.0.0.0/40',
    GRANTWAY_TRUSTED_PROXIES: '10.1',
    GRANTWAY_EGRESS_IPS: '203.0.113.7, 203.0.113.0/24',
    GRANTWAY_PUBLIC_URL: 'ftp://example.com',
    GRANTWAY_GOOGLE_TOKEN_URL: 'https://user:pass@example.com/token',
    GRANTWAY_YAHOO_IMAP: 'imap.example.com',
    GRANTWAY_ZOOM_API_URL: 'https://api.example.com/?a=b',
  })
  assert.deepEqual(
    new Set(problems.map((problem) => problem.split(' ')[0])),
    new Set([
      'GRANTWAY_ALLOWED_NETWORKS',
      'GRANTWAY_ALLOW_PLAINTEXT_MAIL',
      'GRANTWAY_DATABASE_POOL_SIZE',
      'GRANTWAY_EGRESS_IPS',
      'GRANTWAY_GOOGLE_TOKEN_URL',
      'GRANTWAY_LOG_LEVEL',
      'GRANTWAY_PORT',
      'GRANTWAY_PROT',
      'GRANTWAY_PUBLIC_URL',
      'GRANTWAY_TRUSTED_PROXIES',
      'GRANTWAY_YAHOO_IMAP',
      'GRANTWAY_ZOOM_API_URL',
    ]),
  )
  assert.ok(problems.every((problem) => !problem.includes('user:pass')))
})

test('refuses an empty value, except an empty list', () => {
  assert.deepEqual(problemsOf({ GRANTWAY_API_KEY: '', GRANTWAY_PORT: '' }), [
    'GRANTWAY_PORT is empty: give it a value or remove it',
    'GRANTWAY_API_KEY is empty: give it a value or remove it',
  ])
  assert.deepEqual(loadConfig({ GRANTWAY_ALLOWED_NETWORKS: '' }).allowedNetworks, [])
})

test('ignores with a warning what container platforms inject', () => {
  const config = loadConfig({
    GRANTWAY_PORT: 'tcp://10.0.0.7:8080',
    GRANTWAY_PORT_8080_TCP: 'tcp://10.0.0.7:8080',
    GRANTWAY_PORT_8080_TCP_ADDR: '10.0.0.7',
    GRANTWAY_SERVICE_HOST: '10.0.0.7',
    GRANTWAY_SERVICE_PORT_HTTP: '8080',
    GRANTWAY_METRICS_PORT: 'tcp://10.0.0.8:9090',
  })
  assert.equal(config.port, 8080)
  assert.equal(config.metrics.port, undefined)
  assert.equal(config.warnings.length, 6)
  assert.match(config.warnings[0] ?? '', /^GRANTWAY_PORT is ignored/)
})

test('reads secrets from files and hides them', () => {
  const secret = 'planted-secret-value-of-more-than-32-characters'
  const config = loadConfig({ GRANTWAY_API_KEY_FILE: file(`${secret}\n`) })
  assert.equal(config.apiKey?.open(), secret)
  assert.ok(!inspect(config, { depth: 9 }).includes(secret))
  assert.ok(!JSON.stringify(config).includes(secret))
  assert.deepEqual(problemsOf({ GRANTWAY_API_KEY_FILE: '/nowhere/key' }), [
    'GRANTWAY_API_KEY_FILE names a file that cannot be read: /nowhere/key',
  ])
  assert.match(
    problemsOf({ GRANTWAY_API_KEY: secret, GRANTWAY_API_KEY_FILE: file(secret) })[0] ?? '',
    /both set/,
  )
  assert.match(
    problemsOf({ GRANTWAY_LOG_LEVEL_FILE: file('info') })[0] ?? '',
    /^GRANTWAY_LOG_LEVEL_FILE is not/,
  )
})

test('reads encryption keys in order and never repeats a bad one', () => {
  const config = loadConfig({ GRANTWAY_ENCRYPTION_KEYS: `b:${keyB}, a:${keyA}` })
  assert.deepEqual(
    config.encryptionKeys?.map(({ kid, key }) => [kid, key.open()]),
    [
      ['b', keyB],
      ['a', keyA],
    ],
  )
  const short = Buffer.alloc(31, 7).toString('base64')
  for (const bad of [
    ',',
    short,
    `a:${short}`,
    `a:${keyA},a:${keyB}`,
    `a b:${keyA}`,
    `:${keyA}`,
    `a:${keyA}!`,
  ]) {
    const [problem] = problemsOf({ GRANTWAY_ENCRYPTION_KEYS: bad })
    assert.match(problem ?? '', /^GRANTWAY_ENCRYPTION_KEYS /, bad)
    assert.ok(!problem?.includes(short) && !problem?.includes(keyA))
  }
})

test('takes the API key only with 32 printable characters or more', () => {
  assert.deepEqual(problemsOf({ GRANTWAY_API_KEY: 'x'.repeat(31) }), [
    'GRANTWAY_API_KEY must have at least 32 characters',
  ])
  assert.equal(problemsOf({ GRANTWAY_API_KEY: `${'x'.repeat(40)}\u0007` }).length, 1)
  assert.equal(problemsOf({ GRANTWAY_API_KEY: 'x'.repeat(32) }).length, 0)
})

test('takes postgres addresses only, and shows no password', () => {
  assert.equal(problemsOf({ GRANTWAY_DATABASE_URL: 'postgresql://u:p@h/d' }).length, 0)
  assert.deepEqual(problemsOf({ GRANTWAY_DATABASE_URL: 'mysql://u:planted@h/d' }), [
    'GRANTWAY_DATABASE_URL must be a postgres:// address',
  ])
})

test('takes smtp addresses only, and shows no password', () => {
  for (const address of ['smtps://user%40h:p%2Fw@mail.example.com', 'smtp://[::1]:2525', 'smtps://h:465/']) {
    assert.equal(problemsOf({ GRANTWAY_SMTP_URL: address }).length, 0, address)
  }
  for (const address of [
    'https://u:planted@h',
    'smtps://u:planted%@h',
    'smtps://u:planted@h/path',
    'planted',
  ]) {
    assert.deepEqual(problemsOf({ GRANTWAY_SMTP_URL: address }), [
      'GRANTWAY_SMTP_URL must be smtps://user:password@host:port or smtp://…, special characters %-encoded',
    ])
  }
  for (const sender of ['grantway@example.com', 'Grantway of Example <grantway@example.com>']) {
    assert.equal(problemsOf({ GRANTWAY_SMTP_FROM: sender }).length, 0, sender)
  }
  for (const sender of ['Grantway', 'a@b, c@d', 'Grantway <a@b> <c@d>', 'x\r\ny <a@b>']) {
    assert.equal(problemsOf({ GRANTWAY_SMTP_FROM: sender }).length, 1, sender)
  }
})

test('reads the same names from a JSON file, under the environment', () => {
  const path = file(
    JSON.stringify({
      GRANTWAY_PORT: 9000,
      GRANTWAY_LOG_LEVEL: 'debug',
      GRANTWAY_ALLOW_PLAINTEXT_MAIL: true,
      GRANTWAY_ALLOWED_NETWORKS: ['10.0.0.0/8', '::1/128'],
      GRANTWAY_METRICS_TOKEN_FILE: file('from-a-file'),
    }),
  )
  const config = loadConfig({ GRANTWAY_CONFIG_FILE: path, GRANTWAY_PORT: '9001' })
  assert.equal(config.port, 9001)
  assert.equal(config.logLevel, 'debug')
  assert.deepEqual(config.allowedNetworks, ['10.0.0.0/8', '::1/128'])
  assert.equal(config.metrics.token?.open(), 'from-a-file')
  assert.match(config.warnings.join(), /GRANTWAY_ALLOW_PLAINTEXT_MAIL=true: .*plain text/)
})

test('names file and variable for what is wrong in the file', () => {
  const path = file('{"GRANTWAY_PORT":"x","NODE_EXTRA_CA_CERTS":"y","GRANTWAY_HOST":{"a":1}}')
  const problems = problemsOf({ GRANTWAY_CONFIG_FILE: path })
  assert.equal(problems.length, 3)
  assert.ok(problems.every((problem) => problem.includes(path)))
  assert.match(problemsOf({ GRANTWAY_CONFIG_FILE: file('[1]') })[0] ?? '', /^GRANTWAY_CONFIG_FILE /)
  assert.match(problemsOf({ GRANTWAY_CONFIG_FILE: join(folder, 'none') })[0] ?? '', /^GRANTWAY_CONFIG_FILE /)
})

test('keeps {tenant} out of the host, so that the trusted origin is exact', () => {
  const name = 'GRANTWAY_MICROSOFT_TOKEN_URL'
  assert.equal(
    loadConfig({ [name]: 'http://127.0.0.1:1/{tenant}/t' }).microsoft.tokenUrl,
    'http://127.0.0.1:1/{tenant}/t',
  )
  assert.equal(problemsOf({ [name]: 'https://{tenant}.example.com/t' }).length, 1)
})

test('drops the trailing slash of addresses', () => {
  assert.equal(loadConfig({ GRANTWAY_PUBLIC_URL: 'https://a.example/' }).publicUrl, 'https://a.example')
})

test('is frozen at every depth', () => {
  const config = loadConfig({})
  assert.ok(Object.isFrozen(config) && Object.isFrozen(config.google) && Object.isFrozen(config.yahoo.imap))
  assert.ok(Object.isFrozen(config.allowedNetworks))
})

test('has an example that each variable takes, and no name twice', () => {
  const names = listSettings().map(({ name }) => name)
  assert.equal(new Set(names).size, names.length)
  for (const { name, example } of listSettings()) {
    assert.deepEqual(problemsOf({ [name]: example }), [], name)
  }
})
