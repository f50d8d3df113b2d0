import type { MessagesPort } from '../../core/ports/mail.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import { openApi } from './api.ts'
import { at } from './endpoints.ts'
import type { GoogleDeps } from './identity.ts'
import { listBySearch } from './list-messages.ts'
import { listByThread } from './list-thread-messages.ts'
import { detailFor, isGmailId, messagePath } from './message-detail.ts'
import { mapMessage, toRawMessage } from './read-messages.ts'
import { checkQuery, unsupported } from './search-query.ts'

/** One source of 35 MB in base64, and room for its envelope. */
const ONE_MAX_BYTES = 64 * 1024 * 1024

/** Messages by the Gmail API (contract/email.md 12). */
export function createGmailMessages(deps: GoogleDeps): MessagesPort {
  const { gmailUrl } = deps.endpoints
  return {
    async list(session, query) {
      checkQuery(query)
      const reader = { api: openApi(deps, session), gmailUrl, grantId: session.grantId }
      return query.threadId === undefined
        ? listBySearch(reader, query)
        : listByThread(reader, query, query.threadId)
    },
    async find(session, id, { fields, select, sharedFrom }) {
      if (sharedFrom !== undefined) throw unsupported('shared_from')
      if (!isGmailId(id)) throw new ProviderError('not-found', 'The message does not exist at Google.')
      const reader = { api: openApi(deps, session), gmailUrl, grantId: session.grantId }
      const isRaw = fields === 'raw_mime'
      const detail = isRaw ? 'raw' : detailFor({ fields, select, readsHeaders: false })
      const resource = await reader.api.getJson(at(gmailUrl, messagePath(id, detail)), ONE_MAX_BYTES)
      return isRaw ? toRawMessage(resource, session.grantId) : mapMessage(reader, resource, fields)
    },
  }
}
