import type { MessagesPort } from '../../core/ports/mail.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import type { GoogleDeps } from './identity.ts'
import { listBySearch } from './list-messages.ts'
import { listByThread } from './list-thread-messages.ts'
import { detailFor, isGmailId } from './message-detail.ts'
import { openReader, readMessage, readRawMessage } from './read-messages.ts'
import { checkQuery, unsupported } from './search-query.ts'

/** Messages by the Gmail API (contract/email.md 12). */
export function createGmailMessages(deps: GoogleDeps): MessagesPort {
  return {
    async list(session, query) {
      checkQuery(query)
      const reader = openReader(deps, session)
      return query.threadId === undefined
        ? listBySearch(reader, query)
        : listByThread(reader, query, query.threadId)
    },
    async find(session, id, { fields, select, sharedFrom }) {
      if (sharedFrom !== undefined) throw unsupported('shared_from')
      if (!isGmailId(id)) throw new ProviderError('not-found', 'The message does not exist at Google.')
      const reader = openReader(deps, session)
      if (fields === 'raw_mime') return readRawMessage(reader, id)
      return readMessage(reader, id, detailFor({ fields, select, readsHeaders: false }), fields)
    },
  }
}
