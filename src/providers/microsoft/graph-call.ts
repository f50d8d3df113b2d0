import type { Clock } from '../../kit/clock.ts'
import { isJsonObject, type JsonObject } from '../../kit/json.ts'
import {
  type HttpClient,
  type HttpResponse,
  jsonOf,
  retryAfterSeconds,
} from '../../kit/outbound/http-client.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import type { Secret } from '../../kit/secret.ts'
import { graphBase, type MicrosoftEndpoints } from './endpoints.ts'
import { graphErrorOfText } from './errors.ts'
import type { MailboxSlots } from './mailbox-slots.ts'

/** What createMicrosoft is given. */
export interface MicrosoftDeps {
  readonly endpoints: MicrosoftEndpoints
  readonly http: HttpClient
  readonly clock: Clock
}

/** What every call of Graph needs. */
export interface GraphDeps extends MicrosoftDeps {
  readonly slots: MailboxSlots
}

export type QueryParameters = readonly (readonly [name: string, value: string])[]

export interface GraphRequest {
  readonly method: 'GET' | 'POST'
  /** below `/v1.0`, its parts encoded */
  readonly path: string
  readonly query?: QueryParameters
  readonly body?: JsonObject
  readonly maxBytes?: number
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
    deps.http.request({
      method: request.method,
      url: `${graphBase(deps.endpoints)}${request.path}${queryText(request.query)}`,
      headers: {
        accept: 'application/json',
        prefer: PREFER,
        authorization: `Bearer ${caller.token.open()}`,
        ...(request.body ? { 'content-type': 'application/json' } : {}),
      },
      ...(request.body ? { body: JSON.stringify(request.body) } : {}),
      signal: caller.signal,
      timeoutMs: CALL_TIMEOUT_MS,
      maxBytes: request.maxBytes ?? JSON_MAX_BYTES,
    }),
  )
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
