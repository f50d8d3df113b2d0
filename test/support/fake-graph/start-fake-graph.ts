import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import type { MicrosoftEndpoints } from '../../../src/providers/microsoft/endpoints.ts'
import { judgeRequest } from '../validate-request.mjs'
import { answerChange, type ChangeWorld, type FakeBehaviour } from './graph-changes.ts'
import { answerMail, graphError, type GraphReply } from './graph-mail.ts'
import { type FakeMailbox, type FakeMessage, seedMailbox } from './seed.ts'
import { createTokenEndpoint, type FakeTokenEndpoint } from './token-endpoint.ts'
import { startUploadServer, type UploadServer } from './upload-server.ts'

export interface SeenGraphRequest {
  readonly method: string
  /** path and query below `/v1.0` */
  readonly path: string
  /** of a request of its own that has JSON */
  readonly body?: unknown
}

/** A stand-in for Microsoft's token endpoint and the mail part of Graph, on loopback. */
export interface FakeGraph {
  readonly url: string
  readonly endpoints: MicrosoftEndpoints
  readonly tokens: FakeTokenEndpoint
  /** Mailboxes by address; tests may change them. */
  readonly mailboxes: Map<string, FakeMailbox>
  /** Addresses whose mailbox other users may read. */
  readonly shared: Set<string>
  readonly behaviour: FakeBehaviour
  readonly uploads: UploadServer
  /** Every message that left. */
  readonly sent: readonly FakeMessage[]
  readonly seen: SeenGraphRequest[]
  /** Sentences about requests that the real service would refuse or ignore; empty when all is well. */
  readonly violations: string[]
  knownCount(): number
  /** The most requests (and steps of batches) that ran at once at one mailbox. */
  maxConcurrent(): number
  /** Answers instead of Graph while it gives something. Null takes it away. */
  intercept(answer: ((request: SeenGraphRequest) => GraphReply | undefined) | null): void
  /** Carries the next such request out and breaks the connection instead of answering. */
  loseAnswerOf(fits: ((request: SeenGraphRequest) => boolean) | null): void
  stop(): Promise<void>
}

const SLOTS = 4

export async function startFakeGraph(): Promise<FakeGraph> {
  const tokens = createTokenEndpoint()
  const mailboxes = new Map([
    ['ada@contoso.example', seedMailbox('ada@contoso.example')],
    ['team@contoso.example', seedMailbox('team@contoso.example', { count: 6, tag: 'Team' })],
    ['bob@contoso.example', seedMailbox('bob@contoso.example', { count: 1, tag: 'Bob' })],
  ])
  const shared = new Set(['team@contoso.example'])
  const uploads = await startUploadServer()
  const behaviour: FakeBehaviour = { sentLag: 0, mayBeSentAs: new Set(), hasPermanentDelete: true }
  const changes: ChangeWorld = { uploads, behaviour, sent: [], lagging: new Map() }
  let loses: ((request: SeenGraphRequest) => boolean) | null = null
  const seen: SeenGraphRequest[] = []
  const violations: string[] = []
  const running = new Map<string, number>()
  let known = 0
  let maxConcurrent = 0
  let intercept: ((request: SeenGraphRequest) => GraphReply | undefined) | null = null

  const judge = (method: string, path: string, headers: Record<string, string>, body: unknown) => {
    const { verdict, problems } = judgeRequest({
      method,
      url: `https://graph.microsoft.com/v1.0${path}`,
      headers,
      ...(body === undefined ? {} : { body }),
    })
    if (verdict === 'known') known += 1
    else violations.push(...problems.map((problem) => `${method} ${path}: ${problem}`))
  }

  const resolve = (owner: string, first: string, id: string | undefined): FakeMailbox | GraphReply => {
    const address = first === 'me' ? owner : (id ?? '').toLowerCase()
    if (first === 'me' && owner === 'app') return graphError(400, 'BadRequest', '/me needs a user.')
    const mailbox = mailboxes.get(address)
    if (!mailbox) return graphError(404, 'ErrorInvalidUser', `The requested user '${address}' is invalid.`)
    const mayRead = owner === 'app' || owner === address || shared.has(address)
    return mayRead
      ? mailbox
      : graphError(403, 'ErrorAccessDenied', 'Access is denied. Check credentials and try again.')
  }

  /** One request or step: inside the mailbox's four slots, or throttled. */
  const run = async (
    owner: string,
    url: URL,
    headers: Record<string, string>,
    content: {
      readonly method: string
      readonly json?: unknown
      readonly mime?: string
      readonly bytes: number
    },
  ): Promise<GraphReply> => {
    const parts = url.pathname
      .replace(/^\/v1\.0\//, '')
      .split('/')
      .map(decodeURIComponent)
    const isMe = parts[0] === 'me'
    const mailbox = resolve(owner, parts[0] ?? '', parts[1])
    if (!('user' in mailbox)) return mailbox
    if (
      !/IdType="ImmutableId"/.test(headers['prefer'] ?? '') ||
      !/body-content-type="html"/.test(headers['prefer'] ?? '')
    ) {
      violations.push(`${url.pathname}: no Prefer for immutable ids and HTML`)
      return graphError(400, 'ErrorInvalidRequest', 'This fake wants Prefer: IdType="ImmutableId".')
    }
    const key = mailbox.user.userPrincipalName
    const now = (running.get(key) ?? 0) + 1
    running.set(key, now)
    maxConcurrent = Math.max(maxConcurrent, now)
    try {
      if (now > SLOTS) {
        return graphError(429, 'ApplicationThrottled', 'Application is over its MailboxConcurrency limit.', {
          'retry-after': '1',
        })
      }
      await wait(3) // long enough that requests sent together are here together
      const { method, json, mime, bytes } = content
      const seenPath = url.pathname.slice(5) + url.search
      const early = intercept?.({ method, path: seenPath, ...(json === undefined ? {} : { body: json }) })
      if (early) return early
      const path = parts.slice(isMe ? 1 : 2)
      if (method === 'GET') return answerMail(lagged(mailbox, path), path, url)
      return answerChange(mailbox, changes, {
        method,
        path,
        url,
        json: (json ?? {}) as Record<string, unknown>,
        ...(mime === undefined ? {} : { mime }),
        bytes,
      })
    } finally {
      running.set(key, (running.get(key) ?? 1) - 1)
    }
  }

  /** A read right after sending may still show the draft. */
  const lagged = (mailbox: FakeMailbox, path: readonly string[]): FakeMailbox => {
    const old = path[0] === 'messages' ? changes.lagging.get(path[1] ?? '') : undefined
    if (!old || old.left === 0) return mailbox
    old.left -= 1
    return {
      ...mailbox,
      messages: mailbox.messages.map((one) => (one.id === old.message.id ? old.message : one)),
    }
  }

  const answer = async (request: IncomingMessage, body: string, base: string): Promise<GraphReply> => {
    const url = new URL(request.url ?? '/', base)
    const [, tenant] = /^\/([^/]+)\/oauth2\/v2\.0\/token$/.exec(url.pathname) ?? []
    if (tenant !== undefined) {
      const reply = tokens.answer(decodeURIComponent(tenant), new URLSearchParams(body))
      return { status: reply.status, body: reply.body as object }
    }
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
    )
    const method = request.method ?? 'GET'
    const path = url.pathname.replace(/^\/v1\.0/, '') + url.search
    const isSource = headers['content-type'] === 'text/plain'
    const json: unknown = body === '' || isSource ? undefined : JSON.parse(body)
    seen.push({ method, path, ...(json === undefined ? {} : { body: json }) })
    judge(method, path, headers, isSource ? body : json)
    const owner = tokens.bearer((headers['authorization'] ?? '').replace(/^Bearer /, ''))
    if (owner === null) return graphError(401, 'InvalidAuthenticationToken', 'Access token has expired.')
    if (!path.startsWith('/$batch')) {
      const bytes = Buffer.byteLength(body)
      return run(owner, url, headers, { method, json, bytes, ...(isSource ? { mime: body } : {}) })
    }
    const early = intercept?.({ method, path })
    if (early) return early
    const { requests } = json as {
      requests: {
        id: string
        method: string
        url: string
        body?: unknown
        headers?: Record<string, string>
      }[]
    }
    const responses = await Promise.all(
      requests.map(async (step) => {
        const reply = await run(owner, new URL(`${base}/v1.0${step.url}`), lowerCased(step.headers ?? {}), {
          method: step.method,
          json: step.body,
          bytes: 0,
        })
        return { id: step.id, status: reply.status, headers: reply.headers ?? {}, body: reply.body }
      }),
    )
    return { status: 200, body: { responses: responses.toReversed() } } // in any order, as the real ones come
  }

  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      void answer(request, Buffer.concat(chunks).toString('utf8'), base).then(({ status, headers, body }) => {
        const path = (request.url ?? '').replace(/^\/v1\.0/, '')
        if (loses?.({ method: request.method ?? 'GET', path })) {
          loses = null
          return void response.destroy()
        }
        const text = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body)
        const length = Buffer.isBuffer(text) ? { 'content-length': String(text.length) } : {}
        response.writeHead(status, { 'content-type': 'application/json', ...length, ...headers }).end(text)
      })
    })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url: base,
    endpoints: {
      authorizeUrl: `${base}/{tenant}/oauth2/v2.0/authorize`,
      tokenUrl: `${base}/{tenant}/oauth2/v2.0/token`,
      adminConsentUrl: `${base}/{tenant}/adminconsent`,
      graphUrl: base,
    },
    tokens,
    mailboxes,
    shared,
    behaviour,
    uploads,
    sent: changes.sent,
    loseAnswerOf: (next) => {
      loses = next
    },
    seen,
    violations,
    knownCount: () => known,
    maxConcurrent: () => maxConcurrent,
    intercept: (next) => {
      intercept = next
    },
    async stop() {
      violations.push(...uploads.violations)
      await uploads.stop()
      await new Promise<void>((done) => {
        server.close(() => done())
        server.closeAllConnections()
      })
    },
  }
}

function lowerCased(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}
