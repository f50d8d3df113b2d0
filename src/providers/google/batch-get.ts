import { randomUUID } from 'node:crypto'
import { sleep } from '../../kit/deadline.ts'
import { isJsonObject, type JsonObject, parseJson } from '../../kit/json.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import type { GoogleApi } from './api.ts'
import { type BatchPart, readBatch, writeBatch } from './batch-format.ts'
import { at } from './endpoints.ts'
import { googleApiError } from './errors.ts'
import { unitsOf } from './quota-units.ts'

/** More than 50 calls in a batch are discouraged by Google (batch guide, checked 2026-11). */
const BATCH_SIZE = 50
/** What a part that failed alone waits for before its second try, at most. */
const LONGEST_PAUSE_MS = 2000
const PAUSE_MS = 250

export interface BatchOptions {
  readonly gmailUrl: string
  /** Parts per batch; fewer where each may be large. Default 50. */
  readonly size?: number
  readonly maxBytes?: number
}

/**
 * Gets several Gmail objects with as few calls as Google allows, each part judged alone: one that failed for a
 * passing reason (429, 403 with a rate reason, 5xx, left out) is tried once more, without the others.
 *
 * @param paths  paths below the Gmail base, with query
 * @returns one entry per path, in that order; `undefined` for an object that is gone (404)
 * @throws ProviderError of the first part that failed for good
 */
export async function batchGet(
  api: GoogleApi,
  paths: readonly string[],
  options: BatchOptions,
): Promise<readonly (JsonObject | undefined)[]> {
  const size = options.size ?? BATCH_SIZE
  const found: (JsonObject | undefined)[] = []
  for (let start = 0; start < paths.length; start += size) {
    found.push(...(await getChunk(api, paths.slice(start, start + size), options)))
  }
  return found
}

async function getChunk(
  api: GoogleApi,
  paths: readonly string[],
  options: BatchOptions,
): Promise<readonly (JsonObject | undefined)[]> {
  const first = (await sendBatch(api, paths, options)).map((part) => judge(api, part))
  const again = first.flatMap((outcome, place) => (isPassing(outcome) ? [place] : []))
  if (again.length === 0) return first.map(objectOf)
  const refusal = first.find(isRefusedToken)
  if (refusal) await api.renewToken(refusal)
  else await pause(api, first.filter(isPassing))
  const second = await sendBatch(
    api,
    again.flatMap((place) => paths[place] ?? []),
    options,
  )
  const outcomes = new Map(again.map((place, order) => [place, judge(api, second[order])]))
  return first.map((outcome, place) => objectOf(outcomes.has(place) ? outcomes.get(place) : outcome))
}

async function sendBatch(
  api: GoogleApi,
  paths: readonly string[],
  options: BatchOptions,
): Promise<readonly (BatchPart | undefined)[]> {
  const boundary = `batch_${randomUUID()}`
  const response = await api.send({
    method: 'POST',
    url: at(options.gmailUrl, '/batch/gmail/v1'),
    headers: { 'content-type': `multipart/mixed; boundary=${boundary}` },
    body: writeBatch(paths, boundary),
    units: paths.reduce((sum, path) => sum + unitsOf('GET', path.split('?')[0] ?? ''), 0),
    ...(options.maxBytes === undefined ? {} : { maxBytes: options.maxBytes }),
  })
  return readBatch(response.headers['content-type'], response.body.toString('utf8'), paths.length)
}

type Outcome = JsonObject | ProviderError | undefined

function judge(api: GoogleApi, part: BatchPart | undefined): Outcome {
  if (!part)
    return new ProviderError('unavailable', "Google's batch answer leaves a part out.", { answered: true })
  if (part.status === 404) return undefined
  if (part.status >= 200 && part.status < 300) {
    const body = parseJson(part.body)
    if (isJsonObject(body)) return body
    return new ProviderError('malformed-response', "A part of Google's batch answer is not JSON.", {
      answered: true,
    })
  }
  const wait = part.headers['retry-after']
  const error = googleApiError({
    status: part.status,
    text: part.body,
    retryAfterSeconds: wait !== undefined && /^\d{1,6}$/.test(wait) ? Number(wait) : undefined,
    nowMs: api.clock.nowMs(),
  })
  if (error.kind === 'rate-limited') api.noteThrottle(error)
  return error
}

function isPassing(outcome: Outcome): outcome is ProviderError {
  return (
    outcome instanceof ProviderError &&
    (outcome.kind === 'rate-limited' || outcome.kind === 'unavailable' || isRefusedToken(outcome))
  )
}

function isRefusedToken(outcome: Outcome): outcome is ProviderError {
  return outcome instanceof ProviderError && outcome.details.httpStatus === 401
}

async function pause(api: GoogleApi, failures: readonly ProviderError[]): Promise<void> {
  const [first] = failures
  const asked = Math.max(0, ...failures.map((failure) => failure.details.retryAfterSeconds ?? 0)) * 1000
  if (first && asked > LONGEST_PAUSE_MS) throw first
  await sleep(Math.max(PAUSE_MS, asked), api.signal).catch(() => {
    throw first ?? new ProviderError('timeout', 'The deadline passed.', { answered: true })
  })
}

function objectOf(outcome: Outcome): JsonObject | undefined {
  if (outcome instanceof ProviderError) throw outcome
  return outcome
}
