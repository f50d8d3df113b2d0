import { isJsonObject, type JsonObject, parseJson, stringField } from '../../kit/json.ts'
import { apiError, invalidArgument, noContent, notFound } from '../reply.ts'
import type { SandboxReply, SeedLabel } from '../types.ts'
import { type GmailCall, READ_SCOPES, refusalWithout } from './call.ts'
import { LABEL_COLORS } from './label-colors.ts'
import { changeLabels, type StoredMessage } from './mailbox.ts'

const CHANGE_SCOPES = ['gmail.modify', 'gmail.labels']
const NAME_LIMIT = 225

/** Answers users.labels. */
export function labelsApi(call: GmailCall): SandboxReply {
  const { id, mailbox } = call
  const verb = call.request.method
  const refusal = refusalWithout(call, verb === 'GET' ? [...READ_SCOPES, 'gmail.labels'] : CHANGE_SCOPES)
  if (refusal) return refusal
  if (id === undefined) {
    if (verb === 'GET') return call.shown({ labels: mailbox.labels.map(plainLabel) })
    return verb === 'POST' ? create(call) : notFound()
  }
  const label = mailbox.labels.find((one) => one.id === id)
  if (!label) return notFound()
  if (verb === 'GET') return get(call, label)
  if (label.type === 'system')
    return invalidArgument(verb === 'DELETE' ? 'Invalid delete request' : 'Invalid update request')
  if (verb === 'PATCH' || verb === 'PUT') return update(call, label)
  if (verb !== 'DELETE') return notFound()
  for (const message of mailbox.messages) changeLabels(mailbox, message, { add: [], remove: [id] })
  mailbox.labels = mailbox.labels.filter((one) => one !== label)
  return noContent
}

function create(call: GmailCall): SandboxReply {
  const body = parseJson(call.request.body)
  if (!isJsonObject(body)) return invalidArgument('Invalid JSON payload received.')
  const name = stringField(body, 'name') ?? ''
  const refusal = refusedName(call, name, undefined) ?? refusedColor(body)
  if (refusal) return refusal
  const { mailbox } = call
  const taken = mailbox.labels.map((one) => Number(/^Label_(\d+)$/.exec(one.id)?.[1] ?? 0))
  const label: SeedLabel = { id: `Label_${Math.max(...taken, 0) + 1}`, name, type: 'user', ...colorOf(body) }
  mailbox.labels = [...mailbox.labels, label]
  return call.shown(plainLabel(label))
}

function update(call: GmailCall, label: SeedLabel): SandboxReply {
  const body = parseJson(call.request.body)
  if (!isJsonObject(body)) return invalidArgument('Invalid JSON payload received.')
  const name = stringField(body, 'name') ?? label.name
  const refusal = refusedName(call, name, label) ?? refusedColor(body)
  if (refusal) return refusal
  const changed: SeedLabel = { ...label, name, ...colorOf(body) }
  call.mailbox.labels = call.mailbox.labels.map((one) => (one === label ? changed : one))
  return get(call, changed)
}

function get(call: GmailCall, label: SeedLabel): SandboxReply {
  const messages = call.mailbox.messages.filter((message) => message.labelIds.includes(label.id))
  const unread = messages.filter((message) => message.labelIds.includes('UNREAD'))
  const threads = (list: readonly StoredMessage[]) => new Set(list.map((message) => message.threadId)).size
  return call.shown({
    ...plainLabel(label),
    messagesTotal: messages.length,
    messagesUnread: unread.length,
    threadsTotal: threads(messages),
    threadsUnread: threads(unread),
  })
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

function refusedName(call: GmailCall, name: string, own: SeedLabel | undefined): SandboxReply | undefined {
  if (name.trim() === '' || name.length > NAME_LIMIT) return invalidArgument('Invalid label name')
  const isTaken = call.mailbox.labels.some(
    (one) => one !== own && one.name.toLowerCase() === name.toLowerCase(),
  )
  return isTaken ? apiError(409, 'aborted', 'Label name exists or conflicts', 'ABORTED') : undefined
}

function refusedColor(body: JsonObject): SandboxReply | undefined {
  const color = body['color']
  if (color === undefined) return undefined
  const isKnown =
    isJsonObject(color) &&
    ['textColor', 'backgroundColor'].every((name) => LABEL_COLORS.has(stringField(color, name) ?? ''))
  return isKnown ? undefined : invalidArgument('Label color is not on the allowed color palette')
}

function colorOf(body: JsonObject): Pick<SeedLabel, 'color'> {
  const color = body['color']
  if (!isJsonObject(color)) return {}
  const textColor = stringField(color, 'textColor') ?? ''
  return { color: { textColor, backgroundColor: stringField(color, 'backgroundColor') ?? '' } }
}
