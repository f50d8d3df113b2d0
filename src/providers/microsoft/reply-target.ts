import type { MessageHeader } from '../../contract/message.ts'
import { type JsonObject, stringField } from '../../kit/json.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import type { GraphApi } from './api.ts'
import { throwWithoutId } from './graph-call.ts'
import { checkId } from './mailbox.ts'
import { quote } from './message-query.ts'
import { itemsOf, messagePath } from './read-messages.ts'
import { headersOfSource } from './source-headers.ts'
import { toHeaders } from './to-wire.ts'
import { byMessageId } from './translate-id.ts'

/** The message that is replied to, as far as a reply needs it. */
export interface ReplyTarget {
  readonly id: string
  readonly threadId: string
  /** Message-ID with angle brackets */
  readonly messageId: string | undefined
  /** what `References` of the reply holds, oldest first */
  readonly references: readonly string[]
  /** Outlook's own headers of a conversation, for the reply */
  readonly threadHeaders: readonly MessageHeader[]
}

const FIELDS = 'id,subject,internetMessageId,internetMessageHeaders,conversationId,conversationIndex,isDraft'
const HEAD_BYTES = 64 * 1024

/**
 * Finds the message that is replied to, by Graph's id or by its Message-ID in angle brackets.
 * @throws ProviderError `not-found`
 */
export async function findReplyTarget(api: GraphApi, reference: string): Promise<ReplyTarget> {
  const resource = reference.startsWith('<')
    ? await findByMessageId(api, reference)
    : await byMessageId(api, checkId(reference, 'reply_to_message_id'), (id) =>
        api.getJson(messagePath(api, id), [['$select', FIELDS]]),
      )
  const id = stringField(resource, 'id') || throwWithoutId('a message')
  // Mail of one's own often has no headers in Graph: the first lines of the source have them.
  const headers = toHeaders(resource) ?? headersOfSource(await readHead(api, id))
  const messageId = stringField(resource, 'internetMessageId') || valueOf(headers, 'message-id')
  const earlier = (valueOf(headers, 'references') ?? valueOf(headers, 'in-reply-to') ?? '').match(
    /<[^<>\s]+>/g,
  )
  return {
    id,
    threadId: stringField(resource, 'conversationId') ?? '',
    messageId,
    references: [...new Set([...(earlier ?? []), ...(messageId ? [messageId] : [])])],
    threadHeaders: threadHeadersOf(resource),
  }
}

/** The same Message-ID may stand in several folders; a draft is the worst to reply to. */
async function findByMessageId(api: GraphApi, messageId: string): Promise<JsonObject> {
  const answer = await api.getJson(`${api.root}/messages`, [
    ['$filter', `internetMessageId eq ${quote(messageId)}`],
    ['$select', FIELDS],
    ['$top', '10'],
  ])
  const found = itemsOf(answer)
  const message = found.find(({ isDraft }) => isDraft !== true) ?? found[0]
  if (message) return message
  const text = 'reply_to_message_id names no message of this mailbox.'
  throw new ProviderError('not-found', text, {
    answered: true,
    providerBody: { code: 'ErrorItemNotFound', message: text },
  })
}

async function readHead(api: GraphApi, id: string): Promise<Buffer> {
  const { body } = await api.open(`${messagePath(api, id)}/$value`)
  const parts: Buffer[] = []
  let size = 0
  for await (const part of body) {
    parts.push(Buffer.from(part))
    size += part.length
    if (size >= HEAD_BYTES) break // leaving the loop destroys the stream
  }
  return Buffer.concat(parts)
}

function valueOf(headers: readonly MessageHeader[], name: string): string | undefined {
  return headers.find((header) => header.name.toLowerCase() === name)?.value
}

/** Length of a conversation index without replies, and of what each reply adds ([MS-OXOMSG] 2.2.1.3). */
const INDEX_BYTES = 22
const REPLY_BYTES = 5

/** Exchange puts a message into a conversation by the first 22 bytes of its index, not by References alone. */
function threadHeadersOf(resource: JsonObject): MessageHeader[] {
  const index = Buffer.from(stringField(resource, 'conversationIndex') ?? '', 'base64')
  if (index.length < INDEX_BYTES) return []
  const reply = Buffer.alloc(REPLY_BYTES)
  reply.writeUInt32BE(Math.floor(index.length / REPLY_BYTES) & 0x7fffffff)
  const topic = (stringField(resource, 'subject') ?? '').replace(/^(?:\s*(?:re|fwd?|aw|wg)\s*:)+\s*/i, '')
  return [
    { name: 'Thread-Index', value: Buffer.concat([index, reply]).toString('base64') },
    ...(isPlain(topic) ? [{ name: 'Thread-Topic', value: topic }] : []),
  ]
}

function isPlain(text: string): boolean {
  return /^[ -~]{1,200}$/.test(text)
}
