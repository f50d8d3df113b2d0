import type { FullDraft, FullMessage } from '../../contract/message.ts'
import type { MessageQuery } from '../../core/ports/mail.ts'
import type { DraftChange, DraftsPort } from '../../core/ports/outgoing.ts'
import { textOfHtml } from '../../formats/snippet.ts'
import { isJsonObject, type JsonObject, stringField } from '../../kit/json.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import { type GraphApi, openGraph } from './api.ts'
import { attachEach, createDraft } from './create-draft.ts'
import { graphBase } from './endpoints.ts'
import { type GraphDeps, throwWithoutId } from './graph-call.ts'
import { listMessages } from './list-messages.ts'
import { listThreadMessages } from './list-thread-messages.ts'
import { checkId } from './mailbox.ts'
import { removeForGood } from './message-changes.ts'
import { checkQuery, projection } from './message-query.ts'
import { contentOf } from './outgoing-content.ts'
import { itemsOf, messagePath } from './read-messages.ts'
import { findReplyTarget } from './reply-target.ts'
import { readyDraft, sendDraft } from './send-draft.ts'
import { toMessage } from './to-wire.ts'
import { byMessageId } from './translate-id.ts'

/** Drafts by Microsoft Graph: messages with `isDraft`, whose ids stay when they are sent (contract/email.md 8). */
export function createGraphDrafts(deps: GraphDeps): DraftsPort {
  const base = graphBase(deps.endpoints)
  return {
    async list(session, query) {
      const whole: MessageQuery = { ...query, fields: 'standard' }
      const folder = checkQuery(whole) ?? 'drafts'
      const reader = {
        api: openGraph(deps, session),
        grantId: session.grantId,
        base,
        accepts: (resource: JsonObject) => resource['isDraft'] === true,
      }
      const { items, nextCursor } = await (query.threadId === undefined
        ? listMessages(reader, whole, folder)
        : listThreadMessages(reader, whole, query.threadId, folder))
      const drafts = items.flatMap((item) => ('subject' in item ? [toDraft(item)] : []))
      return { items: drafts, ...(nextCursor === undefined ? {} : { nextCursor }) }
    },
    async find(session, id, { sharedFrom }) {
      const api = openGraph(deps, session, sharedFrom)
      return byDraftId(api, id, async (known) => readDraft(api, known, session.grantId))
    },
    async create(session, draft) {
      const api = openGraph(deps, session)
      const made = await createDraft(deps, session, api, draft)
      const id = stringField(made, 'id') || throwWithoutId('a draft')
      const message = draft.attachments.length === 0 ? toMessage(made, session.grantId) : undefined
      return message ? toDraft(message) : readDraft(api, id, session.grantId)
    },
    async update(session, id, change) {
      const { attachments, headers, replyToMessageId, ...content } = change
      if (headers !== undefined && headers.length > 0) {
        throw new ProviderError(
          'unsupported',
          'custom_headers of a draft cannot change at Microsoft: make another draft.',
        )
      }
      const api = openGraph(deps, session)
      return byDraftId(api, id, async (known) => {
        const path = messagePath(api, known)
        const state = await readState(api, known)
        if (replyToMessageId) await checkSameThread(api, replyToMessageId, state)
        const body = contentOf({ ...content, ...(await asText(api, known, content)) })
        if (Object.keys(body).length > 0) await api.change({ method: 'PATCH', path, body }, 'always')
        if (attachments !== undefined) {
          const old = itemsOf(await api.getJson(`${path}/attachments`, [['$select', 'id']]))
          // The new ones come first: a failure on the way loses nothing.
          await attachEach(deps, session, api, known, attachments)
          const steps = old.flatMap((entry) => {
            const attachmentId = stringField(entry, 'id')
            const url = `${path}/attachments/${encodeURIComponent(attachmentId ?? '')}`
            return attachmentId ? [{ method: 'DELETE' as const, url }] : []
          })
          for (const outcome of await api.runEach(steps)) {
            if (outcome instanceof ProviderError && outcome.kind !== 'not-found') throw outcome
          }
        }
        return readDraft(api, known, session.grantId)
      })
    },
    async delete(session, id) {
      const api = openGraph(deps, session)
      await byDraftId(api, id, async (known) => {
        await readState(api, known)
        await removeForGood(api, known)
      })
    },
    async send(session, id) {
      const api = openGraph(deps, session)
      return byDraftId(api, id, async (known) => {
        const ready = readyDraft(await readState(api, known), known, { isOurs: false, files: [] })
        return sendDraft(deps, session, api, ready, { withHeaders: false })
      })
    },
  }
}

function byDraftId<T>(api: GraphApi, id: string, work: (id: string) => Promise<T>): Promise<T> {
  return byMessageId(api, checkId(id, 'draft_id'), work)
}

/** A message in the form of a draft. */
export function toDraft(message: FullMessage): FullDraft {
  return { ...message, object: 'draft', unread: false }
}

async function readDraft(api: GraphApi, id: string, grantId: string): Promise<FullDraft> {
  const resource = checkDraft(await api.getJson(messagePath(api, id), projection('standard', undefined)))
  return toDraft(toMessage(resource, grantId) ?? throwWithoutId('a draft'))
}

async function readState(api: GraphApi, id: string): Promise<JsonObject> {
  return checkDraft(await api.getJson(messagePath(api, id), [['$select', 'isDraft,conversationId']]))
}

/** @throws ProviderError `not-found` for a message that is none */
function checkDraft(resource: JsonObject): JsonObject {
  if (resource['isDraft'] === true) return resource
  const text = 'The message is no draft.'
  throw new ProviderError('not-found', text, {
    answered: true,
    providerBody: { code: 'ErrorItemNotFound', message: text },
  })
}

/** The text of a draft that is to be plain from now on, where no other is given. */
async function asText(
  api: GraphApi,
  id: string,
  { body, isPlaintext }: Pick<DraftChange, 'body' | 'isPlaintext'>,
): Promise<Pick<DraftChange, 'body'>> {
  if (body !== undefined || isPlaintext !== true) return {}
  const { body: kept } = await api.getJson(messagePath(api, id), [['$select', 'body']])
  return { body: textOfHtml((isJsonObject(kept) ? stringField(kept, 'content') : undefined) ?? '') }
}

/** @throws ProviderError `unsupported`: what a draft replies to is settled when it is made */
async function checkSameThread(api: GraphApi, reference: string, draft: JsonObject): Promise<void> {
  const { threadId } = await findReplyTarget(api, reference)
  if (threadId !== '' && threadId === stringField(draft, 'conversationId')) return
  throw new ProviderError(
    'unsupported',
    'reply_to_message_id of a draft cannot change at Microsoft: make another draft.',
  )
}
