import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { startSandbox, type Sandbox } from '../../src/sandbox/start-sandbox.ts'
import { SANDBOX_CLIENT_ID, SANDBOX_CLIENT_SECRET } from '../../src/sandbox/state.ts'
import { addressOf, behind, PASSWORDS } from '../providers/imap-world.ts'
import { startDovecot, type TestDovecot } from '../support/dovecot.ts'
import { type FakeGraph, startFakeGraph } from '../support/fake-graph/start-fake-graph.ts'
import { FAKE_CLIENT } from '../support/fake-graph/token-endpoint.ts'
import { startGrantway, type GrantwayApp } from '../support/grantway-app.ts'
import { createRequestValidator } from '../support/request-validator.ts'
import { mailProcess } from './mail-process.ts'
import type { SuiteWorld } from './mail-suite-types.ts'
import { sdkFor } from './sdk-client.ts'

const SANDBOX_ADA = 'ada@sandbox.example'
const ADA = 'ada@contoso.example'
const ZOE = 'zoe@partner.example'
const USER = 'erin'
const RUN = randomUUID().slice(0, 8)
const FOLDER = `Suite ${RUN}`
const PEOPLE = ['zoe@partner.example', 'ben@globex.example', 'pat@partner.example']

/** Mail that no other test touches, in a folder of its own. */
function fill(world: TestDovecot): Promise<void> {
  return behind(world, USER, async (client) => {
    await client.mailboxCreate(FOLDER)
    for (let at = 0; at < 30; at += 1) {
      const flags = [...(at % 2 === 0 ? ['\\Seen'] : []), ...(at % 7 === 0 ? ['\\Flagged'] : [])]
      const date = new Date((1_760_000_000 + at * 3600) * 1000)
      await client.append(FOLDER, source(at), flags, date)
    }
    // A list that names no folder finds something, whatever ran before.
    for (let at = 0; at < 6; at += 1) {
      const head = `Message-ID: <inbox-${at}.${RUN}@partner.example>\r\nFrom: ${PEOPLE[at % 3]}\r\nSubject: Seen before\r\n`
      await client.append('INBOX', `${head}\r\nText\r\n`, ['\\Seen'], new Date((1_750_000_000 + at) * 1000))
    }
  })
}

function source(at: number): string {
  const reference = at % 3 === 0 ? '' : `References: <${at - (at % 3)}.${RUN}@partner.example>\r\n`
  const head = [
    `Message-ID: <${at}.${RUN}@partner.example>`,
    `From: Someone <${PEOPLE[at % 3]}>`,
    `To: ${at % 5 === 0 ? 'team@globex.example' : addressOf(USER)}`,
    ...(at % 4 === 0 ? ['Cc: carol@globex.example'] : []),
    `Subject: =?utf-8?Q?${at % 3 === 0 ? 'Report' : 'Invoice'}_=E2=9C=89?= ${Math.floor(at / 3)}`,
    `${reference}MIME-Version: 1.0`,
  ]
  if (at % 6 !== 0)
    return [...head, 'Content-Type: text/html; charset=utf-8', '', `<p>Text ${at}</p>`].join('\r\n')
  return [
    ...head,
    'Content-Type: multipart/mixed; boundary=b',
    '',
    '--b',
    'Content-Type: text/plain; charset=utf-8',
    '',
    `Text ${at}`,
    '--b',
    'Content-Type: application/pdf; name=a.pdf',
    'Content-Disposition: attachment; filename=a.pdf',
    'Content-Transfer-Encoding: base64',
    '',
    'JVBERi0xLjQK',
    '--b--',
    '',
  ].join('\r\n')
}

/** The sandbox behind the whole server; its Gmail calls are judged by Google's own API description at the end. */
export async function startGoogleMail(): Promise<
  SuiteWorld & { readonly sandbox: Sandbox; readonly app: GrantwayApp }
> {
  const validator = createRequestValidator()
  const sandbox = await startSandbox({ host: '127.0.0.1', onRequest: validator.onRequest })
  const app = await startGrantway({ ...sandbox.endpoints, GRANTWAY_GMAIL_UNITS_PER_MINUTE: '100000000' })
  const nylas = sdkFor(app, app.key)
  await nylas.connectors.create({
    requestBody: {
      name: 'Google',
      provider: 'google',
      settings: { clientId: SANDBOX_CLIENT_ID, clientSecret: SANDBOX_CLIENT_SECRET },
    },
  })
  const { data: grant } = await nylas.auth.customAuthentication({
    requestBody: {
      provider: 'google',
      settings: { refreshToken: sandbox.control.mintRefreshToken(SANDBOX_ADA) },
    },
  })
  return {
    sandbox,
    app,
    url: app.url,
    key: app.key,
    nylas,
    grant,
    scope: {},
    native: { query: 'is:unread', keeps: ({ unread }) => unread === true },
    async stop() {
      await app.stop()
      await sandbox.stop()
      assert.deepEqual(validator.violations, [])
      assert.ok(validator.knownCount() > 10)
    },
  }
}

/** The fake Graph behind the whole server; its calls are judged by Microsoft's own API description. */
export async function startMicrosoftMail(): Promise<
  SuiteWorld & { readonly graph: FakeGraph; readonly app: GrantwayApp }
> {
  const graph = await startFakeGraph()
  // A message without any field is microsoft-mail.test.ts's: it is neither read nor unread.
  graph.mailboxes.get(ADA)?.messages.splice(20, 1)
  const scope = ['Mail.ReadWrite', 'Mail.Send', 'User.Read']
  for (const name of scope) graph.tokens.consented.add(name)
  const app = await startGrantway({
    GRANTWAY_MICROSOFT_TOKEN_URL: graph.endpoints.tokenUrl,
    GRANTWAY_MICROSOFT_GRAPH_URL: graph.url,
    // where the fake takes large files
    GRANTWAY_ALLOWED_NETWORKS: '127.0.0.0/8',
  })
  const nylas = sdkFor(app, app.key)
  await nylas.connectors.create({
    requestBody: {
      name: 'Microsoft',
      provider: 'microsoft',
      settings: { ...FAKE_CLIENT, tenant: 'contoso.example' },
      scope,
    },
  })
  const { data: grant } = await nylas.auth.customAuthentication({
    requestBody: {
      provider: 'microsoft',
      settings: { refreshToken: graph.tokens.mint(ADA) },
    },
  })
  return {
    graph,
    app,
    url: app.url,
    key: app.key,
    nylas,
    grant,
    scope: {},
    native: {
      query: `from:${ZOE}`,
      keeps: ({ from }) => from?.some(({ email }) => email === ZOE) ?? false,
    },
    async stop() {
      await app.stop()
      await graph.stop()
      assert.deepEqual(graph.violations, [])
      assert.ok(graph.maxConcurrent() <= 4)
    },
  }
}

/** Dovecot and Postfix behind the server as users run it. */
export async function startImapMail(): Promise<
  SuiteWorld & { readonly dovecot: TestDovecot; readonly user: string }
> {
  const world = await startDovecot()
  await fill(world)
  const process = await mailProcess(world, { GRANTWAY_RATE_LIMIT_FACTOR: '0' })
  const server = await process.start()
  const nylas = sdkFor(server, process.key)
  await nylas.connectors.create({ requestBody: { name: 'IMAP', provider: 'imap' } })
  const { data: grant } = await nylas.auth.customAuthentication({
    requestBody: {
      provider: 'imap',
      settings: {
        imapUsername: addressOf(USER),
        imapPassword: PASSWORDS[USER] ?? '',
        imapHost: world.host,
        imapPort: world.imapsPort,
        imapTls: 'implicit',
        smtpHost: world.host,
        smtpPort: world.smtpStarttlsPort,
        smtpTls: 'starttls',
      } as { imapHost: string },
    },
  })
  const folders = await nylas.folders.list({ identifier: grant.id, queryParams: { limit: 200 } })
  const folder = folders.data.find(({ name }) => name === FOLDER)
  return {
    dovecot: world,
    user: USER,
    url: server.url,
    key: process.key,
    nylas,
    grant,
    scope: { in: [folder?.id ?? ''] },
    native: {
      query: `FROM "${PEOPLE[0]}"`,
      keeps: ({ from }) => from?.[0]?.email === PEOPLE[0],
    },
    async stop() {
      await server.end('SIGTERM')
      await process.remove()
      await behind(world, USER, (client) => client.mailboxDelete(FOLDER))
      await world.stop()
    },
  }
}
