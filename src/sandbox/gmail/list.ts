import { apiError, invalidArgument } from '../reply.ts'
import type { SandboxReply } from '../types.ts'
import { type GmailCall, READ_SCOPES, refusalWithout, seesMetadataOnly } from './call.ts'
import type { StoredMessage } from './mailbox.ts'
import { matches } from './search.ts'

const HIDDEN = ['SPAM', 'TRASH']

/** Answers messages.list, threads.list and drafts.list. */
export function list(call: GmailCall, resource: 'messages' | 'threads' | 'drafts'): SandboxReply {
  const { mailbox, query, state } = call
  const refusal = refusalWithout(
    call,
    resource === 'drafts' ? [...READ_SCOPES, 'gmail.compose'] : READ_SCOPES,
  )
  if (refusal) return refusal
  const labelIds = query.getAll('labelIds')
  const unknown = labelIds.find((id) => !mailbox.labels.some((label) => label.id === id))
  if (unknown !== undefined) return invalidArgument(`Invalid label: ${unknown}`)
  const size = Number(query.get('maxResults') ?? 100)
  if (!Number.isInteger(size) || size < 1) return invalidArgument('Invalid value at maxResults')
  const after = readPageToken(query.get('pageToken'), state.pageGeneration)
  if (after === 'invalid') return invalidArgument('Invalid pageToken')
  const q = query.get('q') ?? ''
  if (q !== '' && seesMetadataOnly(call)) {
    return apiError(403, 'forbidden', "Metadata scope does not support 'q' parameter", 'PERMISSION_DENIED')
  }
  const showsHidden =
    query.get('includeSpamTrash') === 'true' ||
    labelIds.some((id) => HIDDEN.includes(id)) ||
    /\bin:(anywhere|trash|spam)\b/i.test(q)
  const found = mailbox.messages.filter(
    (message) =>
      labelIds.every((id) => message.labelIds.includes(id)) &&
      (showsHidden || !message.labelIds.some((id) => HIDDEN.includes(id))) &&
      (resource !== 'drafts' || message.labelIds.includes('DRAFT')) &&
      matches(q, message),
  )
  const ofThreads = resource === 'threads' ? newestOfThreads(found) : found
  const left = after === undefined ? ofThreads : ofThreads.filter((message) => isOlder(message, after))
  const page = left.slice(0, Math.min(500, size))
  const last = page.at(-1)
  return call.shown({
    ...(page.length > 0 ? { [resource]: page.map((message) => entryOf(call, resource, message)) } : {}),
    ...(last && left.length > page.length ? { nextPageToken: pageToken(last, state.pageGeneration) } : {}),
    resultSizeEstimate: ofThreads.length,
  })
}

function entryOf(call: GmailCall, resource: string, message: StoredMessage): object {
  const { id, threadId, snippet, historyId } = message
  if (resource === 'messages') return { id, threadId }
  if (resource === 'threads') return { id: threadId, snippet, historyId: String(historyId) }
  const [draftId] = [...call.mailbox.drafts].find(([, messageId]) => messageId === id) ?? []
  return { id: draftId ?? id, message: { id, threadId } }
}

function newestOfThreads(messages: readonly StoredMessage[]): readonly StoredMessage[] {
  const seen = new Set<string>()
  return messages.filter(({ threadId }) => !seen.has(threadId) && seen.add(threadId))
}

interface Place {
  readonly internalDateMs: number
  readonly id: string
}

/** Pages go on behind the last message shown, whatever has come or gone since. */
function pageToken({ internalDateMs, id }: Place, generation: number): string {
  return Buffer.from(`sandbox:${generation}:${internalDateMs}:${id}`).toString('base64url')
}

function readPageToken(token: string | null, generation: number): Place | undefined | 'invalid' {
  if (token === null) return undefined
  const text = Buffer.from(token, 'base64url').toString('utf8')
  const [, made, date, id] = /^sandbox:(\d+):(\d+):([0-9a-f]+)$/.exec(text) ?? []
  if (id === undefined || Number(made) !== generation) return 'invalid'
  return { internalDateMs: Number(date), id }
}

function isOlder(message: StoredMessage, than: Place): boolean {
  return (
    message.internalDateMs < than.internalDateMs ||
    (message.internalDateMs === than.internalDateMs && message.id < than.id)
  )
}
