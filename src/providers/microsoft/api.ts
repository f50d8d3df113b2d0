import type { GrantSession } from '../../core/ports/grant-session.ts'
import { sleep } from '../../kit/deadline.ts'
import { isJsonObject, type JsonObject, numberField, stringField } from '../../kit/json.ts'
import type { HttpResponse } from '../../kit/outbound/http-client.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import type { Secret } from '../../kit/secret.ts'
import { graphApiError } from './errors.ts'
import {
  callGraph,
  errorOf,
  type GraphDeps,
  type GraphRequest,
  isSuccess,
  PREFER,
  type QueryParameters,
  queryText,
  readObject,
} from './graph-call.ts'
import { mailboxOf } from './mailbox.ts'

/** Graph for one operation of one grant, on one mailbox. */
export interface GraphApi {
  /** Path of the mailbox: `/me` or `/users/{address}`. */
  readonly root: string
  /** Names the mailbox. */
  readonly mailbox: string
  /** Reads a JSON object. @throws ProviderError by the table of errors.ts, `malformed-response` */
  getJson(path: string, query?: QueryParameters): Promise<JsonObject>
  /** Reads bytes (`…/$value`). */
  getBytes(path: string): Promise<Buffer>
  /**
   * Reads several objects in as few calls as the mailbox's slots allow.
   * @returns in the order asked; null where the object is absent or not for this grant
   */
  getEach(paths: readonly string[], query: QueryParameters): Promise<readonly (JsonObject | null)[]>
}

/** Waits before the second and third try of a read that got a 5xx or a broken connection. */
const BACKOFF_MS: readonly number[] = [150, 450]
/** The longest `Retry-After` that is waited for; a longer one is passed on. */
const LONGEST_WAIT_SECONDS = 10
/** Steps of a batch run at once at the mailbox, so a batch has no more than the mailbox has slots. */
const BATCH_STEPS = 4

/** Opens Graph for one operation; it shares the session's deadline. Every request here only reads. */
export function openGraph(deps: GraphDeps, session: GrantSession, sharedFrom?: string): GraphApi {
  const { root, key } = mailboxOf(session, sharedFrom)
  const tokens = createTokens(session)

  const send = async (request: GraphRequest): Promise<HttpResponse> => {
    let waited = false
    for (let tries = 0; ; ) {
      const token = await tokens.current()
      const answer = await attempt(deps, { token, mailbox: key, signal: session.signal }, request)
      if (!(answer instanceof ProviderError)) return answer
      const { retryAfterSeconds, httpStatus } = answer.details
      if (httpStatus === 401) {
        await tokens.replace(token, answer)
      } else if (retryAfterSeconds !== undefined) {
        if (waited || retryAfterSeconds > LONGEST_WAIT_SECONDS) throw answer
        waited = true
        await pause(retryAfterSeconds * 1000, session.signal, answer)
      } else {
        const backoffMs = BACKOFF_MS[tries]
        if (answer.kind !== 'unavailable' || backoffMs === undefined) throw answer
        tries += 1
        await pause(backoffMs, session.signal, answer)
      }
    }
  }
  const getEach = async (paths: readonly string[], query: QueryParameters) => {
    const chunks = Array.from({ length: Math.ceil(paths.length / BATCH_STEPS) }, (_, at) =>
      paths.slice(at * BATCH_STEPS, (at + 1) * BATCH_STEPS),
    )
    const read = await Promise.all(chunks.map((chunk) => readBatch(send, session.signal, chunk, query)))
    return read.flat()
  }
  return {
    root,
    mailbox: key,
    getJson: async (path, query = []) => readObject(await send({ method: 'GET', path, query })),
    getBytes: async (path) => (await send({ method: 'GET', path })).body,
    getEach,
  }
}

/** @returns the answer, or the error it is; a broken connection counts as an error too */
async function attempt(
  deps: GraphDeps,
  caller: Parameters<typeof callGraph>[1],
  request: GraphRequest,
): Promise<HttpResponse | ProviderError> {
  try {
    const response = await callGraph(deps, caller, request)
    return isSuccess(response) ? response : errorOf(response, deps.clock)
  } catch (error) {
    if (error instanceof ProviderError) return error
    throw error
  }
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

async function pause(ms: number, signal: AbortSignal, reason: ProviderError): Promise<void> {
  await sleep(ms, signal).catch(() => {
    throw reason // the deadline came first: what the provider said is the better answer
  })
}

/** One `$batch`. Steps that are throttled are tried once more; a step may fail alone (docs, checked 2026-11). */
async function readBatch(
  send: (request: GraphRequest) => Promise<HttpResponse>,
  signal: AbortSignal,
  paths: readonly string[],
  query: QueryParameters,
): Promise<readonly (JsonObject | null)[]> {
  const found = new Map<string, JsonObject | null>()
  for (let tries = 0; ; tries += 1) {
    const open = paths.filter((path) => !found.has(path))
    if (open.length === 0) return paths.map((path) => found.get(path) ?? null)
    const steps = await sendBatch(send, open, query)
    let refused: ProviderError | undefined
    for (const [at, path] of open.entries()) {
      const outcome = readStep(steps.get(String(at)))
      if (outcome instanceof ProviderError) refused = outcome
      else found.set(path, outcome)
    }
    if (refused) {
      const waitSeconds = refused.details.retryAfterSeconds ?? 1
      const isPassing = refused.kind === 'rate-limited' || refused.kind === 'unavailable'
      if (tries > 0 || !isPassing || waitSeconds > LONGEST_WAIT_SECONDS) throw refused
      await pause(waitSeconds * 1000, signal, refused)
    }
  }
}

async function sendBatch(
  send: (request: GraphRequest) => Promise<HttpResponse>,
  paths: readonly string[],
  query: QueryParameters,
): Promise<ReadonlyMap<string, JsonObject>> {
  const requests = paths.map((path, at) => ({
    id: String(at),
    method: 'GET',
    url: `${path}${queryText(query)}`,
    headers: { prefer: PREFER },
  }))
  const answer = readObject(
    await send({ method: 'POST', path: '/$batch', body: { requests }, slots: paths.length }),
  )
  const responses = Array.isArray(answer['responses']) ? answer['responses'].filter(isJsonObject) : []
  return new Map(responses.map((step) => [String(step['id']), step]))
}

function readStep(step: JsonObject | undefined): JsonObject | null | ProviderError {
  const status = step ? numberField(step, 'status') : undefined
  if (!step || status === undefined) {
    return new ProviderError('malformed-response', 'Microsoft left out an answer of a batch.', {
      answered: true,
    })
  }
  if (status >= 200 && status < 300) return isJsonObject(step['body']) ? step['body'] : null
  const headers = isJsonObject(step['headers']) ? step['headers'] : {}
  const retryAfter = Number(
    stringField(headers, 'Retry-After') ?? stringField(headers, 'retry-after') ?? Number.NaN,
  )
  const error = graphApiError({
    status,
    body: step['body'],
    retryAfterSeconds: Number.isFinite(retryAfter) ? retryAfter : undefined,
  })
  const isAbsent = ['not-found', 'scope-missing', 'access-refused', 'invalid-request'].includes(error.kind)
  return isAbsent ? null : error
}
