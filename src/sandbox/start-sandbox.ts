import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { sleep } from '../kit/deadline.ts'
import { type SandboxControl, controlEndpoint, createControl } from './control.ts'
import { json, notFound, throttled } from './reply.ts'
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
  readonly body: string
}

export interface Sandbox {
  readonly url: string
  /** The sandbox's addresses by the names of the `GRANTWAY_GOOGLE_*` variables. */
  readonly endpoints: { readonly [variable: string]: string }
  readonly control: SandboxControl
  stop(): Promise<void>
}

const BODY_LIMIT = 8 * 1024 * 1024

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
  const request = await readRequest(incoming)
  const { pathname } = request.url
  if (pathname.startsWith('/sandbox/')) {
    return write(
      outgoing,
      controlEndpoint(state, control, request) ?? json({ error: 'no such control' }, 404),
    )
  }
  onRequest?.({ method: request.method, url: request.url.href, headers: request.headers, body: request.body })
  const target: FailTarget = pathname === '/token' ? 'token' : 'api'
  const failure = takeFailure(state, target)
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

async function readRequest(incoming: IncomingMessage): Promise<SandboxRequest> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of incoming) {
    const bytes = Buffer.from(chunk)
    size += bytes.length
    if (size > BODY_LIMIT) throw new Error('the request is too large for the sandbox')
    chunks.push(bytes)
  }
  const headers: { [name: string]: string } = {}
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return {
    method: incoming.method ?? 'GET',
    url: new URL(incoming.url ?? '/', `http://${headers['host'] ?? '127.0.0.1'}`),
    headers,
    body: Buffer.concat(chunks).toString('utf8'),
  }
}

function write(outgoing: ServerResponse, reply: SandboxReply): void {
  outgoing.writeHead(reply.status, reply.headers)
  outgoing.end(reply.body)
}
