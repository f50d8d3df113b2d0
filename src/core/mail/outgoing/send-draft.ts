import type { FullDraft, WireSentMessage } from '../../../contract/message.ts'
import type { TrackingRequest } from '../../../contract/outgoing.ts'
import { ProviderError } from '../../../kit/provider-error.ts'
import type { GrantSession } from '../../ports/grant-session.ts'
import type { OutgoingService, PreparedTracking } from '../../ports/mail-services.ts'
import type { DraftsPort, SentResult } from '../../ports/outgoing.ts'
import type { GrantRecord } from '../../ports/records.ts'
import { looksLikeHtml } from './draft-change.ts'
import { forgetDraft } from './drafts.ts'
import { withSignature } from './message-body.ts'
import { keepBehind } from './message-sender.ts'
import type { OutgoingDeps } from './outgoing-deps.ts'
import { withoutHangUp } from './send-message.ts'
import { presentTracking, snippetOf } from './sent-message.ts'

/** `POST /drafts/{id}`: sends a draft as it is, with a signature and with tracking where they are asked for. */
export function createSendDraft(deps: OutgoingDeps): Pick<OutgoingService, 'sendDraft'> {
  return {
    async sendDraft(grant, id, { signatureId }, context) {
      const drafts = deps.access.capability(grant, 'drafts', 'have drafts')
      const { draft, sent, body, tracking } = await deps.sessions.use(
        grant,
        withoutHangUp(context),
        async (session) => {
          const found = await drafts.find(session, id, {})
          const known = await deps.database.stores.draftTracking.find(grant.id, [found.id])
          const finished = await finish(grant, found, { signatureId, tracking: known.get(found.id) })
          const result = await sendWith(drafts, session, found, finished.trackedBody)
          return { draft: found, sent: result, ...finished }
        },
      )
      const metadata = await metadataOf(grant, draft.id)
      const wire = presentSentDraft(draft, sent, { body, tracking })
      await keepBehind(deps, grant, { ...metadata, ...(tracking ? { tracking } : {}) }, wire)
      await forgetDraft(deps, grant, draft.id).catch((error: unknown) =>
        deps.log.warn({ grantId: grant.id, err: error }, 'sent_draft.extras_left'),
      )
      return { ...wire, ...metadata }
    },
  }

  /** The message is out: what can't be read now must not look like a failed send. */
  async function metadataOf(grant: GrantRecord, id: string) {
    try {
      const metadata = (await deps.metadata.of(grant, 'draft', [id])).get(id)
      return metadata ? { metadata } : {}
    } catch (error) {
      deps.log.error({ grantId: grant.id, err: error }, 'sent_message.extras_lost')
      return {}
    }
  }

  async function finish(
    grant: GrantRecord,
    draft: FullDraft,
    asked: { readonly signatureId: string | undefined; readonly tracking: TrackingRequest | undefined },
  ): Promise<{ body: string; trackedBody: string; tracking: PreparedTracking | undefined }> {
    const isPlaintext = !looksLikeHtml(draft.body)
    const body = await withSignature(deps, grant, { body: draft.body, isPlaintext }, asked.signatureId)
    if (!asked.tracking) return { body, trackedBody: body, tracking: undefined }
    const prepared = await deps.tracking.prepare(grant, { body, isPlaintext }, asked.tracking)
    return { body, trackedBody: prepared.body, tracking: prepared.tracking }
  }
}

/** Sends a draft with another body. One that surely was not sent gets its own body back: the next try adds again. */
async function sendWith(
  drafts: DraftsPort,
  session: GrantSession,
  draft: FullDraft,
  body: string,
): Promise<SentResult> {
  if (body === draft.body) return await drafts.send(session, draft.id)
  const isPlaintext = !looksLikeHtml(draft.body)
  await drafts.update(session, draft.id, { body, isPlaintext })
  try {
    return await drafts.send(session, draft.id)
  } catch (error) {
    if (error instanceof ProviderError && error.details.answered !== false) {
      await drafts
        .update(session, draft.id, { body: draft.body, isPlaintext })
        .catch((failed: unknown) => session.log.warn({ err: failed }, 'draft.body_not_restored'))
    }
    throw error
  }
}

function presentSentDraft(
  draft: FullDraft,
  sent: SentResult,
  made: { readonly body: string; readonly tracking: PreparedTracking | undefined },
): WireSentMessage {
  const isPlaintext = !looksLikeHtml(made.body)
  return {
    ...draft,
    id: sent.id,
    object: 'message',
    thread_id: sent.threadId,
    date: sent.date,
    created_at: sent.date,
    folders: [...sent.folders],
    unread: false,
    body: made.body,
    snippet: made.body === draft.body ? draft.snippet : snippetOf({ body: made.body, isPlaintext }),
    ...(sent.attachments ? { attachments: [...sent.attachments] } : {}),
    ...(sent.headers ? { headers: [...sent.headers] } : {}),
    ...(made.tracking ? { tracking_options: presentTracking(made.tracking.options) } : {}),
    schedule_id: '',
  }
}
