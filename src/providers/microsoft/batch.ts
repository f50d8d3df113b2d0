import { sleep } from '../../kit/deadline.ts'
import { isJsonObject, type JsonObject, numberField, stringField } from '../../kit/json.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import { graphApiError } from './errors.ts'
import { PREFER } from './graph-call.ts'

/** One request inside a `$batch`. */
export interface BatchStep {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** below `/v1.0`, with its query */
  readonly url: string
  readonly body?: JsonObject
}

type Outcome = JsonObject | ProviderError

/** Steps of a batch run at once at the mailbox, so a batch has no more than the mailbox has slots. */
const BATCH_STEPS = 4
/** The longest `Retry-After` of a step that is waited for. */
const LONGEST_WAIT_SECONDS = 10

/**
 * Runs steps by `$batch`, a few at a time. Steps that are throttled or fail in passing are tried once more; each may
 * fail alone (learn.microsoft.com/graph/json-batching, checked 2026-11).
 *
 * @param send  sends the body of one batch, which takes that many slots
 * @returns the outcomes in the order of the steps
 */
export async function runBatch(
  send: (body: JsonObject, slots: number) => Promise<JsonObject>,
  signal: AbortSignal,
  steps: readonly BatchStep[],
): Promise<readonly Outcome[]> {
  const chunks = Array.from({ length: Math.ceil(steps.length / BATCH_STEPS) }, (_, at) =>
    steps.slice(at * BATCH_STEPS, (at + 1) * BATCH_STEPS),
  )
  const outcomes = await Promise.all(chunks.map((chunk) => runChunk(send, signal, chunk)))
  return outcomes.flat()
}

async function runChunk(
  send: (body: JsonObject, slots: number) => Promise<JsonObject>,
  signal: AbortSignal,
  steps: readonly BatchStep[],
): Promise<readonly Outcome[]> {
  const first = await runOnce(send, steps)
  const again = steps.filter((_, at) => isPassing(first[at]))
  if (again.length === 0) return first
  const waits = first.map((outcome) => (isPassing(outcome) ? (outcome.details.retryAfterSeconds ?? 1) : 0))
  const isGivenUp = await sleep(Math.max(...waits) * 1000, signal).then(
    () => false,
    () => true, // the deadline comes first: what was said stands
  )
  if (isGivenUp) return first
  const second = (await runOnce(send, again)).values()
  return first.map((outcome) => (isPassing(outcome) ? (second.next().value ?? outcome) : outcome))
}

function isPassing(outcome: Outcome | undefined): outcome is ProviderError {
  return (
    outcome instanceof ProviderError &&
    (outcome.kind === 'rate-limited' || outcome.kind === 'unavailable') &&
    (outcome.details.retryAfterSeconds ?? 1) <= LONGEST_WAIT_SECONDS
  )
}

async function runOnce(
  send: (body: JsonObject, slots: number) => Promise<JsonObject>,
  steps: readonly BatchStep[],
): Promise<readonly Outcome[]> {
  const requests = steps.map(({ method, url, body }, at) => ({
    id: String(at),
    method,
    url,
    headers: { prefer: PREFER, ...(body ? { 'content-type': 'application/json' } : {}) },
    ...(body ? { body } : {}),
  }))
  const answer = await send({ requests }, steps.length)
  const responses = Array.isArray(answer['responses']) ? answer['responses'].filter(isJsonObject) : []
  const byId = new Map(responses.map((step) => [String(step['id']), step]))
  return steps.map((_, at) => readStep(byId.get(String(at))))
}

function readStep(step: JsonObject | undefined): Outcome {
  const status = step ? numberField(step, 'status') : undefined
  if (!step || status === undefined) {
    return new ProviderError('malformed-response', 'Microsoft left out an answer of a batch.', {
      answered: true,
    })
  }
  if (status >= 200 && status < 300) return isJsonObject(step['body']) ? step['body'] : {}
  const headers = isJsonObject(step['headers']) ? step['headers'] : {}
  const retryAfter = Number(
    stringField(headers, 'Retry-After') ?? stringField(headers, 'retry-after') ?? Number.NaN,
  )
  return graphApiError({
    status,
    body: step['body'],
    retryAfterSeconds: Number.isFinite(retryAfter) ? retryAfter : undefined,
  })
}
