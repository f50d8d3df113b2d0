import type { MessagesPort } from '../../core/ports/mail.ts'
import { openGraph } from './api.ts'
import { graphBase } from './endpoints.ts'
import { type GraphDeps, throwWithoutId } from './graph-call.ts'
import { listMessages } from './list-messages.ts'
import { listThreadMessages } from './list-thread-messages.ts'
import { checkId } from './mailbox.ts'
import { checkQuery, projection } from './message-query.ts'
import { finishMessage, messagePath, readRaw } from './read-messages.ts'
import { toMessage } from './to-wire.ts'
import { byMessageId } from './translate-id.ts'

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
    async find(session, id, options) {
      const { fields, select, sharedFrom } = options
      checkId(id, 'message_id')
      const reader = { api: openGraph(deps, session, sharedFrom), grantId: session.grantId, base }
      return byMessageId(reader.api, id, async (known) => {
        if (fields === 'raw_mime') return readRaw(reader, known)
        const resource = await reader.api.getJson(messagePath(reader.api, known), projection(fields, select))
        const message = toMessage(resource, session.grantId) ?? throwWithoutId('a message')
        return finishMessage(reader, { message, resource }, options)
      })
    },
  }
}
