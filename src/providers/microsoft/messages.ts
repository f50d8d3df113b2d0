import type { MessagesPort } from '../../core/ports/mail.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import { openGraph } from './api.ts'
import { graphBase } from './endpoints.ts'
import type { GraphDeps } from './graph-call.ts'
import { listMessages } from './list-messages.ts'
import { listThreadMessages } from './list-thread-messages.ts'
import { checkId } from './mailbox.ts'
import { checkQuery, projection } from './message-query.ts'
import { finishMessage, messagePath, readRaw } from './read-messages.ts'
import { toMessage } from './to-wire.ts'

/** Messages by Microsoft Graph (contract/email.md 13). */
export function createGraphMessages(deps: GraphDeps): MessagesPort {
  const base = graphBase(deps.endpoints)
  return {
    async list(session, query) {
      const folder = checkQuery(query)
      const reader = { api: openGraph(deps, session, query.sharedFrom), grantId: session.grantId, base }
      return query.threadId === undefined
        ? listMessages(reader, query, folder)
        : listThreadMessages(reader, query, query.threadId, folder)
    },
    async find(session, id, { fields, select, sharedFrom }) {
      checkId(id, 'message_id')
      const reader = { api: openGraph(deps, session, sharedFrom), grantId: session.grantId, base }
      if (fields === 'raw_mime') return readRaw(reader, id)
      const resource = await reader.api.getJson(messagePath(reader.api, id), projection(fields, select))
      const message = toMessage(resource, session.grantId)
      if (message) return finishMessage(reader, { message, resource }, fields)
      throw new ProviderError('malformed-response', 'Microsoft answered a message without an id.', {
        answered: true,
      })
    },
  }
}
