import type { GrantSession } from '../../core/ports/grant-session.ts'
import { sleep } from '../../kit/deadline.ts'
import type { JsonObject } from '../../kit/json.ts'
import type { HttpResponse, StreamedResponse } from '../../kit/outbound/http-client.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import type { Secret } from '../../kit/secret.ts'
import { type BatchStep, runBatch } from './batch.ts'
import { graphErrorOfText } from './errors.ts'
import {
  callGraph,
  errorOf,
  type GraphDeps,
  type GraphRequest,
  isSuccess,
  type QueryParameters,
  queryText,
  readObject,
  streamGraph,
} from './graph-call.ts'
import { type ListAnswer, readListAnswer } from './list-answer.ts'
import { mailboxOf } from './mailbox.ts'

/**
 * When a request may be sent again. `always`: carried out twice it does no harm. `refused`: only after an answer
 * that says it was not carried out (401, 429).
 */
export type Repeatable = 'always' | 'refused'

/** Graph for one operation of one grant, on one mailbox. */
export interface GraphApi {
  /** Path of the mailbox: `/me` or `/users/{address}`. */
  readonly root: string
  /** Names the mailbox. */
  readonly mailbox: string
  /** Reads a JSON object. @throws ProviderError by the table of errors.ts, `malformed-response` */
  getJson(path: string, query?: QueryParameters): Promise<JsonObject>
  /** Reads a list, its strings in bytes where that is as good: for callers that heed the form. */
  getList(path: string, query: QueryParameters): Promise<ListAnswer>
  /** Reads bytes (`…/$value`). */
  getBytes(path: string): Promise<Buffer>
  /** Reads bytes as they come. The body is read to its end or destroyed: until then it takes a slot. */
  open(path: string): Promise<StreamedResponse>
  /** Changes something. @throws ProviderError by the table of errors.ts */
  change(request: GraphRequest, repeatable: Repeatable): Promise<HttpResponse>
  /** Changes something that Graph answers with an object. */
  changeJson(request: GraphRequest, repeatable: Repeatable): Promise<JsonObject>
  /**
   * Reads several objects in as few calls as the mailbox's slots allow.
   * @returns in the order asked; null where the object is absent or not for this grant
   */
  getEach(paths: readonly string[], query: QueryParameters): Promise<readonly (JsonObject | null)[]>
  /**
   * Runs steps that may be repeated, in as few calls as the mailbox's slots allow; each may fail alone.
   * @returns what became of each, in order: its body (empty where it has none), or its error
   */
  runEach(steps: readonly BatchStep[]): Promise<readonly (JsonObject | ProviderError)[]>
}

/** Waits before the second and third try of a request that got a 5xx or a broken connection. */
const BACKOFF_MS: readonly number[] = [150, 450]
/** The longest `Retry-After` that is waited for; a longer one is passed on. */
const LONGEST_WAIT_SECONDS = 10
/** A large attachment over a slow line; the session's own deadline is mostly shorter. */
const STREAM_TIMEOUT_MS = 600_000
/** Exchange Online takes files of up to 150 MB, and their source is a third larger. */
const STREAM_MAX_BYTES = 256 * 1024 * 1024

/** Opens Graph for one operation; it shares the session's deadline unless it is given another signal. */
export function openGraph(
  deps: GraphDeps,
  session: GrantSession,
  sharedFrom?: string,
  signal: AbortSignal = session.signal,
): GraphApi {
  const { root, key } = mailboxOf(session, sharedFrom)
  const tokens = createTokens(session)

  /** Sends, and again where that is allowed and promises something. */
  const sendBy = async <T>(
    once: (caller: Parameters<typeof callGraph>[1]) => Promise<T | ProviderError>,
    repeatable: Repeatable,
  ): Promise<T> => {
    let waited = false
    for (let tries = 0; ; ) {
      const token = await tokens.current()
      session.spend({ requests: 1 })
      const answer = await once({ token, mailbox: key, signal }).catch(asProviderError)
      if (!(answer instanceof ProviderError)) return answer
      const { retryAfterSeconds, httpStatus } = answer.details
      if (httpStatus === 401) {
        await tokens.replace(token, answer)
        continue
      }
      if (repeatable === 'refused' && httpStatus !== 429) throw answer
      if (retryAfterSeconds !== undefined) {
        if (waited || retryAfterSeconds > LONGEST_WAIT_SECONDS) throw answer
        waited = true
        await pause(retryAfterSeconds * 1000, signal, answer)
      } else {
        const backoffMs = BACKOFF_MS[tries]
        if (answer.kind !== 'unavailable' || backoffMs === undefined) throw answer
        tries += 1
        await pause(backoffMs, signal, answer)
      }
    }
  }
  const send = (request: GraphRequest, repeatable: Repeatable): Promise<HttpResponse> =>
    sendBy(async (caller) => {
      const response = await callGraph(deps, caller, request)
      return isSuccess(response) ? response : errorOf(response, deps.clock)
    }, repeatable)
  const sendBatch = (body: JsonObject, slots: number) =>
    send({ method: 'POST', path: '/$batch', body, slots }, 'always').then(readObject)
  const runEach = (steps: readonly BatchStep[]) => runBatch(sendBatch, signal, steps)

  return {
    root,
    mailbox: key,
    getJson: async (path, query = []) => readObject(await send({ method: 'GET', path, query }, 'always')),
    getList: async (path, query) => readListAnswer(await send({ method: 'GET', path, query }, 'always')),
    getBytes: async (path) => (await send({ method: 'GET', path }, 'always')).body,
    open: (path) =>
      sendBy(async (caller) => {
        const request = {
          method: 'GET',
          path,
          timeoutMs: STREAM_TIMEOUT_MS,
          maxBytes: STREAM_MAX_BYTES,
        } as const
        const response = await streamGraph(deps, caller, request)
        return response.status >= 200 && response.status < 300 ? response : errorOfStream(response)
      }, 'always'),
    change: send,
    changeJson: async (request, repeatable) => readObject(await send(request, repeatable)),
    async getEach(paths, query) {
      const steps = paths.map((path) => ({ method: 'GET' as const, url: `${path}${queryText(query)}` }))
      const outcomes = await runEach(steps)
      return outcomes.map((outcome) => {
        if (!(outcome instanceof ProviderError)) return outcome
        if (ABSENT.has(outcome.kind)) return null
        throw outcome
      })
    },
    runEach,
  }
}

const ABSENT = new Set(['not-found', 'scope-missing', 'access-refused', 'invalid-request'])

function asProviderError(error: unknown): ProviderError {
  if (error instanceof ProviderError) return error
  throw error
}

const ERROR_TEXT_LIMIT = 64 * 1024

async function errorOfStream({ status, headers, body }: StreamedResponse): Promise<ProviderError> {
  let text = ''
  for await (const chunk of body) {
    text += String(chunk)
    if (text.length > ERROR_TEXT_LIMIT) break
  }
  const retryAfter = Number(headers['retry-after'] ?? Number.NaN)
  return graphErrorOfText(status, text, Number.isFinite(retryAfter) ? retryAfter : undefined)
}

/** The session's token, shared by the calls of one operation; after a 401 it is replaced once. */
function createTokens(session: GrantSession) {
  let token: Promise<Secret> | undefined
  let replaced = false
  return {
    current: () => (token ??= session.accessToken()),
    /** @throws the refusal, when the replacement was refused too */
    async replace(rejected: Secret, refusal: ProviderError): Promise<void> {
      // Calls run side by side: another one may have replaced it already.
      if ((await token) !== rejected) return
      if (replaced) throw refusal
      replaced = true
      token = session.replaceRejected(rejected)
      await token
    },
  }
}

/** Waits; where the deadline comes first, what the provider said is the better answer. @throws `reason` */
async function pause(ms: number, signal: AbortSignal, reason: ProviderError): Promise<void> {
  await sleep(ms, signal).catch(() => {
    throw reason
  })
}
