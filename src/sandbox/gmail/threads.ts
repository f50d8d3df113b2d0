import { invalidArgument, noContent, notFound } from '../reply.ts'
import type { SandboxReply } from '../types.ts'
import { formatOf, type GmailCall, isReply, READ_SCOPES, refusalWithout } from './call.ts'
import { list } from './list.ts'
import { changeLabels, removeMessage, type StoredMessage } from './mailbox.ts'
import { labelChangeOf } from './messages.ts'
import { renderMessage } from './render.ts'

/** Answers users.threads. */
export function threadsApi(call: GmailCall): SandboxReply {
  const { id, child, mailbox } = call
  const verb = call.request.method
  if (verb === 'GET' && id === undefined) return list(call, 'threads')
  const oldestFirst = mailbox.messages.filter((message) => message.threadId === id).toReversed()
  if (verb === 'GET' && child === undefined) return get(call, oldestFirst)
  const refusal = refusalWithout(call, verb === 'DELETE' ? [] : ['gmail.modify'])
  if (refusal) return refusal
  if (oldestFirst.length === 0) return notFound()
  if (verb === 'DELETE' && child === undefined) {
    for (const message of oldestFirst) removeMessage(mailbox, message)
    return noContent
  }
  if (verb !== 'POST') return notFound()
  const change = labelChangeOf(call, child)
  if (isReply(change)) return change
  const changed = oldestFirst.map((message) => changeLabels(mailbox, message, change))
  return call.shown({
    id,
    messages: changed.map((message) => ({
      id: message.id,
      threadId: message.threadId,
      labelIds: message.labelIds,
    })),
  })
}

function get(call: GmailCall, oldestFirst: readonly StoredMessage[]): SandboxReply {
  const refusal = refusalWithout(call, READ_SCOPES)
  if (refusal) return refusal
  const format = formatOf(call)
  if (typeof format !== 'string') return format
  if (format === 'raw') return invalidArgument('Invalid value at format')
  if (oldestFirst.length === 0) return notFound()
  const headers = call.query.getAll('metadataHeaders')
  return call.shown({
    id: call.id,
    historyId: String(Math.max(...oldestFirst.map(({ historyId }) => historyId))),
    messages: oldestFirst.map((message) => renderMessage(message, format, headers)),
  })
}
