import type { Attachment } from '../../contract/message.ts'
import type { GrantSession } from '../../core/ports/grant-session.ts'
import type { OutgoingAttachment, SendOptions, SentResult } from '../../core/ports/outgoing.ts'
import { unixSeconds } from '../../kit/clock.ts'
import { sleep } from '../../kit/deadline.ts'
import { type JsonObject, stringField } from '../../kit/json.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import type { GraphApi } from './api.ts'
import { discardDraft } from './create-draft.ts'
import type { GraphDeps } from './graph-call.ts'
import { projection } from './message-query.ts'
import { messagePath } from './read-messages.ts'
import { headersOfSource } from './source-headers.ts'
import { toHeaders, toMessage } from './to-wire.ts'

/** A draft that is about to be sent. */
export interface ReadyDraft {
  readonly id: string
  readonly threadId: string
  /** A draft made for this request: removed when Graph refuses to send it. */
  readonly isOurs: boolean
  /** in the order they were given; empty where that is not known */
  readonly files: readonly OutgoingAttachment[]
}

/** Waits before each look for the copy in Sent Items, which lags behind. */
const COPY_WAITS_MS: readonly number[] = [0, 250, 750]
/** Headers are made by sending, so they are worth a longer wait. */
const HEADER_WAITS_MS: readonly number[] = [...COPY_WAITS_MS, 1500]

/**
 * Sends a draft, once: after an answer that did not come it is only looked whether it went. Under immutable ids the
 * copy in Sent Items has the draft's id.
 *
 * @throws ProviderError `answered: false` where Graph may have taken it; then the draft is left alone
 */
export async function sendDraft(
  deps: GraphDeps,
  session: GrantSession,
  api: GraphApi,
  draft: ReadyDraft,
  options: SendOptions,
): Promise<SentResult> {
  const path = messagePath(api, draft.id)
  try {
    await api.change({ method: 'POST', path: `${path}/send` }, 'refused')
  } catch (error) {
    if (!mayHaveGone(error)) {
      if (draft.isOurs) await discardDraft(deps, session, draft.id)
      throw error
    }
    if (!(await hasGone(api, path))) {
      throw new ProviderError(error.kind, error.message, { ...error.details, answered: false })
    }
  }
  const copy = await readCopy(api, session, path, options)
  const message = copy ? toMessage(copy, session.grantId) : undefined
  if (!copy || !message) return withoutCopy(deps, session, api, draft)
  const headers = options.withHeaders ? (toHeaders(copy) ?? (await headersOf(api, path))) : undefined
  return {
    id: draft.id,
    threadId: message.thread_id || draft.threadId,
    folders: message.folders,
    date: message.date,
    attachments: inOrder(message.attachments, draft.files),
    ...(headers === undefined ? {} : { headers }),
  }
}

/** No answer, or one that does not say that nothing was done. A throttled request was not carried out. */
function mayHaveGone(error: unknown): error is ProviderError {
  if (!(error instanceof ProviderError)) return false
  const { answered, httpStatus, retryAfterSeconds } = error.details
  if (answered === false) return true
  const isThrottle = httpStatus === 503 && retryAfterSeconds !== undefined
  return httpStatus !== undefined && httpStatus >= 500 && !isThrottle
}

async function hasGone(api: GraphApi, path: string): Promise<boolean> {
  try {
    return (await api.getJson(path, [['$select', 'isDraft']]))['isDraft'] === false
  } catch {
    return false // not known either way: the caller is told so
  }
}

/** Reads the copy in Sent Items; undefined while it is not there. */
async function readCopy(
  api: GraphApi,
  { signal }: GrantSession,
  path: string,
  { withHeaders }: SendOptions,
): Promise<JsonObject | undefined> {
  const query = projection(withHeaders ? 'include_headers' : 'standard', ['attachments', 'headers'])
  for (const waitMs of withHeaders ? HEADER_WAITS_MS : COPY_WAITS_MS) {
    try {
      if (waitMs > 0) await sleep(waitMs, signal)
      const copy = await api.getJson(path, query)
      if (copy['isDraft'] === false) return copy
    } catch (error) {
      // It is sent: whatever fails from here on costs details of the answer, never the answer.
      if (!(error instanceof ProviderError) || error.kind !== 'not-found') return undefined
    }
  }
  return undefined
}

async function headersOf(api: GraphApi, path: string) {
  try {
    return headersOfSource(await api.getBytes(`${path}/$value`))
  } catch {
    return undefined // sent all the same
  }
}

/** What is known without the copy. */
async function withoutCopy(
  deps: GraphDeps,
  session: GrantSession,
  api: GraphApi,
  { id, threadId }: ReadyDraft,
): Promise<SentResult> {
  const roles = await deps.wellKnown.of(session, api).catch(() => undefined) // sent all the same
  const sent = roles?.idOf('sentitems')
  return { id, threadId, folders: sent ? [sent] : [], date: unixSeconds(deps.clock) }
}

/** Brings the attachments into the order in which they were given. */
function inOrder(attachments: readonly Attachment[], files: readonly OutgoingAttachment[]): Attachment[] {
  const left = [...attachments]
  const ordered = files.flatMap(({ filename, contentId }) => {
    const at = left.findIndex(
      (attachment) =>
        attachment.filename === filename && (contentId === undefined || attachment.content_id === contentId),
    )
    return at === -1 ? [] : left.splice(at, 1)
  })
  return [...ordered, ...left]
}

/** A draft of Graph's, ready to be sent. */
export function readyDraft(
  resource: JsonObject,
  id: string,
  more: Pick<ReadyDraft, 'isOurs' | 'files'>,
): ReadyDraft {
  return { id, threadId: stringField(resource, 'conversationId') ?? '', ...more }
}
