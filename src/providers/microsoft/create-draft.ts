import type { MessageHeader } from '../../contract/message.ts'
import type { GrantSession } from '../../core/ports/grant-session.ts'
import type { OutgoingAttachment, OutgoingDraft } from '../../core/ports/outgoing.ts'
import { composeToBuffer } from '../../formats/mime/compose-message.ts'
import { type JsonObject, stringField } from '../../kit/json.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import { type GraphApi, openGraph } from './api.ts'
import { type GraphDeps, throwWithoutId } from './graph-call.ts'
import { lightenSource } from './light-source.ts'
import { flagOf, removeForGood } from './message-changes.ts'
import { contentOf, needsSource, toFileAttachment } from './outgoing-content.ts'
import { messagePath } from './read-messages.ts'
import { findReplyTarget, type ReplyTarget } from './reply-target.ts'
import { uploadAttachment } from './upload-session.ts'

/** Largest attachment that Exchange Online takes (learn.microsoft.com/graph/outlook-large-attachments, checked 2026-11). */
export const MAX_ATTACHMENT_BYTES = 150 * 1024 * 1024
/** Smaller files are attached by one request; larger ones need an upload session. */
const UPLOAD_FROM_BYTES = 3_000_000
/** Files that together with the body stay below this travel with the message itself: a request takes 4 MB. */
const INLINE_LIMIT_BYTES = 1_500_000
/** Of a source: as base64 it is 4 MB, what a request takes (learn.microsoft.com/graph/api/user-post-messages, checked 2026-11). */
const SOURCE_LIMIT_BYTES = 3_000_000
const DISCARD_TIMEOUT_MS = 10_000

/**
 * Makes a draft with its attachments. As JSON where that is enough; as a source where headers or a thread ask for
 * it: only a source sets In-Reply-To and References, and `createReply` puts it into the conversation
 * (learn.microsoft.com/graph/api/message-createreply, checked 2026-11). A draft that cannot be finished is removed.
 *
 * @returns the draft as Graph answered it when it was made; attachments are not in it
 */
export async function createDraft(
  deps: GraphDeps,
  session: GrantSession,
  api: GraphApi,
  message: OutgoingDraft,
): Promise<JsonObject> {
  const files = message.attachments
  checkSizes(files)
  const target =
    message.replyToMessageId === undefined ? undefined : await findReplyTarget(api, message.replyToMessageId)
  const weight = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 2 * message.body.length)
  const inside = weight <= INLINE_LIMIT_BYTES ? files : []
  const isSource = target !== undefined || needsSource(message.headers)
  const draft = isSource
    ? await createFromSource(session, api, { ...message, attachments: inside }, target)
    : await createFromJson(api, { ...message, attachments: inside })
  const id = idOf(draft)
  await orDiscard(deps, session, id, async () => {
    if (isSource && message.starred !== undefined) {
      const body = { flag: flagOf(message.starred) }
      await api.change({ method: 'PATCH', path: messagePath(api, id), body }, 'always')
    }
    if (inside.length === 0) await attachEach(deps, session, api, id, files)
  })
  return message.starred === undefined ? draft : { ...draft, flag: flagOf(message.starred) }
}

function idOf(draft: JsonObject): string {
  return stringField(draft, 'id') || throwWithoutId('a draft')
}

/** Does the rest of making a draft; where it fails the draft is removed. */
async function orDiscard(
  deps: GraphDeps,
  session: GrantSession,
  id: string,
  rest: () => Promise<void>,
): Promise<void> {
  try {
    await rest()
  } catch (error) {
    await discardDraft(deps, session, id)
    throw error
  }
}

/** Adds files to a draft, one after the other. @throws ProviderError; then some may be attached */
export async function attachEach(
  deps: GraphDeps,
  session: GrantSession,
  api: GraphApi,
  draftId: string,
  files: readonly OutgoingAttachment[],
): Promise<void> {
  checkSizes(files)
  for (const file of files) {
    if (file.sizeBytes >= UPLOAD_FROM_BYTES) {
      await uploadAttachment(deps, session, api, draftId, file)
    } else {
      const path = `${messagePath(api, draftId)}/attachments`
      await api.change({ method: 'POST', path, body: await toFileAttachment(file) }, 'refused')
    }
  }
}

/**
 * Makes a draft of a complete source. Over what Graph takes the largest files follow apart from it.
 * @throws ProviderError `too-large` where that cannot be
 */
export async function createDraftOfSource(
  deps: GraphDeps,
  session: GrantSession,
  api: GraphApi,
  source: Uint8Array,
): Promise<JsonObject> {
  if (source.length <= SOURCE_LIMIT_BYTES) return postSource(api, source)
  const light = lightenSource(source, SOURCE_LIMIT_BYTES) ?? throwTooLarge()
  checkSizes(light.files)
  const draft = await postSource(api, light.source)
  const id = idOf(draft)
  await orDiscard(deps, session, id, () => attachEach(deps, session, api, id, light.files))
  return draft
}

async function postSource(api: GraphApi, source: Uint8Array, replyTo?: string): Promise<JsonObject> {
  if (source.length > SOURCE_LIMIT_BYTES) throwTooLarge()
  const mime = Buffer.from(source).toString('base64')
  const path = replyTo === undefined ? `${api.root}/messages` : `${messagePath(api, replyTo)}/createReply`
  return api.changeJson({ method: 'POST', path, mime }, 'refused')
}

/** Removes a draft that will not be sent, also when the request's own time is over. A failure is logged only. */
export async function discardDraft(deps: GraphDeps, session: GrantSession, id: string): Promise<void> {
  const api = openGraph(deps, session, undefined, AbortSignal.timeout(DISCARD_TIMEOUT_MS))
  try {
    await removeForGood(api, id)
  } catch (error) {
    session.log.warn({ err: error }, 'a draft that was not sent could not be removed')
  }
}

async function createFromJson(api: GraphApi, message: OutgoingDraft): Promise<JsonObject> {
  const attachments = await Promise.all(message.attachments.map(toFileAttachment))
  const body = {
    ...contentOf(message),
    ...(message.headers.length === 0 ? {} : { internetMessageHeaders: message.headers }),
    ...(attachments.length === 0 ? {} : { attachments }),
  }
  return api.changeJson({ method: 'POST', path: `${api.root}/messages`, body }, 'refused')
}

async function createFromSource(
  session: GrantSession,
  api: GraphApi,
  message: OutgoingDraft,
  target: ReplyTarget | undefined,
): Promise<JsonObject> {
  const headers: readonly MessageHeader[] = [...message.headers, ...(target?.threadHeaders ?? [])]
  const source = await composeToBuffer(
    {
      ...message,
      from: message.from ?? { email: session.email },
      headers,
      ...(target?.messageId === undefined ? {} : { inReplyTo: target.messageId }),
      ...(target === undefined ? {} : { references: target.references }),
    },
    { keepsBcc: true },
  )
  return postSource(api, source, target?.id)
}

function throwTooLarge(): never {
  throw new ProviderError(
    'too-large',
    'Microsoft takes 3 MB of a source beside its attachments, and of a signed or encrypted one 3 MB in all.',
    { advice: 'Put what is large into attachments, or send the message by its fields.' },
  )
}

/** @throws ProviderError `too-large` */
function checkSizes(files: readonly OutgoingAttachment[]): void {
  const large = files.find(({ sizeBytes }) => sizeBytes > MAX_ATTACHMENT_BYTES)
  if (!large) return
  throw new ProviderError('too-large', `The attachment ${large.filename} is over Microsoft’s 150 MB.`)
}
