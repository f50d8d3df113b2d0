import type { MessageHeader } from '../../contract/message.ts'
import type { GrantSession } from '../../core/ports/grant-session.ts'
import type { OutgoingAttachment, OutgoingDraft } from '../../core/ports/outgoing.ts'
import { composeToBuffer } from '../../formats/mime/compose-message.ts'
import { type JsonObject, stringField } from '../../kit/json.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import { type GraphApi, openGraph } from './api.ts'
import { type GraphDeps, throwWithoutId } from './graph-call.ts'
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
/** A source in base64 (learn.microsoft.com/graph/outlook-send-mime-message, checked 2026-11). */
const SOURCE_LIMIT_BYTES = 4_000_000
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
  const id = stringField(draft, 'id') || throwWithoutId('a draft')
  try {
    if (isSource && message.starred !== undefined) {
      const body = { flag: flagOf(message.starred) }
      await api.change({ method: 'PATCH', path: messagePath(api, id), body }, 'always')
    }
    if (inside.length === 0) await attachEach(deps, session, api, id, files)
  } catch (error) {
    await discardDraft(deps, session, id)
    throw error
  }
  return message.starred === undefined ? draft : { ...draft, flag: flagOf(message.starred) }
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
 * Makes a draft of a complete source.
 * @throws ProviderError `too-large` over Graph's 4 MB
 */
export async function createDraftOfSource(
  api: GraphApi,
  source: Uint8Array,
  replyTo?: string,
): Promise<JsonObject> {
  const mime = Buffer.from(source).toString('base64')
  if (mime.length > SOURCE_LIMIT_BYTES) {
    throw new ProviderError(
      'too-large',
      'Microsoft takes no source over 3 MB; larger messages must be sent by their fields, with attachments.',
      { advice: 'Send the message as JSON or in a form, where attachments may have up to 150 MB.' },
    )
  }
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
  return createDraftOfSource(api, source, target?.id)
}

/** @throws ProviderError `too-large` */
function checkSizes(files: readonly OutgoingAttachment[]): void {
  const large = files.find(({ sizeBytes }) => sizeBytes > MAX_ATTACHMENT_BYTES)
  if (!large) return
  throw new ProviderError('too-large', `The attachment ${large.filename} is over Microsoft’s 150 MB.`)
}
