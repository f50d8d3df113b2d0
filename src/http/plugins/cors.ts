import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { ApplicationId } from '../../contract/ids.ts'
import type { BrowserOriginService } from '../../core/ports/services.ts'

/** Routes of the browser library (contract/auth.md 4.6), and `/v3/grants/me` with all below it. */
const PATHS: ReadonlySet<string> = new Set([
  '/v3/connect/token',
  '/v3/connect/tokeninfo',
  '/v3/connect/revoke',
  '/v3/grants/me',
])

const METHODS = 'GET, POST, PUT, PATCH, DELETE'
/** The last two are of the browser library (@nylas/connect 1.2.5, seen in its requests 2026-11). */
const REQUEST_HEADERS =
  'Authorization, Content-Type, Accept, Idempotency-Key, X-Nylas-API-Wrapper, X-Nylas-Connect, X-Nylas-Application-Public-Id'
const RESPONSE_HEADERS = 'X-Request-Id, Retry-After'
/** How long a browser remembers a preflight, in seconds. */
const MAX_AGE = '600'

const concerned = new WeakMap<FastifyRequest, ApplicationId>()

/** Notes whose request this is, once that is known: then only that application's origins may read the answer. */
export function noteApplication(request: FastifyRequest, applicationId: ApplicationId): void {
  concerned.set(request, applicationId)
}

/**
 * Lets pages of allowed origins call the routes of the browser library (Fetch standard, "CORS protocol"). Nothing here
 * goes by cookies, so no credentials mode: the origin decides who may read, the token who may act.
 *
 * A preflight carries no token, and some refusals are not any application's: there an origin that any application allows
 * will do, as neither tells anything.
 */
export function registerCors(app: FastifyInstance, origins: BrowserOriginService): void {
  app.addHook('onRequest', async (request, reply) => {
    const { origin } = request.headers
    if (origin === undefined || !isBrowserPath(request.url)) return undefined
    const isPreflight =
      request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined
    if (!isPreflight || !(await origins.allows(origin, null))) return undefined
    allow(reply, origin)
    // A body, since no answer of this API is without one.
    return reply
      .headers({
        'access-control-allow-methods': METHODS,
        'access-control-allow-headers': REQUEST_HEADERS,
        'access-control-max-age': MAX_AGE,
        'content-type': 'application/json',
      })
      .send(JSON.stringify({ request_id: request.id }))
  })

  app.addHook('onSend', async (request, reply) => {
    if (!isBrowserPath(request.url)) return
    addVary(reply)
    const { origin } = request.headers
    if (origin === undefined || reply.hasHeader('access-control-allow-origin')) return
    // An answer that is ready is not lost because the database has just gone away.
    const isAllowed = await origins.allows(origin, concerned.get(request) ?? null).catch(() => false)
    if (!isAllowed) return
    allow(reply, origin)
    void reply.header('access-control-expose-headers', RESPONSE_HEADERS)
  })
}

function allow(reply: FastifyReply, origin: string): void {
  // Only what equals a registered origin gets here, so nothing a caller made up is sent back.
  void reply.header('access-control-allow-origin', origin)
}

function addVary(reply: FastifyReply): void {
  const before = reply.getHeader('vary')
  void reply.header('vary', typeof before === 'string' && before !== '' ? `${before}, Origin` : 'Origin')
}

function isBrowserPath(url: string): boolean {
  const path = url.split('?', 1)[0]?.replaceAll(/\/{2,}/g, '/') ?? ''
  return PATHS.has(path) || path.startsWith('/v3/grants/me/')
}
