import type { GrantSession } from '../../core/ports/grant-session.ts'
import type { OutgoingAttachment } from '../../core/ports/outgoing.ts'
import { sleep } from '../../kit/deadline.ts'
import { isJsonObject } from '../../kit/json.ts'
import { type HttpClient, type HttpResponse, jsonOf } from '../../kit/outbound/http-client.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import type { GraphApi } from './api.ts'
import { graphBase } from './endpoints.ts'
import { errorOf, type GraphDeps, isSuccess } from './graph-call.ts'
import { messagePath } from './read-messages.ts'

/** Ten times 320 KiB: each part stays below Graph's 4 MB (learn.microsoft.com/graph/outlook-large-attachments, checked 2026-11). */
const PART_BYTES = 10 * 320 * 1024
const PART_TIMEOUT_MS = 60_000
const BACKOFF_MS: readonly number[] = [200, 800]
const LONGEST_WAIT_SECONDS = 10

/**
 * Attaches a file of 3 to 150 MB to a draft by an upload session, part by part as it is read: no more than one part
 * is in memory. The address is pre-signed: it gets no token and appears in no error.
 */
export async function uploadAttachment(
  deps: GraphDeps,
  session: GrantSession,
  api: GraphApi,
  draftId: string,
  file: OutgoingAttachment,
): Promise<void> {
  const opened = await api.changeJson(
    {
      method: 'POST',
      path: `${messagePath(api, draftId)}/attachments/createUploadSession`,
      body: {
        AttachmentItem: {
          attachmentType: 'file',
          name: file.filename,
          size: file.sizeBytes,
          contentType: file.contentType,
          isInline: file.isInline,
          ...(file.contentId === undefined ? {} : { contentId: file.contentId }),
        },
      },
    },
    'always',
  )
  const place = placeOf(deps, opened['uploadUrl'])
  const put = (part: Buffer, from: number) =>
    putPart({ deps, session, api, ...place }, part, from, file.sizeBytes)
  let from = 0
  for await (const part of partsOf(file)) {
    if (from + part.length > file.sizeBytes) break
    await put(part, from)
    from += part.length
  }
  if (from !== file.sizeBytes) {
    throw new ProviderError('invalid-request', `The attachment ${file.filename} has not the size announced.`)
  }
}

interface UploadPlace {
  readonly url: string
  readonly http: HttpClient
}

/** Graph's own origin is the operator's; any other host must pass the egress guard (design.md section 6). */
function placeOf(deps: GraphDeps, value: unknown): UploadPlace {
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined
  const isOwn = url?.origin === new URL(graphBase(deps.endpoints)).origin
  const http = isOwn ? deps.http : deps.uploads
  const isHttp = url?.protocol === 'https:' || url?.protocol === 'http:'
  if (url && http && isHttp && !url.username && !url.password) return { url: url.href, http }
  throw new ProviderError('malformed-response', 'Microsoft’s address for the upload cannot be used.', {
    answered: true,
  })
}

interface Upload extends UploadPlace {
  readonly deps: GraphDeps
  readonly session: GrantSession
  readonly api: GraphApi
}

/** Sends one part. After an answer that did not come, asks what has arrived before it is sent again. */
async function putPart(upload: Upload, part: Buffer, from: number, totalBytes: number): Promise<void> {
  const { session } = upload
  const range = `bytes ${from}-${from + part.length - 1}/${totalBytes}`
  for (let tries = 0; ; tries += 1) {
    const outcome = await ask(upload, { range, part }).catch(asProviderError)
    if (!(outcome instanceof ProviderError)) return
    const { retryAfterSeconds, httpStatus } = outcome.details
    const isPassing = outcome.kind === 'unavailable' || outcome.kind === 'rate-limited'
    const backoffMs = BACKOFF_MS[tries]
    if (!isPassing || backoffMs === undefined || (retryAfterSeconds ?? 0) > LONGEST_WAIT_SECONDS)
      throw outcome
    await sleep(retryAfterSeconds === undefined ? backoffMs : retryAfterSeconds * 1000, session.signal).catch(
      () => {
        throw outcome // the deadline comes first
      },
    )
    if (httpStatus !== undefined) continue
    const state = await ask(upload, undefined).catch(asProviderError)
    if (state instanceof ProviderError) throw outcome
    const next = nextExpected(state)
    if (next === from + part.length) return
    if (next !== from) throw outcome
  }
}

function asProviderError(error: unknown): ProviderError {
  if (error instanceof ProviderError) return error
  throw error
}

async function ask(
  { deps, session, api, url, http }: Upload,
  content: { readonly range: string; readonly part: Buffer } | undefined,
): Promise<HttpResponse> {
  session.spend({ requests: 1 })
  const response = await deps.slots.run(api.mailbox, 1, session.signal, () =>
    http.request({
      method: content ? 'PUT' : 'GET',
      url,
      headers: content
        ? { 'content-type': 'application/octet-stream', 'content-range': content.range }
        : { accept: 'application/json' },
      ...(content ? { body: content.part } : {}),
      signal: session.signal,
      timeoutMs: PART_TIMEOUT_MS,
      maxBytes: 1024 * 1024,
    }),
  )
  if (!isSuccess(response)) throw errorOf(response, deps.clock)
  return response
}

/** The first byte that Graph still wants: `nextExpectedRanges` holds `["123-"]`. */
function nextExpected(response: HttpResponse): number | undefined {
  const state = jsonOf(response)
  const ranges = isJsonObject(state)
    ? (state['nextExpectedRanges'] ?? state['NextExpectedRanges'])
    : undefined
  const [first]: readonly unknown[] = Array.isArray(ranges) ? ranges : []
  const [digits] = typeof first === 'string' ? (/^\d{1,12}/.exec(first) ?? []) : []
  return digits === undefined ? undefined : Number(digits)
}

async function* partsOf(file: OutgoingAttachment): AsyncGenerator<Buffer> {
  let held: Buffer[] = []
  let size = 0
  for await (const chunk of file.open()) {
    held.push(Buffer.from(chunk))
    size += chunk.length
    if (size < PART_BYTES) continue
    let rest = Buffer.concat(held)
    for (; rest.length >= PART_BYTES; rest = rest.subarray(PART_BYTES)) yield rest.subarray(0, PART_BYTES)
    held = [rest]
    size = rest.length
  }
  if (size > 0) yield Buffer.concat(held)
}
