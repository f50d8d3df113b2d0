import { randomUUID } from 'node:crypto'
import { headerAddresses, headerValue, decodeHeaderText } from '../../../src/formats/mime/headers.ts'
import { parseMessage } from '../../../src/formats/mime/parse-message.ts'
import { selectParts } from '../../../src/formats/mime/select-parts.ts'
import { decodeText } from '../../../src/formats/mime/decode-text.ts'
import { fileNameOf } from '../../../src/formats/mime/mime-part.ts'
import { decodeTransfer } from '../../../src/formats/mime/transfer-encoding.ts'
import { changeFolder, type ChangeRequest, folderOf, newId } from './folder-changes.ts'
import {
  graphError,
  type GraphReply,
  malformedId,
  notFound,
  project,
  projectAttachment,
} from './graph-mail.ts'
import {
  conversationIndexOf,
  type FakeAddress,
  type FakeAttachment,
  type FakeMailbox,
  type FakeMessage,
} from './seed.ts'

export interface FakeUploads {
  /** Opens a session; the file lands where `done` puts it. @returns its pre-signed address */
  open(size: number, done: (content: Buffer) => string): string
}

/** How the fake is to behave; tests change it. */
export interface FakeBehaviour {
  /** How many reads of a message that was sent still show the draft. */
  sentLag: number
  /** Addresses that others may send as. */
  readonly mayBeSentAs: Set<string>
  /** permanentDelete exists; false: as in a national cloud */
  hasPermanentDelete: boolean
}

export interface ChangeWorld {
  readonly uploads: FakeUploads
  readonly behaviour: FakeBehaviour
  /** Every message that left, as it left. */
  readonly sent: FakeMessage[]
  /** What reads show instead of a message, and how often. */
  readonly lagging: Map<string, { readonly message: FakeMessage; left: number }>
}

const REQUEST_LIMIT = 4 * 1024 * 1024
const ATTACHMENT_LIMIT = 3 * 1024 * 1024
const isoNow = () => new Date().toISOString().replace(/\.\d+Z$/, 'Z')

/** Answers a write below one user, as Graph does under immutable ids: nothing changes its id. */
export function answerChange(mailbox: FakeMailbox, world: ChangeWorld, request: ChangeRequest): GraphReply {
  const { path, method, json } = request
  const [collection, id, below] = path
  if (request.bytes > REQUEST_LIMIT) {
    return graphError(413, 'RequestEntityTooLarge', 'The request is over 4 MB.')
  }
  if (collection === 'translateExchangeIds') {
    const inputIds = json['inputIds'] as string[]
    const value = inputIds.map((sourceId) => ({
      sourceId,
      targetId: sourceId.replace(/Legacy-(.+?)-x+=$/, '-$1='),
    }))
    return { status: 200, body: { value } }
  }
  if (collection === 'mailFolders') return changeFolder(mailbox, request)
  if (collection !== 'messages') return graphError(405, 'ErrorInvalidRequest', 'Not allowed.')
  if (id === undefined) return createMessage(mailbox, request, undefined)
  const at = mailbox.messages.findIndex((one) => one.id === id)
  const message = mailbox.messages[at]
  if (!message) return id.startsWith('AAMk') ? notFound() : malformedId()
  const replace = (change: Partial<FakeMessage>): FakeMessage => {
    const next = { ...message, ...change }
    mailbox.messages[at] = next
    return next
  }
  if (method === 'PATCH' && below === undefined) return patchMessage(message, json, replace)
  if (method === 'DELETE' && below === undefined) return remove(mailbox, at)
  switch (below) {
    case 'permanentDelete':
      return world.behaviour.hasPermanentDelete
        ? remove(mailbox, at)
        : graphError(400, 'BadRequest', "Resource not found for the segment 'permanentDelete'.")
    case 'move': {
      const folder = folderOf(mailbox, String(json['destinationId'] ?? json['DestinationId']))
      if (!folder) return graphError(404, 'ErrorFolderNotFound', 'The specified folder could not be found.')
      return { status: 201, body: project(replace({ parentFolderId: folder.id }), new URLSearchParams()) }
    }
    case 'createReply':
      return createMessage(mailbox, request, message)
    case 'send':
      return send(mailbox, world, message, replace)
    case 'attachments':
      return changeAttachments(world, message, request, replace)
    default:
      return graphError(405, 'ErrorInvalidRequest', 'Not allowed.')
  }
}

function remove(mailbox: FakeMailbox, at: number): GraphReply {
  mailbox.messages.splice(at, 1)
  return { status: 204, body: '' }
}

const CONTENT = ['subject', 'body', 'toRecipients', 'ccRecipients', 'bccRecipients', 'replyTo', 'from']

function patchMessage(
  message: FakeMessage,
  json: Record<string, unknown>,
  replace: (change: Partial<FakeMessage>) => FakeMessage,
): GraphReply {
  if (message.isDraft !== true && CONTENT.some((name) => name in json)) {
    return graphError(400, 'ErrorInvalidPropertySet', 'The operation can not be performed on a sent item.')
  }
  if ('internetMessageHeaders' in json) {
    return graphError(400, 'ErrorInvalidPropertySet', 'internetMessageHeaders can only be set at creation.')
  }
  return { status: 200, body: project(replace(json as Partial<FakeMessage>), new URLSearchParams()) }
}

type Draft = Partial<Omit<FakeMessage, 'id' | 'parentFolderId'>>

function createMessage(
  mailbox: FakeMailbox,
  { json, mime }: ChangeRequest,
  parent: FakeMessage | undefined,
): GraphReply {
  const made = mime === undefined ? fromJson(json, parent) : fromSource(mime)
  if ('status' in made) return made
  const conversationId =
    parent?.conversationId ??
    conversationByIndex(mailbox, made.conversationIndex) ??
    `AAQkConv-${randomUUID()}=`
  const attachments = made.attachments ?? []
  const message: FakeMessage = {
    parentFolderId: folderOf(mailbox, 'drafts')?.id ?? '',
    conversationId,
    conversationIndex: conversationIndexOf(conversationId),
    receivedDateTime: isoNow(),
    sentDateTime: isoNow(),
    isDraft: true,
    isRead: true,
    flag: { flagStatus: 'notFlagged' },
    sender: own(mailbox),
    subject: '',
    toRecipients: [],
    ccRecipients: [],
    bccRecipients: [],
    replyTo: [],
    internetMessageId: `<${randomUUID()}@prod.outlook.example>`,
    ...made,
    from: made.from ?? own(mailbox),
    id: newId('Draft'),
    attachments,
    hasAttachments: attachments.some(({ isInline }) => !isInline),
    bodyPreview: (made.body?.content ?? '').replace(/<[^>]*>/g, ''),
    body: made.body ?? { contentType: 'html', content: '' },
  }
  mailbox.messages.push(message)
  // Headers of a draft are kept, and not shown before it is sent.
  return { status: 201, body: project({ ...message, internetMessageHeaders: [] }, new URLSearchParams()) }
}

function own(mailbox: FakeMailbox): FakeAddress {
  return { emailAddress: { name: mailbox.user.displayName, address: mailbox.user.userPrincipalName } }
}

function conversationByIndex(mailbox: FakeMailbox, index: string | undefined): string | undefined {
  if (index === undefined) return undefined
  const start = Buffer.from(index, 'base64').subarray(0, 22)
  return mailbox.messages.find(
    (one) =>
      one.conversationIndex && Buffer.from(one.conversationIndex, 'base64').subarray(0, 22).equals(start),
  )?.conversationId
}

function fromJson(json: Record<string, unknown>, parent: FakeMessage | undefined): Draft | GraphReply {
  const headers = (json['internetMessageHeaders'] ?? []) as { name: string; value: string }[]
  if (headers.length > 5) {
    return graphError(
      400,
      'InvalidInternetMessageHeaderCollection',
      'Maximum number of headers in one message should be less than or equal to 5.',
    )
  }
  const bad = headers.find(({ name }) => !/^x-/i.test(name))
  if (bad)
    return graphError(
      400,
      'InvalidInternetMessageHeader',
      `The internet message header name '${bad.name}' should start with 'x-' or 'X-'.`,
    )
  const given = (json['attachments'] ?? []) as Record<string, unknown>[]
  return {
    ...(parent
      ? { subject: `RE: ${parent.subject ?? ''}`, toRecipients: parent.from ? [parent.from] : [] }
      : {}),
    ...(json as Draft),
    attachments: given.map((entry) =>
      attachmentOf(entry, Buffer.from(String(entry['contentBytes']), 'base64')),
    ),
  }
}

function attachmentOf(entry: Record<string, unknown>, content: Buffer): FakeAttachment {
  return {
    '@odata.type': '#microsoft.graph.fileAttachment',
    id: newId('Att'),
    name: String(entry['name']),
    contentType: typeof entry['contentType'] === 'string' ? entry['contentType'] : null,
    size: content.length + 178,
    isInline: entry['isInline'] === true,
    contentId: typeof entry['contentId'] === 'string' ? entry['contentId'] : null,
    content,
  }
}

function fromSource(base64: string): Draft | GraphReply {
  if (!/^[A-Za-z0-9+/\r\n]+=*\s*$/.test(base64)) {
    return graphError(400, 'ErrorMimeContentInvalidBase64String', 'Invalid base64 string for MIME content.')
  }
  const source = Buffer.from(base64, 'base64')
  const parsed = parseMessage(source)
  const { headers } = parsed
  const parts = selectParts(parsed.structure)
  const people = (name: string): FakeAddress[] =>
    headerAddresses(headers, name).map(({ email, name: shown }) => ({
      emailAddress: { address: email, ...(shown === undefined ? {} : { name: shown }) },
    }))
  const bytesOf = (part: string) => parsed.contentOf(part) ?? new Uint8Array()
  const [from] = people('from')
  const text = parts.html ?? parts.plain
  const index = headerValue(headers, 'thread-index')
  const messageId = headerValue(headers, 'message-id')
  return {
    subject: decodeHeaderText(headerValue(headers, 'subject') ?? ''),
    ...(from ? { from } : {}),
    toRecipients: people('to'),
    ccRecipients: people('cc'),
    bccRecipients: people('bcc'),
    replyTo: people('reply-to'),
    ...(index === undefined ? {} : { conversationIndex: index }),
    ...(messageId === undefined ? {} : { internetMessageId: messageId }),
    internetMessageHeaders: headers.filter(({ name }) => !/^(bcc|content-|mime-)/i.test(name)),
    body: {
      contentType: parts.html ? 'html' : 'text',
      content: text ? decodeText(text.node, bytesOf(text.part)) : '',
    },
    attachments: parts.attachments.map(({ part, node }) =>
      attachmentOf(
        {
          name: fileNameOf(node) ?? 'untitled',
          contentType: node.type,
          isInline: node.disposition === 'inline',
          contentId: node.id?.replace(/^<|>$/g, ''),
        },
        Buffer.from(decodeTransfer(bytesOf(part), node.encoding)),
      ),
    ),
    source,
  }
}

function send(
  mailbox: FakeMailbox,
  world: ChangeWorld,
  message: FakeMessage,
  replace: (change: Partial<FakeMessage>) => FakeMessage,
): GraphReply {
  if (message.isDraft !== true) return graphError(400, 'ErrorInvalidRequest', 'The item is no draft.')
  const from = message.from?.emailAddress.address.toLowerCase() ?? ''
  if (from !== mailbox.user.userPrincipalName && !world.behaviour.mayBeSentAs.has(from)) {
    return graphError(
      403,
      'ErrorSendAsDenied',
      'The user account which was used to submit this request does not have the right to send mail on behalf of the specified sending account.',
    )
  }
  const recipients = [message.toRecipients, message.ccRecipients, message.bccRecipients].flatMap(
    (list) => list ?? [],
  )
  if (
    recipients.length === 0 ||
    recipients.some(({ emailAddress }) => !/^[^@\s]+@[^@\s]+\.[a-z]+$/.test(emailAddress.address))
  ) {
    return graphError(400, 'ErrorInvalidRecipients', 'At least one recipient is not valid.')
  }
  if (world.behaviour.sentLag > 0) {
    world.lagging.set(message.id, { message, left: world.behaviour.sentLag })
  }
  const copy = replace({
    isDraft: false,
    isRead: true,
    parentFolderId: folderOf(mailbox, 'sentitems')?.id ?? '',
    sentDateTime: isoNow(),
    receivedDateTime: isoNow(),
    internetMessageHeaders: [
      ...(message.internetMessageHeaders ?? []).filter(({ name }) => name.toLowerCase() !== 'message-id'),
      { name: 'Message-ID', value: message.internetMessageId ?? '' },
    ],
  })
  world.sent.push(copy)
  return { status: 202, body: '' }
}

function changeAttachments(
  world: ChangeWorld,
  message: FakeMessage,
  { method, path, json, bytes }: ChangeRequest,
  replace: (change: Partial<FakeMessage>) => FakeMessage,
): GraphReply {
  const [, , , id] = path
  const put = (attachments: readonly FakeAttachment[]) =>
    replace({ attachments, hasAttachments: attachments.some(({ isInline }) => !isInline) })
  if (message.isDraft !== true) return graphError(400, 'ErrorInvalidRequest', 'The item is no draft.')
  if (method === 'DELETE') {
    if (!message.attachments.some((one) => one.id === id)) return notFound()
    put(message.attachments.filter((one) => one.id !== id))
    return { status: 204, body: '' }
  }
  if (id === 'createUploadSession') {
    const item = json['AttachmentItem'] as Record<string, unknown>
    const size = Number(item['size'])
    if (size > 150 * 1024 * 1024) return graphError(400, 'ErrorAttachmentSizeLimitExceeded', 'Too large.')
    const uploadUrl = world.uploads.open(size, (content) => {
      const entry = attachmentOf(item, content)
      put([...message.attachments, entry])
      return entry.id
    })
    return { status: 201, body: { uploadUrl, expirationDateTime: isoNow(), nextExpectedRanges: ['0-'] } }
  }
  if (bytes > (ATTACHMENT_LIMIT * 4) / 3)
    return graphError(413, 'ErrorAttachmentSizeLimitExceeded', 'Too large.')
  const entry = attachmentOf(json, Buffer.from(String(json['contentBytes']), 'base64'))
  put([...message.attachments, entry])
  return { status: 201, body: projectAttachment(entry, 'name,size') }
}
