import { isJsonObject, parseJson, stringField, type JsonObject } from '../../kit/json.ts'
import { invalidArgument, noContent, notFound } from '../reply.ts'
import type { SandboxReply } from '../types.ts'
import { sendMail, threadFor } from './accept-mail.ts'
import { formatOf, type GmailCall, isReply, READ_SCOPES, refusalWithout } from './call.ts'
import { list } from './list.ts'
import { addMessage, findMessage, mintId, removeMessage, type StoredMessage } from './mailbox.ts'
import { summary } from './messages.ts'
import { readSource } from './read-source.ts'
import { renderMessage } from './render.ts'
import { readUpload, sourceOf } from './uploads.ts'
import { writeSource } from './write-source.ts'

const SCOPES = ['gmail.compose', 'gmail.modify']

/** Answers users.drafts. A draft keeps its id; its message gets another with each change. */
export function draftsApi(call: GmailCall): SandboxReply {
  const { id, child, mailbox } = call
  const verb = call.request.method
  if (child !== undefined) return notFound()
  if (verb === 'GET' && id === undefined) return list(call, 'drafts')
  const refusal = refusalWithout(call, verb === 'GET' ? [...READ_SCOPES, 'gmail.compose'] : SCOPES)
  if (refusal) return refusal
  if (verb === 'POST' && id === undefined) return create(call)
  if (verb === 'POST' && id === 'send') return send(call)
  const message = id === undefined ? undefined : findMessage(mailbox, mailbox.drafts.get(id))
  if (id === undefined || !message) return notFound()
  switch (verb) {
    case 'GET': {
      const format = formatOf(call)
      if (typeof format !== 'string') return format
      return call.shown({ id, message: renderMessage(message, format, []) })
    }
    case 'PUT':
      return update(call, id, message)
    case 'DELETE':
      removeMessage(mailbox, message)
      return noContent
    default:
      return notFound()
  }
}

function create(call: GmailCall): SandboxReply {
  const message = store(call)
  if (isReply(message)) return message
  const id = `r-${BigInt(`0x${mintId(call.mailbox)}`)}`
  call.mailbox.drafts.set(id, message.id)
  return call.shown({ id, message: summary(message) })
}

function update(call: GmailCall, id: string, before: StoredMessage): SandboxReply {
  const message = store(call, before.threadId)
  if (isReply(message)) return message
  removeMessage(call.mailbox, before)
  call.mailbox.drafts.set(id, message.id)
  return call.shown({ id, message: summary(message) })
}

function store(call: GmailCall, ownThread?: string): StoredMessage | SandboxReply {
  const upload = readUpload(call.request)
  if (isReply(upload)) return upload
  const message = messageOf(upload.resource)
  const source = sourceOf(message, upload.media)
  if (isReply(source)) return source
  const content = readSource(source)
  const asked = stringField(message, 'threadId')
  const threadId = threadFor(call.mailbox, content.headers, asked)
  if (typeof threadId === 'object') return threadId
  // The thread that the draft itself began stays its own.
  const kept = asked === ownThread ? asked : undefined
  return addMessage(call.mailbox, { ...content, source, labelIds: ['DRAFT'], threadId: threadId ?? kept })
}

function send(call: GmailCall): SandboxReply {
  const isUpload = call.request.url.pathname.startsWith('/upload/')
  const body = isUpload ? {} : parseJson(call.request.body)
  const draftId = isJsonObject(body) ? stringField(body, 'id') : undefined
  if (isUpload || draftId === undefined) return invalidArgument('Missing draft id')
  const { mailbox, state } = call
  const draft = findMessage(mailbox, mailbox.drafts.get(draftId))
  if (!draft) return notFound()
  const sent = sendMail(state, mailbox, draft.source ?? writeSource(draft), undefined)
  if (isReply(sent)) return sent
  removeMessage(mailbox, draft)
  const moved = { ...sent, threadId: draft.threadId }
  mailbox.messages = mailbox.messages.map((one) => (one.id === sent.id ? moved : one))
  return call.shown(summary(moved))
}

function messageOf(resource: JsonObject): JsonObject {
  const message = resource['message']
  return isJsonObject(message) ? message : {}
}
