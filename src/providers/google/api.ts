import type { GrantSession } from '../../core/ports/grant-session.ts'
import type { Clock } from '../../kit/clock.ts'
import { sleep } from '../../kit/deadline.ts'
import { isJsonObject, type JsonObject } from '../../kit/json.ts'
import {
  type HttpClient,
  type HttpResponse,
  jsonOf,
  retryAfterSeconds,
} from '../../kit/outbound/http-client.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import type { Secret } from '../../kit/secret.ts'
import { googleApiError } from './errors.ts'

export interface ApiRequest {
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly headers?: { readonly [name: string]: string }
  readonly body?: string
  readonly maxBytes?: number
}

/** Google's APIs for one operation of one grant. */
export interface GoogleApi {
  readonly clock: Clock
  readonly signal: AbortSignal
  /**
   * Sends an idempotent request. A 401 is tried once more with another token, a 5xx twice.
   * @returns a 2xx answer
   * @throws ProviderError by the table of errors.ts
   */
  send(request: ApiRequest): Promise<HttpResponse>
  /** Sends a GET and reads a JSON object. @throws ProviderError, `malformed-response` for anything else */
  getJson(url: string, maxBytes?: number): Promise<JsonObject>
  /** Takes another token after a refusal inside a batch. @throws ProviderError when that was done before */
  renewToken(refusal: ProviderError): Promise<void>
}

const CALL_TIMEOUT_MS = 30_000
const JSON_MAX_BYTES = 48 * 1024 * 1024
/** Waits before the second and third try of a read that got a 5xx. */
const BACKOFF_MS: readonly number[] = [150, 450]

/** Opens the APIs for one operation; it shares the session's deadline. */
export function openApi(
  deps: { readonly http: HttpClient; readonly clock: Clock },
  session: GrantSession,
): GoogleApi {
  const { http, clock } = deps
  let token: Secret | undefined
  let renewed = false

  const once = async (request: ApiRequest): Promise<HttpResponse> => {
    token ??= await session.accessToken()
    return http.request({
      method: request.method,
      url: request.url,
      headers: { accept: 'application/json', ...request.headers, authorization: `Bearer ${token.open()}` },
      ...(request.body === undefined ? {} : { body: request.body }),
      signal: session.signal,
      timeoutMs: CALL_TIMEOUT_MS,
      maxBytes: request.maxBytes ?? JSON_MAX_BYTES,
    })
  }
  const renewToken = async (refusal: ProviderError): Promise<void> => {
    if (renewed || !token) throw refusal
    renewed = true
    token = await session.replaceRejected(token)
  }
  const send = async (request: ApiRequest): Promise<HttpResponse> => {
    for (let tries = 0; ; tries += 1) {
      const response = await once(request)
      if (response.status >= 200 && response.status < 300) return response
      const error = errorOf(response, clock)
      const pauseMs = BACKOFF_MS[tries]
      if (response.status === 401) await renewToken(error)
      else if (
        error.kind === 'unavailable' &&
        error.details.retryAfterSeconds === undefined &&
        pauseMs !== undefined
      ) {
        await sleep(pauseMs, session.signal).catch(() => {
          throw error // the deadline came first: what the provider said is the better answer
        })
      } else throw error
    }
  }
  return {
    clock,
    signal: session.signal,
    send,
    renewToken,
    async getJson(url, maxBytes) {
      const response = await send({ method: 'GET', url, ...(maxBytes === undefined ? {} : { maxBytes }) })
      return readObject(response)
    },
  }
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
