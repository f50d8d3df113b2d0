import type { LookupFunction } from 'node:net'
import { Readable } from 'node:stream'
import { callbackify } from 'node:util'
import { Agent, type Dispatcher } from 'undici'
import { ProviderError } from '../provider-error.ts'
import { type CallDeadline, callDeadline, patientDeadline, withDeadline } from '../deadline.ts'
import { parseJson } from '../json.ts'
import type { EgressGuard } from './egress-guard.ts'

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly url: string
  readonly headers?: { readonly [name: string]: string }
  readonly body?: string | Uint8Array
  /** The caller's signal; leave it out where a slow answer must not be hung up on. */
  readonly signal?: AbortSignal
  readonly timeoutMs: number
  /** An answer that came while this process was stopped counts, though the deadline has passed. */
  readonly outlastsPauses?: boolean
  /** Largest body that is read; a larger one is `malformed-response`. Default 64 MiB. */
  readonly maxBytes?: number
}

export interface HttpResponse {
  readonly status: number
  readonly headers: { readonly [name: string]: string }
  readonly body: Buffer
}

/** A whole answer but for its body, which comes as it is read. */
export interface StreamedResponse {
  readonly status: number
  readonly headers: { readonly [name: string]: string }
  /** Read it to its end or destroy it. Fails with a ProviderError. */
  readonly body: Readable
}

/** One way out for HTTP: pools per origin, a deadline per call, a limit on what is read, no redirects. */
export interface HttpClient {
  /**
   * Sends a request and reads the whole answer, whatever its status.
   * @throws ProviderError `timeout` or `unavailable`, with `answered: false` where the request may have been
   *         carried out; `malformed-response` for a body over the limit
   */
  request(request: HttpRequest): Promise<HttpResponse>
  /**
   * Sends a request and hands the body of the answer on as it comes in. `timeoutMs` holds until the body has ended;
   * `maxBytes` counts too.
   * @throws ProviderError as `request`
   */
  stream(request: HttpRequest): Promise<StreamedResponse>
  close(): Promise<void>
}

const DEFAULT_MAX_BYTES = 64 * 1024 * 1024

/** Failures that come before a byte of the request is sent: nothing can have been carried out. */
const UNSENT_CODES = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
  'EADDRNOTAVAIL',
  'UND_ERR_CONNECT_TIMEOUT',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_HAS_EXPIRED',
  'ERR_TLS_CERT_ALTNAME_INVALID',
])

/**
 * Makes a client.
 *
 * @param guard  given: hosts are user-supplied, each connection goes through the egress guard and must be
 *               https unless the guard allows the address; absent: operator-set endpoints, trusted
 */
export function createHttpClient(options: { readonly guard?: EgressGuard } = {}): HttpClient {
  const { guard } = options
  const agent = new Agent({
    keepAliveTimeout: 30_000,
    connections: 128,
    pipelining: 1,
    connect: guard ? { timeout: 10_000, lookup: checkedLookup(guard) } : { timeout: 10_000 },
    // Deadlines are per call; these only bound a socket nobody waits for any more.
    headersTimeout: 120_000,
    bodyTimeout: 120_000,
  })
  return {
    request: (request) => send(agent, guard, request),
    stream: (request) => openStream(agent, guard, request),
    close: () => agent.close(),
  }
}

async function send(
  agent: Agent,
  guard: EgressGuard | undefined,
  request: HttpRequest,
): Promise<HttpResponse> {
  const url = new URL(request.url)
  const deadline = request.outlastsPauses
    ? patientCallDeadline(request.signal, request.timeoutMs)
    : callDeadline(request.signal, request.timeoutMs)
  try {
    if (guard) await checkTarget(guard, url, deadline.signal)
    return await exchange(agent, url, request, deadline.signal)
  } catch (cause) {
    throw asProviderError(cause, url, request.signal)
  } finally {
    deadline.end()
  }
}

function patientCallDeadline(signal: AbortSignal | undefined, timeoutMs: number): CallDeadline {
  const patient = patientDeadline(timeoutMs)
  return { signal: signal ? AbortSignal.any([patient, signal]) : patient, end: () => undefined }
}

/** Dispatches, and collects the body as it comes: a stream for each answer costs more than the whole request. */
function exchange(agent: Agent, url: URL, request: HttpRequest, signal: AbortSignal): Promise<HttpResponse> {
  const { method, headers = {}, body = null, maxBytes = DEFAULT_MAX_BYTES } = request
  const parts: Buffer[] = []
  let sizeBytes = 0
  let status = 0
  let answered: Dispatcher.ResponseData['headers'] = {}
  return new Promise((resolve, reject) => {
    let running: Dispatcher.DispatchController | undefined
    const giveUp = () => {
      reject(reasonOf(signal))
      running?.abort(reasonOf(signal))
    }
    if (signal.aborted) return giveUp()
    signal.addEventListener('abort', giveUp, { once: true })
    const path = `${url.pathname}${url.search}`
    agent.dispatch(
      { origin: url.origin, path, method, headers, body },
      {
        onRequestStart(controller) {
          running = controller
          // It waited for a connection for too long: it is not sent.
          if (signal.aborted) controller.abort(reasonOf(signal))
        },
        onResponseStart(_controller, statusCode, found) {
          status = statusCode
          answered = found
        },
        onResponseData(controller, chunk) {
          sizeBytes += chunk.length
          if (sizeBytes > maxBytes) controller.abort(tooLarge(maxBytes, status))
          else parts.push(chunk)
        },
        onResponseEnd: () =>
          resolve({ status, headers: flatten(answered), body: Buffer.concat(parts, sizeBytes) }),
        onResponseError: (_controller, error) => reject(error),
      },
    )
  })
}

function reasonOf({ reason }: AbortSignal): Error {
  return reason instanceof Error ? reason : new DOMException('given up', 'AbortError')
}

async function openStream(
  agent: Agent,
  guard: EgressGuard | undefined,
  request: HttpRequest,
): Promise<StreamedResponse> {
  const url = new URL(request.url)
  const signal = withDeadline(request.signal, request.timeoutMs)
  try {
    if (guard) await checkTarget(guard, url, signal)
    const answer = await agent.request({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method: request.method,
      headers: request.headers ?? {},
      body: request.body ?? null,
      signal,
    })
    const { statusCode: status, headers, body } = answer
    // Counted in bytes: sixteen chunks ahead would be a megabyte for each reader.
    const content = Readable.from(chunksOf(body, url, request, status), { objectMode: false })
    body.on('error', () => undefined) // whoever reads hears of it through the generator
    // The generator doesn't end while it waits for the next chunk, or was never begun: the connection would stay taken.
    const endGenerator = content._destroy.bind(content)
    content._destroy = (error, done) => {
      body.destroy()
      endGenerator(error, done)
    }
    return { status, headers: flatten(headers), body: content }
  } catch (cause) {
    throw asProviderError(cause, url, request.signal)
  }
}

async function* chunksOf(
  body: AsyncIterable<Buffer>,
  url: URL,
  { maxBytes = DEFAULT_MAX_BYTES, signal }: HttpRequest,
  httpStatus: number,
): AsyncGenerator<Buffer> {
  let sizeBytes = 0
  try {
    for await (const chunk of body) {
      sizeBytes += chunk.length
      if (sizeBytes > maxBytes) throw tooLarge(maxBytes, httpStatus)
      yield chunk
    }
  } catch (cause) {
    throw asProviderError(cause, url, signal)
  }
}

/** Refuses before connecting: the port, the scheme, and literal addresses (which are never looked up). */
async function checkTarget(guard: EgressGuard, url: URL, signal: AbortSignal): Promise<void> {
  // Port 0 is no allowed port: plain http passes only inside the allowed networks.
  const port = url.protocol === 'https:' ? Number(url.port || 443) : 0
  await guard.resolve(url.hostname, port, 'https', signal)
}

/** Looks a name up through the guard at connect time, so that the address connected to is the checked one. */
function checkedLookup(guard: EgressGuard): LookupFunction {
  const resolve = callbackify((host: string) => guard.resolve(host, 443, 'https'))
  return (host, lookupOptions, done) => {
    resolve(host, (error, found) => {
      if (error) done(error, '', 0)
      else if (lookupOptions.all) done(null, [found])
      else done(null, found.address, found.family)
    })
  }
}

function tooLarge(maxBytes: number, httpStatus: number): ProviderError {
  return new ProviderError('malformed-response', `The provider's answer is over ${maxBytes} bytes.`, {
    answered: true,
    httpStatus,
    reason: 'answer_too_large',
  })
}

function flatten(headers: Dispatcher.ResponseData['headers']): { readonly [name: string]: string } {
  const flat: { [name: string]: string } = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return flat
}

function asProviderError(cause: unknown, url: URL, callerSignal: AbortSignal | undefined): ProviderError {
  const own = ownError(cause)
  if (own) return own
  const code = codeOf(cause)
  if (UNSENT_CODES.has(code)) {
    return new ProviderError('unavailable', `${url.host} could not be reached (${code}).`, { cause })
  }
  const aborted = cause instanceof Error && (cause.name === 'TimeoutError' || cause.name === 'AbortError')
  if (aborted || code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT') {
    const why = callerSignal?.aborted ? 'the request was given up' : 'no answer inside the deadline'
    return new ProviderError('timeout', `${url.host}: ${why}.`, { cause, answered: false })
  }
  return new ProviderError('unavailable', `The connection to ${url.host} broke (${code || 'no code'}).`, {
    cause,
    answered: false,
  })
}

/** Our own refusal may come wrapped by the connector. */
function ownError(error: unknown): ProviderError | undefined {
  if (error instanceof ProviderError) return error
  return error instanceof Error && error.cause !== undefined ? ownError(error.cause) : undefined
}

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return ''
  if ('code' in error && typeof error.code === 'string') return error.code
  if ('cause' in error) return codeOf(error.cause)
  return ''
}

/** Reads the body as JSON; `undefined` where it is none. */
export function jsonOf(response: HttpResponse): unknown {
  return parseJson(response.body.toString('utf8'))
}

/** Reads `Retry-After` as whole seconds, from seconds or a date (RFC 9110 section 10.2.3). */
export function retryAfterSeconds(response: HttpResponse, nowMs: number): number | undefined {
  const value = response.headers['retry-after']
  if (value === undefined) return undefined
  if (/^\d+$/.test(value.trim())) return Number(value)
  const at = Date.parse(value)
  return Number.isNaN(at) ? undefined : Math.max(0, Math.ceil((at - nowMs) / 1000))
}
