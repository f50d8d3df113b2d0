import { applyFields } from '../fields-mask.ts'
import { invalidArgument, json, notFound } from '../reply.ts'
import { type Caller, holds, missingScope } from '../caller.ts'
import type { SandboxReply, SandboxRequest, SeedLabel, SeedMessage, SeedUser } from '../types.ts'
import { attachmentOf, type Format, renderMessage } from './render.ts'
import { matches } from './search.ts'

const MAIL_SCOPES = ['gmail.readonly', 'gmail.modify', 'gmail.metadata']
const FORMATS: readonly Format[] = ['minimal', 'metadata', 'full', 'raw']
const HIDDEN = ['SPAM', 'TRASH']

/** Answers the reading part of the Gmail API. */
export function gmailApi(caller: Caller, request: SandboxRequest): SandboxReply {
  if (!holds(caller, MAIL_SCOPES)) return missingScope()
  const { user } = caller
  const query = request.url.searchParams
  const [mailbox, resource, id, child, childId] = request.url.pathname
    .slice('/gmail/v1/users/'.length)
    .split('/')
    .map(decodeURIComponent)
  if (mailbox !== 'me' && mailbox !== user.email) return invalidArgument('Delegation denied')
  const shown = (body: unknown) => json(applyFields(body, query.get('fields')))
  if (resource === 'profile') return shown(profile(user))
  if (resource === 'settings' && id === 'sendAs') return shown({ sendAs: sendAs(user) })
  if (resource === 'labels')
    return id === undefined ? shown({ labels: user.labels.map(plainLabel) }) : oneLabel(user, id, shown)
  if (resource === 'threads' && id !== undefined) return oneThread(user, id, query, shown)
  if (resource === 'threads' || (resource === 'messages' && id === undefined))
    return list(user, resource, query, shown)
  if (resource === 'messages' && child === 'attachments') {
    const message = user.messages.find((one) => one.id === id)
    const data = message && childId !== undefined && attachmentOf(message, childId)
    return data ? shown(data) : notFound()
  }
  if (resource === 'messages') return oneMessage(user, id ?? '', query, shown)
  return notFound()
}

type Show = (body: unknown) => SandboxReply

function profile(user: SeedUser) {
  const threads = new Set(user.messages.map((message) => message.threadId))
  return {
    emailAddress: user.email,
    messagesTotal: user.messages.length,
    threadsTotal: threads.size,
    historyId: '1000',
  }
}

function sendAs(user: SeedUser) {
  return [
    { sendAsEmail: user.email, displayName: user.name, isPrimary: true, isDefault: true },
    ...user.aliases.map((alias) => ({
      sendAsEmail: alias,
      displayName: user.name,
      verificationStatus: 'accepted',
    })),
  ]
}

function plainLabel({ id, name, type, color }: SeedLabel) {
  return {
    id,
    name,
    messageListVisibility: 'show',
    labelListVisibility: 'labelShow',
    type,
    ...(color ? { color } : {}),
  }
}

function oneLabel(user: SeedUser, id: string, shown: Show): SandboxReply {
  const label = user.labels.find((one) => one.id === id)
  if (!label) return notFound()
  const messages = user.messages.filter((message) => message.labelIds.includes(id))
  const unread = messages.filter((message) => message.labelIds.includes('UNREAD'))
  const threads = (list: readonly SeedMessage[]) => new Set(list.map((message) => message.threadId)).size
  return shown({
    ...plainLabel(label),
    messagesTotal: messages.length,
    messagesUnread: unread.length,
    threadsTotal: threads(messages),
    threadsUnread: threads(unread),
  })
}

function formatOf(query: URLSearchParams): Format | undefined {
  const wanted = query.get('format') ?? 'full'
  return FORMATS.find((format) => format === wanted)
}

function oneMessage(user: SeedUser, id: string, query: URLSearchParams, shown: Show): SandboxReply {
  const format = formatOf(query)
  if (!format) return invalidArgument('Invalid value at format')
  const message = user.messages.find((one) => one.id === id)
  if (message) return shown(renderMessage(message, format, query.getAll('metadataHeaders')))
  return /^[0-9a-f]{16}$/.test(id) ? notFound() : invalidArgument('Invalid id value')
}

function oneThread(user: SeedUser, id: string, query: URLSearchParams, shown: Show): SandboxReply {
  const format = formatOf(query)
  if (!format || format === 'raw') return invalidArgument('Invalid value at format')
  const messages = user.messages.filter((message) => message.threadId === id).toReversed()
  if (messages.length === 0) return notFound()
  return shown({
    id,
    historyId: '1000',
    messages: messages.map((message) => renderMessage(message, format, query.getAll('metadataHeaders'))),
  })
}

function list(
  user: SeedUser,
  resource: 'messages' | 'threads',
  query: URLSearchParams,
  shown: Show,
): SandboxReply {
  const labelIds = query.getAll('labelIds')
  const unknown = labelIds.find((id) => !user.labels.some((label) => label.id === id))
  if (unknown !== undefined) return invalidArgument(`Invalid label: ${unknown}`)
  const size = Number(query.get('maxResults') ?? 100)
  if (!Number.isInteger(size) || size < 1) return invalidArgument('Invalid value at maxResults')
  const start = startOf(query.get('pageToken'))
  if (start === undefined) return invalidArgument('Invalid pageToken')
  const q = query.get('q') ?? ''
  const showsHidden = query.get('includeSpamTrash') === 'true' || labelIds.some((id) => HIDDEN.includes(id))
  const found = user.messages.filter(
    (message) =>
      labelIds.every((id) => message.labelIds.includes(id)) &&
      (showsHidden || !message.labelIds.some((id) => HIDDEN.includes(id))) &&
      matches(q, message),
  )
  const entries =
    resource === 'messages'
      ? found.map(({ id, threadId }) => ({ id, threadId }))
      : [...new Map(found.map((message) => [message.threadId, message])).values()].map(
          ({ threadId, snippet }) => ({ id: threadId, snippet, historyId: '1000' }),
        )
  const page = entries.slice(start, start + Math.min(500, size))
  const end = start + page.length
  return shown({
    ...(page.length > 0 ? { [resource]: page } : {}),
    ...(end < entries.length ? { nextPageToken: Buffer.from(`sandbox:${end}`).toString('base64url') } : {}),
    resultSizeEstimate: entries.length,
  })
}

function startOf(pageToken: string | null): number | undefined {
  if (pageToken === null) return 0
  const [, start] = /^sandbox:(\d+)$/.exec(Buffer.from(pageToken, 'base64url').toString('utf8')) ?? []
  return start === undefined ? undefined : Number(start)
}
