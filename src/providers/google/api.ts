import type { GrantSession } from '../../core/ports/grant-session.ts'
import type { Clock } from '../../kit/clock.ts'
import { sleep } from '../../kit/deadline.ts'
import { isJsonObject, type JsonObject } from '../../kit/json.ts'
import {
  type HttpClient,
  type HttpRequest,
  type HttpResponse,
  jsonOf,
  retryAfterSeconds,
  type StreamedResponse,
} from '../../kit/outbound/http-client.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import type { Secret } from '../../kit/secret.ts'
import { googleApiError } from './errors.ts'
import { unitsOf } from './quota-units.ts'
import type { UnitBudget } from './unit-budget.ts'

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly url: string
  readonly headers?: { readonly [name: string]: string }
  readonly body?: string | Uint8Array
  readonly maxBytes?: number
  /** Gmail's quota units, where the address does not tell them: those of a batch's parts */
  readonly units?: number
  /** False for what must not be carried out twice: it is tried again after a 401 alone. Default true. */
  readonly isRepeatable?: boolean
  /** For the whole call; default 30 s. */
  readonly timeoutMs?: number
}

/** Google's APIs for one operation of one grant. */
export interface GoogleApi {
  readonly clock: Clock
  readonly signal: AbortSignal
  /**
   * Sends a request. A 401 is tried once more with another token, a 5xx twice, a short throttle once.
   * @returns a 2xx answer
   * @throws ProviderError by the table of errors.ts
   */
  send(request: ApiRequest): Promise<HttpResponse>
  /** Sends a GET and reads a JSON object. @throws ProviderError, `malformed-response` for anything else */
  getJson(url: string, maxBytes?: number): Promise<JsonObject>
  /** Sends a GET and hands on the body of a 2xx answer as it comes in. @throws ProviderError as `send` */
  open(url: string, maxBytes: number): Promise<StreamedResponse>
  /** Takes another token after a refusal inside a batch. @throws ProviderError when that was done before */
  renewToken(refusal: ProviderError): Promise<void>
  /** Notes a throttle inside a batch, so that nobody of this grant asks before it has passed. */
  noteThrottle(refusal: ProviderError): void
}

const CALL_TIMEOUT_MS = 30_000
/** A stalled download is ended by whoever reads it. */
const STREAM_TIMEOUT_MS = 30 * 60_000
const JSON_MAX_BYTES = 48 * 1024 * 1024
const ERROR_MAX_BYTES = 64 * 1024
/** Waits before the second and third try of a read that got a 5xx. */
const BACKOFF_MS: readonly number[] = [150, 450]
/** How long Google's throttles last where they do not say. */
const THROTTLE_SECONDS = 1
/** A throttle that is longer is passed on to the client. */
const LONGEST_THROTTLE_SECONDS = 2

/** Opens the APIs for one operation; it shares the session's deadline. */
export function openApi(
  deps: { readonly http: HttpClient; readonly clock: Clock; readonly budget?: UnitBudget },
  session: GrantSession,
): GoogleApi {
  const { http, clock, budget } = deps
  const startedMs = clock.nowMs()
  let token: Secret | undefined
  let renewed = false

  const prepare = async (request: ApiRequest): Promise<HttpRequest> => {
    token ??= await session.accessToken()
    const gmailUnits = request.units ?? unitsOf(request.method, new URL(request.url).pathname)
    await budget?.take(session.grantId, gmailUnits, startedMs, session.signal)
    session.spend({ requests: 1, gmailUnits })
    return {
      method: request.method,
      url: request.url,
      headers: { accept: 'application/json', ...request.headers, authorization: `Bearer ${token.open()}` },
      ...(request.body === undefined ? {} : { body: request.body }),
      signal: session.signal,
      timeoutMs: request.timeoutMs ?? CALL_TIMEOUT_MS,
      maxBytes: request.maxBytes ?? JSON_MAX_BYTES,
    }
  }
  const renewToken = async (refusal: ProviderError): Promise<void> => {
    if (renewed || !token) throw refusal
    renewed = true
    token = await session.replaceRejected(token)
  }
  const noteThrottle = ({ details }: ProviderError) =>
    budget?.pause(session.grantId, details.retryAfterSeconds ?? THROTTLE_SECONDS)

  /** Sends until there is a 2xx answer, or nothing more to try. */
  const repeat = async <T extends { readonly status: number }>(
    request: ApiRequest,
    call: (prepared: HttpRequest) => Promise<T>,
    wholeOf: (answer: T) => Promise<HttpResponse> | HttpResponse,
  ): Promise<T> => {
    for (let tries = 0; ; tries += 1) {
      const answer = await call(await prepare(request))
      if (answer.status >= 200 && answer.status < 300) return answer
      const error = errorOf(await wholeOf(answer), clock)
      if (error.kind === 'rate-limited') noteThrottle(error)
      const pauseMs = request.isRepeatable === false ? undefined : pauseAfter(error, tries)
      if (answer.status === 401) await renewToken(error)
      else if (pauseMs !== undefined) {
        await sleep(pauseMs, session.signal).catch(() => {
          throw error // the deadline came first: what the provider said is the better answer
        })
      } else throw error
    }
  }
  const send = (request: ApiRequest) =>
    repeat(
      request,
      (prepared) => http.request(prepared),
      (response) => response,
    )
  return {
    clock,
    signal: session.signal,
    send,
    renewToken,
    noteThrottle,
    async getJson(url, maxBytes) {
      const response = await send({ method: 'GET', url, ...(maxBytes === undefined ? {} : { maxBytes }) })
      return readObject(response)
    },
    open: (url, maxBytes) =>
      repeat(
        { method: 'GET', url, maxBytes, timeoutMs: STREAM_TIMEOUT_MS },
        (prepared) => http.stream(prepared),
        readWhole,
      ),
  }
}

/** How long to wait before the next try; undefined: there is none. */
function pauseAfter(error: ProviderError, tries: number): number | undefined {
  const asked = error.details.retryAfterSeconds
  if (error.kind === 'unavailable') return asked === undefined ? BACKOFF_MS[tries] : undefined
  if (error.kind !== 'rate-limited' || tries > 0) return undefined
  const seconds = asked ?? THROTTLE_SECONDS
  return seconds <= LONGEST_THROTTLE_SECONDS ? seconds * 1000 : undefined
}

/** Reads an error answer that came as a stream: its beginning, which is all that is judged. */
async function readWhole({ status, headers, body }: StreamedResponse): Promise<HttpResponse> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of body) {
    const bytes = Buffer.from(chunk)
    chunks.push(bytes)
    sizeBytes += bytes.length
    if (sizeBytes > ERROR_MAX_BYTES) break
  }
  return { status, headers, body: Buffer.concat(chunks) }
}

/** Reads a 2xx answer as a JSON object. @throws ProviderError `malformed-response` */
export function readObject(response: HttpResponse): JsonObject {
  const body = jsonOf(response)
  if (isJsonObject(body)) return body
  throw new ProviderError('malformed-response', 'Google answered something that is not its JSON.', {
    httpStatus: response.status,
    answered: true,
  })
}

/** Makes the error of a whole answer. */
export function errorOf(response: HttpResponse, clock: Clock): ProviderError {
  return googleApiError({
    status: response.status,
    text: response.body.toString('utf8'),
    retryAfterSeconds: retryAfterSeconds(response, clock.nowMs()),
    nowMs: clock.nowMs(),
  })
}
