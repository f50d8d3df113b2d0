import { invalidArgument, notFound } from '../reply.ts'
import type { SandboxReply } from '../types.ts'
import { type GmailCall, READ_SCOPES, refusalWithout } from './call.ts'
import type { HistoryKind, HistoryRecord } from './mailbox.ts'

const TYPES: { readonly [name: string]: HistoryKind } = {
  messageAdded: 'messagesAdded',
  messageDeleted: 'messagesDeleted',
  labelAdded: 'labelsAdded',
  labelRemoved: 'labelsRemoved',
}

/** Answers users.history.list: what changed since a history id; 404 for one that is too old. */
export function historyApi(call: GmailCall): SandboxReply {
  if (call.request.method !== 'GET' || call.id !== undefined) return notFound()
  const refusal = refusalWithout(call, READ_SCOPES)
  if (refusal) return refusal
  const { mailbox, query } = call
  const start = Number(query.get('startHistoryId') ?? Number.NaN)
  if (!Number.isInteger(start)) return invalidArgument('Missing or malformed startHistoryId')
  const oldest = mailbox.history[0]?.id ?? mailbox.historyId + 1
  if (start < oldest - 1 || start > mailbox.historyId) return notFound()
  const kinds = query.getAll('historyTypes').flatMap((type) => TYPES[type] ?? [])
  const label = query.get('labelId')
  const found = mailbox.history.filter(
    ({ id, kind, message }) =>
      id > start &&
      (kinds.length === 0 || kinds.includes(kind)) &&
      (label === null || message.labelIds.includes(label)),
  )
  const from = Number(query.get('pageToken') ?? 0)
  const size = Math.min(500, Number(query.get('maxResults') ?? 100))
  if (!Number.isInteger(from) || !Number.isInteger(size) || size < 1)
    return invalidArgument('Invalid pageToken')
  const page = found.slice(from, from + size)
  const end = from + page.length
  return call.shown({
    ...(page.length > 0 ? { history: page.map(entryOf) } : {}),
    ...(end < found.length ? { nextPageToken: String(end) } : {}),
    historyId: String(mailbox.historyId),
  })
}

function entryOf({ id, kind, message, labelIds }: HistoryRecord): object {
  const reference = { id: message.id, threadId: message.threadId }
  const shown = { ...reference, labelIds: message.labelIds }
  return {
    id: String(id),
    messages: [reference],
    [kind]: [{ message: shown, ...(labelIds === undefined ? {} : { labelIds }) }],
  }
}
