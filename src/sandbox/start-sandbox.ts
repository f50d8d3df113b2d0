import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { sleep } from '../kit/deadline.ts'
import { controlEndpoint } from './control-endpoint.ts'
import { type SandboxControl, createControl } from './control.ts'
import { json, notFound, overRate, overSendLimit, throttled, tooLarge } from './reply.ts'
import { route } from './route.ts'
import { seedUsers } from './seed/users.ts'
import { createState, type FailTarget, type SandboxState, takeFailure } from './state.ts'
import type { SandboxReply, SandboxRequest, SeedUser } from './types.ts'

/** A request as it came in, for those who look on. */
export interface SeenRequest {
  readonly method: string
  /** absolute, with the sandbox's own address */
  readonly url: string
  readonly headers: { readonly [name: string]: string }
  /** As UTF-8; empty where the bytes are those of an upload. */
  readonly body: string
  readonly bytes: Uint8Array
}

export interface Sandbox {
  readonly url: string
  /** The sandbox's addresses by the names of the `GRANTWAY_GOOGLE_*` variables. */
  readonly endpoints: { readonly [variable: string]: string }
  readonly control: SandboxControl
  stop(): Promise<void>
}

/** A source of 35 MB in base64, and room; what is longer is read to its end and refused. */
const BODY_LIMIT = 64 * 1024 * 1024

/**
 * Starts the sandbox.
 *
 * @param options  `port` 0 or absent: any free one; `seed`: other users than the built-in ones; `onRequest` sees
 *                 each request to Google's addresses before it is answered
 */
export async function startSandbox(options: {
  readonly port?: number
  readonly host: '127.0.0.1'
  readonly seed?: readonly SeedUser[]
  readonly onRequest?: (request: SeenRequest) => void
}): Promise<Sandbox> {
  const state = createState(options.seed ?? seedUsers())
  const control = createControl(state)
  const server = createServer((incoming, outgoing) => {
    handle(state, control, options.onRequest, incoming, outgoing).catch((error: unknown) => {
      if (outgoing.headersSent || outgoing.destroyed) outgoing.destroy()
      else write(outgoing, json({ error: error instanceof Error ? error.message : 'sandbox failure' }, 500))
    })
  })
  // Google keeps connections longer than Node does by itself; a busy client would find them closed.
  server.keepAliveTimeout = 65_000
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port ?? 0, options.host, resolve)
  })
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const url = `http://${options.host}:${port}`
  return {
    url,
    endpoints: endpointsOf(url),
    control,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function endpointsOf(url: string): { readonly [variable: string]: string } {
  return {
    GRANTWAY_GOOGLE_AUTHORIZE_URL: `${url}/o/oauth2/v2/auth`,
    GRANTWAY_GOOGLE_TOKEN_URL: `${url}/token`,
    GRANTWAY_GOOGLE_REVOKE_URL: `${url}/revoke`,
    GRANTWAY_GOOGLE_USERINFO_URL: `${url}/v1/userinfo`,
    GRANTWAY_GOOGLE_GMAIL_URL: url,
    GRANTWAY_GOOGLE_CALENDAR_URL: url,
    GRANTWAY_GOOGLE_PEOPLE_URL: url,
    GRANTWAY_GOOGLE_ADMIN_URL: url,
    GRANTWAY_GOOGLE_PUBSUB_URL: url,
  }
}

async function handle(
  state: SandboxState,
  control: SandboxControl,
  onRequest: ((request: SeenRequest) => void) | undefined,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const { isTooLarge, ...request } = await readRequest(incoming)
  const { pathname } = request.url
  if (pathname.startsWith('/sandbox/')) {
    return write(
      outgoing,
      controlEndpoint(state, control, request) ?? json({ error: 'no such control' }, 404),
    )
  }
  const { method, url, headers, body, bytes } = request
  onRequest?.({ method, url: url.href, headers, body, bytes })
  if (isTooLarge) return write(outgoing, tooLarge())
  const isSend = method === 'POST' && /\/(messages|drafts)\/send$/.test(pathname)
  const target: FailTarget = pathname === '/token' ? 'token' : 'api'
  const failure = (isSend ? takeFailure(state, 'send') : undefined) ?? takeFailure(state, target)
  switch (failure?.mode) {
    case '503':
      return write(
        outgoing,
        json(
          { error: { code: 503, message: 'The service is currently unavailable.', status: 'UNAVAILABLE' } },
          503,
        ),
      )
    case '404':
      return write(outgoing, notFound())
    case '403':
      return write(outgoing, overRate())
    case 'send-limit':
      return write(outgoing, overSendLimit(Date.now() + (failure.retryAfterSeconds ?? 3600) * 1000))
    case '429':
      return write(outgoing, throttled(failure.retryAfterSeconds))
    case 'html':
      return write(outgoing, {
        status: 200,
        headers: { 'content-type': 'text/html' },
        body: '<html><title>Sign in to the network</title></html>',
      })
    case 'drop-before':
      outgoing.destroy()
      return
    case 'drop-after':
      route(state, request)
      outgoing.destroy()
      return
    case 'slow':
      await sleep(failure.delayMs)
      break
    case undefined:
      break
  }
  write(outgoing, route(state, request))
}

async function readRequest(
  incoming: IncomingMessage,
): Promise<SandboxRequest & { readonly isTooLarge: boolean }> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of incoming) {
    const bytes = Buffer.from(chunk)
    size += bytes.length
    if (size <= BODY_LIMIT) chunks.push(bytes)
    else if (chunks.length > 0) chunks.splice(0)
  }
  const headers: { [name: string]: string } = {}
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value
  }
  const url = new URL(incoming.url ?? '/', `http://${headers['host'] ?? '127.0.0.1'}`)
  const bytes = Buffer.concat(chunks)
  const body = url.pathname.startsWith('/upload/') ? '' : bytes.toString('utf8')
  return { method: incoming.method ?? 'GET', url, headers, body, bytes, isTooLarge: size > BODY_LIMIT }
}

function write(outgoing: ServerResponse, reply: SandboxReply): void {
  outgoing.writeHead(reply.status, reply.headers)
  outgoing.end(reply.body)
}
