import { isIP } from 'node:net'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { TSchema } from 'typebox'
import type { GrantRecord } from '../../core/ports/records.ts'
import type { Caller, ProviderUsage } from '../../core/ports/services.ts'
import type { HttpDeps } from '../deps.ts'
import type { RawQuery } from '../query/coerce-query.ts'
import { readMessageBody } from '../query/message-body.ts'
import { readBody, readQuery } from '../query/validators.ts'
import { type Answer, AnswerInBytes, AnswerWithStatus, ByteAnswer, Bytes, type Route } from '../route.ts'
import { authenticate } from './auth.ts'
import { noteApplication } from './cors.ts'
import { underDeadline } from './deadline.ts'
import { locateGrant, nameSharedMailbox } from './grant-locator.ts'
import { limitAddress, limitCaller } from './rate-limit.ts'
import type { StreamedBody } from './stream-bodies.ts'
import { applySelect, readSelect } from './select.ts'

const MAX_USER_AGENT = 512
/** These take bodies of anybody. */
const OAUTH_BODY_LIMIT_BYTES = 64 * 1024
/** SDKs give up after 90 s: an answer of ours must come before. */
const REQUEST_TIMEOUT_MS = 80_000

/** What the hooks of a route found out before its handler runs. */
interface Found {
  readonly caller: Caller | null
  readonly grant: GrantRecord | null
}

/**
 * Registers a route: who calls, and whether it is one too many, is settled before the body is read, the grant of the
 * path is found, query and body are checked, and only declared fields are answered.
 */
export function serveRoute(app: FastifyInstance, deps: HttpDeps, route: Route): void {
  const found = new WeakMap<FastifyRequest, Found>()
  const status = route.status ?? 200
  const timeoutMs = deps.requestTimeoutMs ?? route.timeoutMs ?? REQUEST_TIMEOUT_MS
  app.route({
    method: route.method,
    url: route.url,
    ...(route.oauth === true ? { bodyLimit: OAUTH_BODY_LIMIT_BYTES } : {}),
    schema: { response: answerSchemas(route, status) },
    onRequest: async (request, reply) => {
      // RFC 6749 section 5.1: tokens are nothing for a cache.
      if (route.oauth === true) void reply.headers({ 'cache-control': 'no-store', pragma: 'no-cache' })
      await limitAddress(deps.services.limits, route, clientOf(request).ip)
      const known = await findCaller(deps, route, request)
      await limitCaller(deps.services.limits, route, known, isForm(request))
      found.set(request, known)
    },
    handler: async (request: FastifyRequest, reply: FastifyReply) => {
      const { caller, grant } = found.get(request) ?? { caller: null, grant: null }
      const query = await nameSharedMailbox(
        deps.services.grants,
        caller,
        readQuery(route.query, request.query as RawQuery, route.invalidInput),
      )
      const body = route.body ? readBody(route.body, request.body, route.invalidInput) : {}
      const usage: ProviderUsage = { requests: 0, gmailUnits: 0 }
      const answered = await underDeadline(reply, timeoutMs, (signal) =>
        route.handle(
          {
            // The boundary of the schemas: from here on these have the types the route declared.
            params: request.params as Record<string, never>,
            query: query as Record<string, never>,
            body: body as TSchema,
            message: readMessageBody(route.messageBody ? request.body : undefined),
            idempotencyKey: idempotencyKeyOf(request),
            streamed: route.streams ? (request.body as StreamedBody | undefined) : undefined,
            context: { requestId: request.id, signal, usage },
            services: deps.services,
            server: deps,
            client: clientOf(request),
            authorization: request.headers.authorization ?? null,
            concerns: (applicationId) => noteApplication(request, applicationId),
          },
          caller,
          grant,
        ),
      ).finally(() => noteUsage(reply, usage))
      if (answered instanceof ByteAnswer) return sendBytes(reply, answered)
      const hasStatus = answered instanceof AnswerWithStatus
      const isInBytes = answered instanceof AnswerInBytes
      const answer = hasStatus || isInBytes ? answered.answer : answered
      const select = selectOf(route, query)
      const selected = select ? { ...answer, data: applySelect(answer['data'], select) } : answer
      const whole = { request_id: request.id, ...selected }
      if (isInBytes) return sendInBytes(reply, status, whole)
      return reply.code(hasStatus ? answered.status : status).send(whole)
    },
  })
}

function isForm(request: FastifyRequest): boolean {
  return /^multipart\/form-data\b/i.test(request.headers['content-type'] ?? '')
}

function idempotencyKeyOf(request: FastifyRequest): string | undefined {
  const key = [request.headers['idempotency-key'] ?? ''].flat().join(', ')
  return key === '' ? undefined : key
}

/** Tells what the request has cost at the provider, where it has asked one (contract/email.md 1.1). */
function noteUsage(reply: FastifyReply, { requests, gmailUnits }: ProviderUsage): void {
  if (requests > 0) void reply.header('nylas-provider-request-count', requests)
  if (gmailUnits > 0) void reply.header('nylas-gmail-quota-usage', gmailUnits)
}

/** Writes by the declared serializer. It escapes ASCII only, so each byte stays what it was. */
function sendInBytes(reply: FastifyReply, status: number, answer: Answer): FastifyReply {
  const json = Buffer.from(String(reply.serializeInput(answer, String(status))), 'latin1')
  return reply.code(status).header('content-type', 'application/json').send(json)
}

function sendBytes(reply: FastifyReply, { status, headers, body }: ByteAnswer): FastifyReply {
  // The compressor takes any octet-stream for text (mime-db says so); that would cost the answer its length.
  reply.request.raw.headers['x-no-compression'] = 'true'
  return reply.code(status).headers(headers).send(body)
}

function answerSchemas(route: Route, status: number) {
  if (route.response === Bytes) return {}
  const schema = answerSchema(route)
  return route.alsoAccepts === true ? { [status]: schema, 202: schema } : { [status]: schema }
}

async function findCaller(deps: HttpDeps, route: Route, request: FastifyRequest): Promise<Found> {
  const { access } = route
  if (access.kind === 'public') return { caller: null, grant: null }
  const caller = await authenticate(deps.services, request, access.kind !== 'application')
  noteApplication(request, caller.applicationId)
  if (access.kind !== 'grant') return { caller, grant: null }
  const { grant_id } = request.params as { readonly grant_id: string }
  const grant = await locateGrant(deps.services.grants, caller, grant_id, access.capability)
  return { caller, grant }
}

/** Where `select` may leave fields out, none of them is required of the serializer. */
function answerSchema(route: Route): TSchema {
  const schema: TSchema & { properties?: Record<string, TSchema & { items?: TSchema }> } = route.response
  const data = schema.properties?.['data']
  if (!('select' in route.query.properties) || !data) return schema
  const relaxed = data.items ? { ...data, items: withoutRequired(data.items) } : withoutRequired(data)
  return { ...schema, properties: { ...schema.properties, data: relaxed } }
}

function withoutRequired(schema: TSchema): TSchema {
  const { $id: _named, ...unnamed }: TSchema & { $id?: string } = schema
  return { ...unnamed, required: [] }
}

function selectOf(route: Route, query: unknown): readonly string[] | undefined {
  const { select } = query as { readonly select?: string }
  return readSelect(select)
}

export function clientOf(request: FastifyRequest) {
  // A forwarded address is whatever a proxy passed on: only addresses are kept.
  const ip = isIP(request.ip) ? request.ip : (request.socket.remoteAddress ?? '')
  return { ip, userAgent: request.headers['user-agent']?.slice(0, MAX_USER_AGENT) ?? null }
}
