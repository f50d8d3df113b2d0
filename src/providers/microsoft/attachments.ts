import type { Attachment } from '../../contract/message.ts'
import type { AttachmentsPort } from '../../core/ports/mail.ts'
import { fitHostedId } from '../../formats/attachment-id.ts'
import type { JsonObject } from '../../kit/json.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import { type GraphApi, openGraph } from './api.ts'
import type { GraphDeps, QueryParameters } from './graph-call.ts'
import { checkId } from './mailbox.ts'
import { ATTACHMENT_FIELDS } from './message-query.ts'
import { itemsOf, messagePath } from './read-messages.ts'
import { toAttachment } from './to-wire.ts'
import { byMessageId } from './translate-id.ts'

const FIELDS: QueryParameters = [['$select', ATTACHMENT_FIELDS]]

/**
 * Attachments by Microsoft Graph: files, and messages inside messages as `.eml`. Links to files elsewhere have no
 * bytes and count as absent (contract/email.md 13.1).
 */
export function createGraphAttachments(deps: GraphDeps): AttachmentsPort {
  const findIn = async (api: GraphApi, grantId: string, messageId: string, attachmentId: string) => {
    const path = `${messagePath(api, messageId)}/attachments`
    if (fitHostedId(attachmentId, [])) {
      const all = toAttachments(await api.getJson(path, FIELDS), grantId)
      return fitHostedId(attachmentId, all)?.exact ?? absent()
    }
    checkId(attachmentId, 'attachment_id')
    const entry = await api.getJson(`${path}/${encodeURIComponent(attachmentId)}`, FIELDS)
    return toAttachment({ ...entry, id: attachmentId }, grantId) ?? absent()
  }
  return {
    async find(session, { messageId, attachmentId, sharedFrom }) {
      checkId(messageId, 'message_id')
      const api = openGraph(deps, session, sharedFrom)
      return byMessageId(api, messageId, (id) => findIn(api, session.grantId, id, attachmentId))
    },
    async open(session, { messageId, attachmentId, sharedFrom }) {
      checkId(messageId, 'message_id')
      const api = openGraph(deps, session, sharedFrom)
      return byMessageId(api, messageId, async (id) => {
        const attachment = await findIn(api, session.grantId, id, attachmentId)
        const { headers, body } = await api.open(
          `${messagePath(api, id)}/attachments/${encodeURIComponent(attachment.id)}/$value`,
        )
        // Graph's `size` counts overhead; only the answer itself says how many bytes come.
        const length = headers['content-encoding'] === undefined ? headers['content-length'] : undefined
        const isExact = length !== undefined && /^\d{1,15}$/.test(length)
        return { attachment, content: body, ...(isExact ? { sizeBytes: Number(length) } : {}) }
      })
    },
  }
}

/** The attachments of an answer's list, links left out. */
export function toAttachments(answer: JsonObject, grantId: string): Attachment[] {
  return itemsOf(answer).flatMap((entry) => toAttachment(entry, grantId) ?? [])
}

function absent(): never {
  throw new ProviderError('not-found', 'The message has no such attachment.', {
    answered: true,
    providerBody: { code: 'ErrorItemNotFound', message: 'The message has no such attachment.' },
  })
}
