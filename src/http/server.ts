import compress from '@fastify/compress'
import fastify, { type FastifyInstance } from 'fastify'
import { appError } from '../contract/errors.ts'
import { randomIds } from '../kit/ids.ts'
import type { HttpDeps } from './deps.ts'
import { registerHostedPages } from './hosted/hosted-routes.ts'
import { openApiDocument } from './openapi.ts'
import { registerCors } from './plugins/cors.ts'
import { errorHandler, notFoundHandler } from './plugins/errors.ts'
import { registerFormBodies } from './plugins/form-bodies.ts'
import { clientErrorHandler, frameworkErrors, refuseExpectation } from './plugins/raw-errors.ts'
import { registerJsonBodies } from './plugins/json-bodies.ts'
import { registerMultipartBodies } from './plugins/multipart-bodies.ts'
import { answerWriters } from './plugins/answer-writers.ts'
import { registerMetrics } from './plugins/metrics.ts'
import { serveRoute } from './plugins/serve-route.ts'
import { streamBodies } from './plugins/stream-bodies.ts'
import { registerStartPage } from './plugins/start-page.ts'
import { refuseOtherMethods } from './plugins/wrong-method.ts'
import { parseQueryString } from './query/query-parser.ts'
import { allRoutes } from './routes/all.ts'
import { RESERVED_MESSAGE_IDS } from './routes/messages.ts'
import { registerTracking } from './routes/tracking.ts'

const RECEIVE_TIMEOUT_MS = 120_000
/** Longest Graph and Message-ID based ids, with room. */
const MAX_PARAM_LENGTH = 4096
/** Bodies under this many bytes are not worth compressing (contract/auth.md 1). */
const COMPRESS_FROM_BYTES = 200

/**
 * Makes the HTTP server, not listening. Everything it answers, whatever goes wrong, is JSON with content type
 * exactly `application/json` and a `request_id` (contract/auth.md section 0), but for the start page and metrics.
 */
export async function createHttpServer(deps: HttpDeps): Promise<FastifyInstance> {
  const app = fastify({
    logger: false,
    bodyLimit: deps.bodyLimitBytes,
    trustProxy: deps.trustedProxies.length > 0 ? [...deps.trustedProxies] : false,
    genReqId: () => randomIds.uuid(),
    requestIdHeader: false,
    exposeHeadRoutes: false,
    // Time to receive a request; Fastify would switch Node's own limit off.
    requestTimeout: RECEIVE_TIMEOUT_MS,
    // Fastify's own 503 while closing has another body; requests that made it here are served.
    return503OnClosing: false,
    // Node itself answers a missing Host with an empty body; this API never sends one.
    http: { requireHostHeader: false },
    routerOptions: {
      maxParamLength: MAX_PARAM_LENGTH,
      ignoreDuplicateSlashes: true,
      querystringParser: (text) => ({ ...parseQueryString(text) }),
    },
    schemaController: { compilersFactory: answerWriters },
    frameworkErrors,
    clientErrorHandler,
  })

  app.setErrorHandler(errorHandler(deps.logger))
  app.setNotFoundHandler(notFoundHandler)
  app.server.on('checkExpectation', refuseExpectation)
  registerJsonBodies(app)
  addAnswerHeaders(app)
  registerCors(app, deps.services.browserOrigins)
  endConnectionsOnClose(app)
  addRequestLog(app, deps)
  await app.register(compress, {
    global: true,
    encodings: ['gzip', 'identity'],
    threshold: COMPRESS_FROM_BYTES,
  })

  const served = new Map<string, Set<string>>()
  app.addHook('onRoute', ({ url, method }) => {
    const methods = served.get(url) ?? new Set()
    for (const each of [method].flat()) methods.add(each)
    served.set(url, methods)
  })

  await app.register(async (scope) => {
    const routes = allRoutes()
    for (const route of routes.filter(({ oauth }) => oauth !== true)) {
      const { streams, messageBody } = route
      if (messageBody) {
        await scope.register(async (forms) => {
          registerMultipartBodies(forms)
          serveRoute(forms, deps, route)
        })
        continue
      }
      if (!streams) {
        serveRoute(scope, deps, route)
        continue
      }
      await scope.register(async (streaming) => {
        streamBodies(streaming, streams)
        serveRoute(streaming, deps, route)
      })
    }
    await scope.register(async (forms) => {
      registerFormBodies(forms)
      for (const route of routes.filter(({ oauth }) => oauth === true)) serveRoute(forms, deps, route)
    })
    await scope.register(async (pages) => registerHostedPages(pages, deps))
    registerTracking(scope, deps)
    registerStartPage(scope, deps)
    if (deps.metrics) registerMetrics(scope, deps.metrics)
    registerOpenApi(scope, deps)
    const known = new Map([...served].map(([url, methods]) => [url, new Set(methods)]))
    refuseOtherMethods(scope, known)
    reserveMessageWords(scope, known)
  })
  return app
}

/** Once the server closes, each answer ends its connection: an idle one would hold the close up. */
function endConnectionsOnClose(app: FastifyInstance): void {
  let closes = false
  app.addHook('preClose', async () => {
    closes = true
  })
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (closes) reply.header('connection', 'close')
    done()
  })
}

/** Runs last before an answer leaves: Fastify appends a charset, and Ruby compares the header as a whole. */
function addAnswerHeaders(app: FastifyInstance): void {
  app.addHook('onSend', (request, reply, _payload, done) => {
    // The answer to a repeated request (Idempotency-Key) has the id of the first one.
    if (!reply.hasHeader('x-request-id')) void reply.header('x-request-id', request.id)
    const type = reply.getHeader('content-type')
    if (typeof type === 'string' && type.startsWith('application/json')) {
      void reply.header('content-type', 'application/json')
    }
    done()
  })
}

function addRequestLog(app: FastifyInstance, { logger, metrics }: HttpDeps): void {
  app.addHook('onResponse', (request, reply, done) => {
    const answered = {
      method: request.method,
      route: request.routeOptions.url ?? 'unknown',
      status: reply.statusCode,
      durationMs: Math.round(reply.elapsedTime),
    }
    metrics?.observe?.(answered)
    logger.info({ requestId: request.id, ...answered }, 'request')
    done()
  })
}

function registerOpenApi(app: FastifyInstance, { version, publicUrl }: HttpDeps): void {
  let text: string | undefined
  app.get('/openapi.json', (_request, reply) => {
    text ??= JSON.stringify(openApiDocument({ version, ...(publicUrl ? { serverUrl: publicUrl } : {}) }))
    return reply.header('content-type', 'application/json').send(text)
  })
}

/** `messages/send` and the like are no message ids: until their routes exist, they are unknown routes. */
function reserveMessageWords(app: FastifyInstance, known: ReadonlyMap<string, unknown>): void {
  for (const word of RESERVED_MESSAGE_IDS) {
    const url = `/v3/grants/:grant_id/messages/${word}`
    if (known.has(url)) continue
    app.all(url, {
      onRequest: async () => {
        throw appError('api.not_found_error')
      },
      handler: () => undefined,
    })
  }
}
