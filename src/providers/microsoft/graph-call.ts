import type { Clock } from '../../kit/clock.ts'
import { isJsonObject, type JsonObject } from '../../kit/json.ts'
import {
  type HttpClient,
  type HttpRequest,
  type HttpResponse,
  type StreamedResponse,
  jsonOf,
  retryAfterSeconds,
} from '../../kit/outbound/http-client.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import type { Secret } from '../../kit/secret.ts'
import { graphBase, type MicrosoftEndpoints } from './endpoints.ts'
import { graphErrorOfText } from './errors.ts'
import type { MailboxSlots } from './mailbox-slots.ts'
import type { WellKnownFolders } from './well-known-folders.ts'

/** What createMicrosoft is given. */
export interface MicrosoftDeps {
  readonly endpoints: MicrosoftEndpoints
  readonly http: HttpClient
  readonly clock: Clock
  /**
   * For upload addresses that Graph hands out on hosts of its own choice: behind the egress guard. Absent: only
   * addresses at Graph's own origin are used.
   */
  readonly uploads?: HttpClient
}

/** What every call of Graph needs. */
export interface GraphDeps extends MicrosoftDeps {
  readonly slots: MailboxSlots
  readonly wellKnown: WellKnownFolders
}

export type QueryParameters = readonly (readonly [name: string, value: string])[]

export interface GraphRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** below `/v1.0`, its parts encoded */
  readonly path: string
  readonly query?: QueryParameters
  readonly body?: JsonObject
  /** Instead of `body`: an RFC 5322 source in base64. */
  readonly mime?: string
  readonly maxBytes?: number
  /** Default 30 s. */
  readonly timeoutMs?: number
  /** How many of the mailbox's slots it takes; a batch takes one per step. */
  readonly slots?: number
}

export interface GraphCaller {
  readonly token: Secret
  /** Whose budget of concurrent requests this counts against. */
  readonly mailbox: string
  readonly signal: AbortSignal
}

const CALL_TIMEOUT_MS = 30_000
const JSON_MAX_BYTES = 64 * 1024 * 1024

/**
 * Asked of every request, also of each step of a batch: ids that survive a move (the two kinds must never mix),
 * and bodies as HTML (learn.microsoft.com/graph/outlook-immutable-id, checked 2026-11).
 */
export const PREFER = 'IdType="ImmutableId", outlook.body-content-type="html"'

/** Sends one request, inside the mailbox's slots. @returns whatever came, also an error answer */
export function callGraph(
  deps: GraphDeps,
  caller: GraphCaller,
  request: GraphRequest,
): Promise<HttpResponse> {
  return deps.slots.run(caller.mailbox, request.slots ?? 1, caller.signal, () =>
    deps.http.request(httpRequestOf(deps, caller, request)),
  )
}

/**
 * Sends one request and hands the answer on while it comes in. Its slot stays taken until the body has ended or was
 * destroyed: Graph counts requests until then.
 */
export function streamGraph(
  deps: GraphDeps,
  caller: GraphCaller,
  request: GraphRequest,
): Promise<StreamedResponse> {
  return new Promise((resolve, reject) => {
    deps.slots
      .run(caller.mailbox, 1, caller.signal, async () => {
        const answer = await deps.http.stream(httpRequestOf(deps, caller, request))
        const ended = new Promise<void>((done) => answer.body.once('close', done))
        resolve(answer)
        await ended
      })
      .catch(reject)
  })
}

function httpRequestOf(deps: GraphDeps, caller: GraphCaller, request: GraphRequest): HttpRequest {
  const { body, mime } = request
  const content = body ? JSON.stringify(body) : mime
  return {
    method: request.method,
    url: `${graphBase(deps.endpoints)}${request.path}${queryText(request.query)}`,
    headers: {
      accept: 'application/json',
      prefer: PREFER,
      authorization: `Bearer ${caller.token.open()}`,
      ...(content === undefined ? {} : { 'content-type': body ? 'application/json' : 'text/plain' }),
    },
    ...(content === undefined ? {} : { body: content }),
    signal: caller.signal,
    timeoutMs: request.timeoutMs ?? CALL_TIMEOUT_MS,
    maxBytes: request.maxBytes ?? JSON_MAX_BYTES,
  }
}

/** Writes a query string. OData names keep their `$`; a space is `%20`, since `+` is a plus sign to some servers. */
export function queryText(query: QueryParameters = []): string {
  if (query.length === 0) return ''
  return `?${query.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&')}`
}

/** Reads a 2xx answer as a JSON object. @throws ProviderError `malformed-response` */
export function readObject(response: HttpResponse): JsonObject {
  const body = jsonOf(response)
  if (isJsonObject(body)) return body
  throw new ProviderError('malformed-response', 'Microsoft answered something that is not its JSON.', {
    httpStatus: response.status,
    answered: true,
  })
}

/** Makes the error of a whole answer. */
export function errorOf(response: HttpResponse, clock: Clock): ProviderError {
  return graphErrorOfText(
    response.status,
    response.body.toString('utf8'),
    retryAfterSeconds(response, clock.nowMs()),
  )
}

/** Tells whether an answer is a success. */
export function isSuccess(response: HttpResponse): boolean {
  return response.status >= 200 && response.status < 300
}

/** @throws ProviderError `malformed-response` */
export function throwWithoutId(what: string): never {
  throw new ProviderError('malformed-response', `Microsoft answered ${what} without an id.`, {
    answered: true,
  })
}
