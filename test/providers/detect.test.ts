import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, beforeEach, test } from 'node:test'
import { applicationId, connectorId } from '../../src/contract/ids.ts'
import type { ProviderName } from '../../src/contract/providers.ts'
import type { ConnectorRecord } from '../../src/core/ports/records.ts'
import type { DetectService } from '../../src/core/ports/services.ts'
import { createDetectService } from '../../src/core/detect/detect-service.ts'
import { silentLogger } from '../../src/kit/logger.ts'
import { createEgressGuard } from '../../src/kit/outbound/egress-guard.ts'
import { createHttpClient, type HttpClient } from '../../src/kit/outbound/http-client.ts'
import { ProviderError } from '../../src/kit/provider-error.ts'
import { type Autoconfig, createAutoconfig } from '../../src/protocols/autoconfig/create-autoconfig.ts'
import type { MailDns, SrvRecord } from '../../src/protocols/autoconfig/dns.ts'

const { signal } = new AbortController()
const xml = (host: string) =>
  `<clientConfig version="1.1"><emailProvider id="x"><incomingServer type="imap"><hostname>${host}</hostname><port>993</port><socketType>SSL</socketType></incomingServer><outgoingServer type="smtp"><hostname>${host}</hostname><port>465</port><socketType>SSL</socketType></outgoingServer></emailProvider></clientConfig>`

const MX: Record<string, string[]> = {
  'firm.example': ['aspmx.l.google.com', 'mx.firm.example'],
  'office.example': ['office-example.mail.protection.outlook.com'],
  'ym.example': ['mx-biz.mail.am0.yahoodns.net'],
  'apple.example': ['mx01.mail.icloud.com'],
  'fake.example': ['google.com.evil.example', 'notgoogle.com'],
}
const SRV: Record<string, SrvRecord[]> = {
  '_imaps._tcp.srv.example': [
    { name: 'second.srv.example', port: 993, priority: 20, weight: 0 },
    { name: 'imap.srv.example', port: 993, priority: 10, weight: 5 },
  ],
  '_submission._tcp.srv.example': [{ name: 'smtp.srv.example', port: 587, priority: 0, weight: 0 }],
  '_imaps._tcp.none.example': [{ name: '.', port: 0, priority: 0, weight: 0 }],
}

let requests: string[] = []
let lookups: string[] = []
let server: Server
let port = 0
const dns: MailDns = {
  mx(domain) {
    lookups.push(domain)
    if (domain === 'broken.example') return Promise.reject(new ProviderError('timeout', 'no answer'))
    const hosts = MX[domain] ?? []
    return Promise.resolve(hosts.map((exchange, at) => ({ exchange, priority: 10 * (at + 1) })).toReversed())
  },
  srv: (name) => Promise.resolve(SRV[name] ?? []),
}

/** Domains that have a web server, by what it answers. */
const PAGES: Record<
  string,
  (respond: (status: number, body: string, headers?: Record<string, string>) => void) => void
> = {
  'autoconfig.own.example': (respond) => respond(200, xml('imap.own.example')),
  'known.example': (respond) => respond(200, xml('imap.known.example')),
  'autoconfig.moved.example': (respond) =>
    respond(302, '', { location: 'https://autoconfig.own.example/mail/config-v1.1.xml' }),
  'autoconfig.huge.example': (respond) => respond(200, xml('imap.huge.example') + ' '.repeat(200_000)),
  'autoconfig.silent.example': () => {},
  database: (respond) => respond(200, xml('imap.database.example')),
}

let clients: HttpClient[] = []

/**
 * The guarded client as it is, but for the last step: a domain's web server is reached at a port of this test, where
 * TLS is not asked for.
 */
function guardedClient(allowedNetworks: readonly string[]): HttpClient {
  const known = (host: string) => Object.hasOwn(PAGES, host)
  const guard = createEgressGuard({
    allowedNetworks,
    lookup: (host) =>
      known(host)
        ? Promise.resolve([{ address: '127.0.0.1', family: 4 }])
        : Promise.reject(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' })),
  })
  const http = createHttpClient({ guard })
  clients.push(http)
  return {
    request(request) {
      const url = new URL(request.url)
      assert.equal(url.protocol, 'https:')
      return http.request({ ...request, url: `http://${url.hostname}:${port}${url.pathname}${url.search}` })
    },
    stream: () => Promise.reject(new Error('nothing is streamed')),
    close: () => http.close(),
  }
}

function autoconfigWith(options: { networks?: readonly string[]; database?: boolean } = {}): Autoconfig {
  const trusted = createHttpClient()
  clients.push(trusted)
  return createAutoconfig({
    guarded: guardedClient(options.networks ?? ['127.0.0.0/8']),
    trusted,
    dns,
    ...(options.database ? { databaseUrl: `http://127.0.0.1:${port}/v1.1/` } : {}),
  })
}

before(async () => {
  server = createServer((request, response) => {
    const host = (request.headers.host ?? '').split(':')[0] ?? ''
    const page = PAGES[host] ?? (request.url?.startsWith('/v1.1/') ? PAGES['database'] : undefined)
    requests.push(`${host}${request.url}`)
    if (!page) return response.writeHead(404).end()
    page((status, body, headers = {}) => response.writeHead(status, headers).end(body))
    return undefined
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  port = (server.address() as AddressInfo).port
})
beforeEach(() => {
  requests = []
  lookups = []
})
after(async () => {
  await Promise.all(clients.map((client) => client.close().catch(() => {})))
  server.close()
  server.closeAllConnections()
})

const own = { host: 'imap.own.example', port: 993, tls: 'implicit' }

test('finds servers by the domain’s own autoconfiguration, at either address', async () => {
  const found = await autoconfigWith().servers('ada@Own.example', signal)
  assert.deepEqual(found, { imap: own, smtp: { ...own, port: 465 } })
  assert.ok(requests.includes('autoconfig.own.example/mail/config-v1.1.xml?emailaddress=ada%40Own.example'))
  const other = await autoconfigWith().servers('ada@known.example', signal)
  assert.equal(other?.imap?.host, 'imap.known.example')
  assert.ok(
    requests.some((request) =>
      request.startsWith('known.example/.well-known/autoconfig/mail/config-v1.1.xml?'),
    ),
  )
})

test('falls to the operator’s database, which learns the domain only, then to SRV records', async () => {
  const found = await autoconfigWith({ database: true }).servers('ada@srv.example', signal)
  assert.equal(found?.imap?.host, 'imap.database.example')
  assert.ok(requests.includes('127.0.0.1/v1.1/srv.example'))
  assert.ok(requests.every((request) => !request.startsWith('127.0.0.1') || !request.includes('ada')))
  assert.deepEqual(await autoconfigWith().servers('ada@srv.example', signal), {
    imap: { host: 'imap.srv.example', port: 993, tls: 'implicit' },
    smtp: { host: 'smtp.srv.example', port: 587, tls: 'starttls' },
  })
})

test('the domain’s own word comes before the database’s', async () => {
  const found = await autoconfigWith({ database: true }).servers('ada@own.example', signal)
  assert.deepEqual(found?.imap, own)
})

test('knows nothing of domains that say nothing, move elsewhere, say too much or are no domain', async () => {
  const autoconfig = autoconfigWith()
  for (const email of [
    'a@none.example',
    'a@moved.example',
    'a@huge.example',
    'a@127.0.0.1',
    'a@localhost',
    'a@x/..',
    'nothing',
  ]) {
    assert.equal(await autoconfig.servers(email, signal), null, email)
  }
  assert.ok(
    !requests.some((request) => request.startsWith('autoconfig.own.example')),
    'no redirect was followed',
  )
})

test('does not connect to private addresses that are not allowed', async () => {
  assert.equal(await autoconfigWith({ networks: [] }).servers('ada@own.example', signal), null)
  assert.deepEqual(requests, [])
})

test('a web server that never answers holds nobody longer than the request', async () => {
  const given = new AbortController()
  const asked = autoconfigWith().servers('ada@silent.example', given.signal)
  given.abort()
  assert.equal(await asked, null)
})

const app = applicationId('app-1')
const caller = { applicationId: app, actor: 'key:1' }
let connectors: ProviderName[] = []
let detect: DetectService
let servers = 0

beforeEach(() => {
  connectors = []
  servers = 0
  const autoconfig = autoconfigWith()
  detect = createDetectService({
    lookups: {
      mxHosts: (domain, given) => autoconfig.mxHosts(domain, given),
      servers(email, given) {
        servers += 1
        return autoconfig.servers(email, given)
      },
    },
    connectors: {
      find: (_application, provider) =>
        Promise.resolve(connectors.includes(provider) ? record(provider) : null),
    },
    log: silentLogger,
  })
})

function record(provider: ProviderName): ConnectorRecord {
  return {
    id: connectorId(provider),
    applicationId: app,
    provider,
    name: provider,
    settings: {},
    scope: [],
    activeCredentialId: null,
    alarm: null,
    createdAt: 0,
    updatedAt: 0,
  }
}

const ask = (email: string, allProviderTypes = true) =>
  detect.detect(caller, email, { allProviderTypes, signal })

const DOMAINS: readonly [string, string | undefined, string?][] = [
  ['a@gmail.com', 'google'],
  ['a@GoogleMail.com', 'google'],
  ['a@outlook.com', 'microsoft'],
  ['a@hotmail.co.uk', 'microsoft'],
  ['a@live.de', 'microsoft'],
  ['a@msn.com', 'microsoft'],
  ['a@yahoo.com', 'yahoo'],
  ['a@yahoo.co.uk', 'yahoo'],
  ['a@yahoo.co.jp', undefined],
  ['a@ymail.com', 'yahoo'],
  ['a@aol.com', 'yahoo'],
  ['a@icloud.com', 'icloud'],
  ['a@me.com', 'icloud'],
  ['a@mac.com', 'icloud'],
  ['a@firm.example', 'google'],
  ['a@office.example', 'microsoft'],
  ['a@ym.example', 'yahoo'],
  ['a@apple.example', 'icloud'],
  ['a@own.example', 'imap', 'generic'],
  ['a@srv.example', 'imap', 'generic'],
  ['a@fake.example', undefined],
  ['a@notgmail.com', undefined],
  ['a@broken.example', undefined],
]
for (const [email, provider, type] of DOMAINS) {
  test(`detects ${email} as ${provider ?? 'nothing'}`, async () => {
    assert.deepEqual(await ask(email), {
      email_address: email,
      detected: provider !== undefined,
      ...(provider === undefined ? {} : { provider }),
      ...(type === undefined ? {} : { type }),
    })
  })
}

test('counts only providers that the application has a connector for', async () => {
  assert.deepEqual(await ask('a@gmail.com', false), { email_address: 'a@gmail.com', detected: false })
  connectors = ['imap']
  assert.deepEqual(await ask('a@icloud.com', false), {
    email_address: 'a@icloud.com',
    detected: true,
    provider: 'imap',
    type: 'icloud',
  })
  assert.equal((await ask('a@office.example', false)).detected, false)
  connectors = ['imap', 'icloud']
  assert.equal((await ask('a@icloud.com', false)).provider, 'icloud')
})

test('asks about a domain once, and about none that it knows', async () => {
  for (const email of [
    'a@own.example',
    'b@own.example',
    'a@gmail.com',
    'x@nobody.example',
    'y@nobody.example',
  ]) {
    await ask(email)
  }
  assert.deepEqual(lookups, ['own.example', 'nobody.example'])
  assert.equal(servers, 2)
})

test('a request that was given up leaves no wrong answer behind', async () => {
  const given = AbortSignal.abort()
  const options = { allProviderTypes: true, signal: given }
  assert.equal((await detect.detect(caller, 'a@own.example', options)).detected, false)
  assert.equal((await ask('a@own.example')).detected, true)
})
