import { isJsonObject, type JsonObject, parseJson, stringField } from '../../kit/json.ts'
import { apiError, invalidArgument, noContent, notFound } from '../reply.ts'
import type { SandboxReply } from '../types.ts'
import { sendMail } from './accept-mail.ts'
import { formatOf, type GmailCall, isReply, READ_SCOPES, refusalWithout, seesMetadataOnly } from './call.ts'
import { list } from './list.ts'
import { changeLabels, findMessage, type Mailbox, removeMessage, type StoredMessage } from './mailbox.ts'
import { attachmentOf, renderMessage } from './render.ts'
import { readUpload, sourceOf } from './uploads.ts'

const CHANGE_SCOPES = ['gmail.modify']
/** Gmail decides about these alone. */
const FIXED_LABELS = ['SENT', 'DRAFT', 'CHAT']
const LABEL_LIMIT = 100

/** Answers users.messages and users.messages.attachments. */
export function messagesApi(call: GmailCall): SandboxReply {
  const { id, child, childId } = call
  const verb = call.request.method
  if (verb === 'POST' && id === 'send' && child === undefined) return send(call)
  if (call.request.url.pathname.startsWith('/upload/')) return notFound()
  if (verb === 'GET' && id === undefined) return list(call, 'messages')
  if (verb === 'GET' && child === undefined) return get(call)
  const message = findMessage(call.mailbox, id)
  if (verb === 'GET' && child === 'attachments') {
    const refusal = refusalWithout(call, READ_SCOPES)
    if (refusal) return refusal
    const data = message && childId !== undefined && attachmentOf(message, childId)
    return data ? call.shown(data) : notFound()
  }
  if (verb === 'DELETE' && child === undefined) {
    const refusal = refusalWithout(call, [])
    if (refusal) return refusal
    if (!message) return notFound()
    removeMessage(call.mailbox, message)
    return noContent
  }
  if (verb !== 'POST') return notFound()
  const refusal = refusalWithout(call, CHANGE_SCOPES)
  if (refusal) return refusal
  if (!message) return unknownId(id ?? '')
  const change = labelChangeOf(call, child)
  if (isReply(change)) return change
  return call.shown(summary(changeLabels(call.mailbox, message, change)))
}

/** What modify, trash and untrash do to labels, of messages and threads alike; or the refusal. */
export function labelChangeOf(
  call: GmailCall,
  action: string | undefined,
): { readonly add: readonly string[]; readonly remove: readonly string[] } | SandboxReply {
  if (action === 'trash') return { add: ['TRASH'], remove: ['INBOX', 'SPAM'] }
  if (action === 'untrash') return { add: [], remove: ['TRASH'] }
  if (action !== 'modify') return notFound()
  const body = parseJson(call.request.body)
  if (!isJsonObject(body)) return invalidArgument('Invalid JSON payload received.')
  const add = names(body, 'addLabelIds')
  const remove = names(body, 'removeLabelIds')
  if (add.length + remove.length === 0) return invalidArgument('No label add or removes specified')
  if (add.length > LABEL_LIMIT || remove.length > LABEL_LIMIT) return invalidArgument('Too many labels')
  for (const label of [...add, ...remove]) {
    if (!isLabel(call.mailbox, label)) return invalidArgument(`Invalid label: ${label}`)
    if (FIXED_LABELS.includes(label)) return invalidArgument(`Invalid label: ${label}`)
  }
  const both = add.find((label) => remove.includes(label))
  if (both !== undefined) return invalidArgument('Cannot both add and remove the same label')
  return { add, remove }
}

/** What a change or a send answers: ids and labels, no content. */
export function summary({ id, threadId, labelIds }: StoredMessage): object {
  return { id, threadId, labelIds }
}

function send(call: GmailCall): SandboxReply {
  const refusal = refusalWithout(call, ['gmail.send', 'gmail.compose', 'gmail.modify'])
  if (refusal) return refusal
  const upload = readUpload(call.request)
  if (isReply(upload)) return upload
  const source = sourceOf(upload.resource, upload.media)
  if (isReply(source)) return source
  const threadId = stringField(upload.resource, 'threadId')
  const sent = sendMail(call.state, call.mailbox, source, threadId)
  return isReply(sent) ? sent : call.shown(summary(sent))
}

function get(call: GmailCall): SandboxReply {
  const refusal = refusalWithout(call, READ_SCOPES)
  if (refusal) return refusal
  const format = formatOf(call)
  if (typeof format !== 'string') return format
  if (seesMetadataOnly(call) && (format === 'full' || format === 'raw')) {
    return apiError(
      403,
      'forbidden',
      `Metadata scope doesn't allow format ${format.toUpperCase()}`,
      'PERMISSION_DENIED',
    )
  }
  const message = findMessage(call.mailbox, call.id)
  if (message) return call.shown(renderMessage(message, format, call.query.getAll('metadataHeaders')))
  return unknownId(call.id ?? '')
}

function unknownId(id: string): SandboxReply {
  return /^[0-9a-f]{16}$/.test(id) ? notFound() : invalidArgument('Invalid id value')
}

function isLabel(mailbox: Mailbox, id: string): boolean {
  return mailbox.labels.some((label) => label.id === id)
}

function names(body: JsonObject, field: string): readonly string[] {
  const list = body[field]
  return Array.isArray(list) ? list.filter((one) => typeof one === 'string') : []
}
