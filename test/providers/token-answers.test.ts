import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import {
  createServer as createTcpServer,
  type AddressInfo,
  type Server as TcpServer,
  type Socket,
} from 'node:net'
import { after, before, test } from 'node:test'
import type { ProviderClient } from '../../src/core/ports/identity.ts'
import type { ProviderModule } from '../../src/core/ports/provider.ts'
import { systemClock } from '../../src/kit/clock.ts'
import { createEgressGuard } from '../../src/kit/outbound/egress-guard.ts'
import { createHttpClient } from '../../src/kit/outbound/http-client.ts'
import { ProviderError } from '../../src/kit/provider-error.ts'
import { Secret } from '../../src/kit/secret.ts'
import { createGoogle } from '../../src/providers/google/create-google.ts'
import { TOKEN_ERROR_RULES } from '../../src/providers/google/token-errors.ts'
import { createIcloud } from '../../src/providers/icloud/provider.ts'
import { createImap } from '../../src/providers/imap/provider.ts'
import { createMicrosoft } from '../../src/providers/microsoft/create-microsoft.ts'
import { createYahoo } from '../../src/providers/yahoo/provider.ts'
import { YAHOO_TOKEN_RULES } from '../../src/providers/yahoo/errors.ts'
import { createZoom } from '../../src/providers/zoom/create-zoom.ts'
import { ZOOM_TOKEN_RULES } from '../../src/providers/zoom/errors.ts'
import { endpointsAt } from '../support/sandbox.ts'
import type { TokenAnswer } from './token-answers/answer.ts'
import { GOOGLE_ANSWERS } from './token-answers/google.ts'
import { IMAP_ANSWERS, type LoginAnswer, SMTP_ANSWERS } from './token-answers/mail-servers.ts'
import { MICROSOFT_ANSWERS } from './token-answers/microsoft.ts'
import { YAHOO_ANSWERS } from './token-answers/yahoo.ts'
import { ZOOM_ANSWERS } from './token-answers/zoom.ts'

const ANSWERS: { readonly [provider: string]: readonly TokenAnswer[] } = {
  google: GOOGLE_ANSWERS,
  microsoft: MICROSOFT_ANSWERS,
  yahoo: YAHOO_ANSWERS,
  zoom: ZOOM_ANSWERS,
}
const CLIENT: ProviderClient = {
  credentialType: 'connector',
  clientId: 'client-id',
  clientSecret: new Secret('client-secret-value'),
  data: {},
}
const HOST = '127.0.0.1'
const http = createHttpClient()
const modules = new Map<string, ProviderModule>()
const servers: (Server | TcpServer)[] = []
const closers: (() => Promise<void>)[] = []
let imap: ProviderModule
let imapPort = 0
let smtpPort = 0

before(async () => {
  const base = `http://${HOST}:${await listen(createServer((request, response) => void tokenEndpoint(request, response)))}`
  const clock = systemClock
  const yahoo = createYahoo({
    http,
    clock,
    endpoints: {
      authorizeUrl: base,
      tokenUrl: `${base}/token`,
      userinfoUrl: base,
      imap: { host: HOST, port: 1 },
      smtp: { host: HOST, port: 1 },
    },
    allowPlaintext: false,
  })
  const apiUrl = base
  const all: readonly ProviderModule[] = [
    createGoogle({ http, clock, endpoints: endpointsAt(base) }),
    createMicrosoft({
      http,
      clock,
      endpoints: { authorizeUrl: base, tokenUrl: `${base}/token`, adminConsentUrl: base, graphUrl: base },
    }),
    createZoom({ http, clock, endpoints: { authorizeUrl: base, tokenUrl: `${base}/token`, apiUrl } }),
    yahoo,
  ]
  for (const module of all) modules.set(module.id, module)
  imapPort = await listen(createTcpServer({ allowHalfOpen: false }, scriptedImap))
  smtpPort = await listen(createTcpServer(scriptedSmtp))
  const guard = createEgressGuard({ allowedNetworks: ['127.0.0.0/8'] })
  const mailbox = createImap({ guard, allowPlaintext: true, autoconfig: () => Promise.resolve(null) })
  imap = mailbox
  closers.push(
    () => yahoo.close(),
    () => mailbox.close(),
  )
})
after(async () => {
  for (const close of closers) await close()
  await http.close()
  for (const server of servers) server.close()
})

function listen(server: Server | TcpServer): Promise<number> {
  servers.push(server)
  return new Promise((resolve) => {
    server.listen(0, HOST, () => resolve((server.address() as AddressInfo).port))
  })
}

/** Answers what the refresh token names: `google:3` is the fourth of Google's answers. */
async function tokenEndpoint(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  const [provider = '', index = ''] = (new URLSearchParams(text).get('refresh_token') ?? '').split(':')
  const answer = ANSWERS[provider]?.[Number(index)]
  assert.ok(answer)
  response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers })
  response.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body))
}

/** Refuses the LOGIN of user `imap:3` with the fourth answer; everybody else is let in. */
function scriptedImap(socket: Socket): void {
  socket.on('error', () => {})
  socket.write('* OK [CAPABILITY IMAP4rev1] ready\r\n')
  socket.on('data', (data) => {
    for (const line of String(data).split('\r\n').filter(Boolean)) {
      const [tag = '', command = ''] = line.split(' ')
      const index = /LOGIN "?imap:(\d+)/.exec(line)?.[1]
      const refusal = index === undefined ? undefined : IMAP_ANSWERS[Number(index)]?.line
      if (command === 'CAPABILITY') socket.write('* CAPABILITY IMAP4rev1\r\n')
      if (command === 'LOGOUT') socket.write('* BYE\r\n')
      socket.write(`${tag} ${refusal ?? 'OK done'}\r\n`)
    }
  })
}

function scriptedSmtp(socket: Socket): void {
  socket.on('error', () => {})
  socket.write('220 mail.example ESMTP\r\n')
  socket.on('data', (data) => {
    for (const line of String(data).split('\r\n').filter(Boolean)) {
      if (line.startsWith('EHLO')) socket.write('250-mail.example\r\n250 AUTH PLAIN\r\n')
      else if (line.startsWith('AUTH PLAIN')) {
        const user =
          Buffer.from(line.split(' ')[2] ?? '', 'base64')
            .toString()
            .split('\0')[1] ?? ''
        socket.write(`${SMTP_ANSWERS[Number(user.split(':')[1])]?.line ?? '235 2.7.0 Welcome'}\r\n`)
      } else socket.write('221 2.0.0 Bye\r\n')
    }
  })
}

const refusalOf = (promise: Promise<unknown>): Promise<ProviderError> =>
  promise.then(
    () => assert.fail('it was not refused'),
    (error: unknown) => {
      assert.ok(error instanceof ProviderError, String(error))
      return error
    },
  )

function check(error: ProviderError, expected: Pick<TokenAnswer, 'kind' | 'reason'>, about: string): void {
  const { reason, advice, providerBody } = error.details
  assert.deepEqual([error.kind, reason], [expected.kind, expected.reason], about)
  if (reason !== undefined) assert.match(advice ?? '', /^[A-Z].*\.$/s, `${about}: advice in plain words`)
  if (error.kind === 'grant-revoked') {
    assert.ok(reason, `${about}: a permanent refusal has a stable reason`)
    assert.ok(providerBody, `${about}: and the provider's own words`)
  }
}

for (const [provider, answers] of Object.entries(ANSWERS)) {
  test(`${provider}: each of ${answers.length} token answers means what it should`, async () => {
    const module = modules.get(provider)
    assert.ok(module?.identity.exchange)
    for (const [index, answer] of answers.entries()) {
      const about = `${provider} ${answer.status} ${JSON.stringify(answer.body)}`
      const refreshToken = new Secret(`${provider}:${index}`)
      const error = await refusalOf(
        module.identity.exchange({
          client: CLIENT,
          secret: { kind: 'refresh-token', refreshToken },
          scope: answer.scope ?? [],
          signal: new AbortController().signal,
        }),
      )
      check(error, answer, about)
      assert.equal(error.details.httpStatus, answer.status, about)
      assert.equal(error.details.retryAfterSeconds, answer.retryAfterSeconds, about)
      assert.match(answer.source, /\w/)
      if (error.kind === 'grant-revoked') {
        assert.ok(module.advise?.(error.details.reason ?? '', null), `${about}: doctor has advice`)
      }
    }
  })
}

const TABLES = { google: TOKEN_ERROR_RULES, yahoo: YAHOO_TOKEN_RULES, zoom: ZOOM_TOKEN_RULES }

test('every reason of a table has one advice, and names its source', () => {
  for (const [provider, rules] of Object.entries(TABLES)) {
    const adviceOf = new Map<string, string>()
    for (const { reason, advice, source, kind } of rules) {
      assert.match(reason, /^[a-z_]+$/)
      assert.match(source, /\w/)
      const key = `${kind} ${reason}`
      assert.equal(adviceOf.get(key) ?? advice, advice, `${provider} ${key}`)
      adviceOf.set(key, advice)
    }
  }
})

const mailbox = (user: string, refuses: 'imap' | 'smtp') => {
  const login = (name: string, port: number) => ({
    host: HOST,
    port,
    tls: 'starttls' as const,
    username: name,
    password: new Secret('a-password'),
  })
  return imap.identity.identify({
    client: null,
    tokens: null,
    publicSettings: { email: 'ada@mail.example' },
    signal: new AbortController().signal,
    secret: {
      kind: 'mailbox',
      imap: login(refuses === 'imap' ? user : 'welcome', imapPort),
      smtp: refuses === 'smtp' ? login(user, smtpPort) : null,
    },
  })
}

async function walk(protocol: 'imap' | 'smtp', answers: readonly LoginAnswer[]): Promise<void> {
  await Promise.all(
    answers.map(async (answer, index) => {
      const error = await refusalOf(mailbox(`${protocol}:${index}`, protocol))
      check(error, answer, `${protocol} ${answer.line}`)
      assert.match(answer.source, /\w/)
      if (error.kind === 'grant-revoked') assert.ok(imap.advise?.(answer.reason ?? '', null), answer.line)
    }),
  )
}

test(`imap: each of ${IMAP_ANSWERS.length} refused logins means what it should`, () =>
  walk('imap', IMAP_ANSWERS))
test(`smtp: each of ${SMTP_ANSWERS.length} refused logins means what it should`, () =>
  walk('smtp', SMTP_ANSWERS))

test('a mailbox that is let in is no refusal', async () => {
  assert.equal((await mailbox('welcome', 'smtp')).email, 'ada@mail.example')
})

test('icloud advises on its own kind of password', async () => {
  const nowhere = { host: HOST, port: 1 }
  const icloud = createIcloud({ endpoints: { imap: nowhere, smtp: nowhere }, allowPlaintext: false })
  assert.match(icloud.advise?.('login_refused', null) ?? '', /app-specific password/)
  assert.match(icloud.advise?.('password_expired', null) ?? '', /new password/)
  await icloud.close()
})

test('at least eighty answers are on record', () => {
  const count = Object.values(ANSWERS).flat().length + IMAP_ANSWERS.length + SMTP_ANSWERS.length
  assert.ok(count >= 80, String(count))
})
