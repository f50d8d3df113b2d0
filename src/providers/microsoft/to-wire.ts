import type { Attachment, EmailName, FullMessage, MessageHeader } from '../../contract/message.ts'
import { toParsedAddress } from '../../formats/addresses.ts'
import { snippetOfHtml, snippetOfText } from '../../formats/snippet.ts'
import { isJsonObject, type JsonObject, numberField, stringField } from '../../kit/json.ts'

/*
 * Graph's message to the wire's (contract/email.md 13.3). What Graph sends is untrusted: a field that is missing
 * or of another type becomes the wire's empty value; nothing in here throws.
 */

/** Maps a message; `undefined` where it has no id. */
export function toMessage(resource: JsonObject, grantId: string): FullMessage | undefined {
  const id = stringField(resource, 'id')
  if (!id) return undefined
  const folder = stringField(resource, 'parentFolderId')
  const date = dateOf(resource)
  const body = isJsonObject(resource['body']) ? (stringField(resource['body'], 'content') ?? '') : ''
  const flag = isJsonObject(resource['flag']) ? stringField(resource['flag'], 'flagStatus') : undefined
  return {
    id,
    grant_id: grantId,
    object: 'message',
    date,
    created_at: date,
    thread_id: stringField(resource, 'conversationId') ?? '',
    subject: stringField(resource, 'subject') ?? '',
    from: addressOf(resource['from']) ?? addressOf(resource['sender']) ?? [],
    to: addressesOf(resource['toRecipients']),
    cc: addressesOf(resource['ccRecipients']),
    bcc: addressesOf(resource['bccRecipients']),
    reply_to: addressesOf(resource['replyTo']),
    folders: folder ? [folder] : [],
    unread: resource['isRead'] === false,
    starred: flag?.toLowerCase() === 'flagged',
    snippet: snippetOf(resource, body),
    body,
    attachments: attachmentsOf(resource['attachments'], grantId),
  }
}

/** Unix seconds of receipt; of sending where that is missing. Exchange writes the year 1 for "none". */
export function dateOf(resource: JsonObject): number {
  for (const name of ['receivedDateTime', 'sentDateTime', 'createdDateTime']) {
    const time = Date.parse(stringField(resource, name) ?? '')
    if (Number.isFinite(time) && time > 0) return Math.floor(time / 1000)
  }
  return 0
}

function snippetOf(resource: JsonObject, body: string): string {
  const preview = stringField(resource, 'bodyPreview')
  if (preview) return snippetOfText(preview)
  return body === '' ? '' : snippetOfHtml(body)
}

function addressesOf(value: unknown): EmailName[] {
  return Array.isArray(value) ? value.flatMap((entry) => addressOf(entry) ?? []) : []
}

function addressOf(value: unknown): EmailName[] | undefined {
  const entry = isJsonObject(value) && isJsonObject(value['emailAddress']) ? value['emailAddress'] : undefined
  if (!entry) return undefined
  const address = toParsedAddress(stringField(entry, 'address'), stringField(entry, 'name'))
  return address.email === '' && address.name === undefined ? undefined : [address]
}

function attachmentsOf(value: unknown, grantId: string): Attachment[] {
  return Array.isArray(value)
    ? value.filter(isJsonObject).flatMap((entry) => toAttachment(entry, grantId) ?? [])
    : []
}

/**
 * Maps an attachment. Its id is Graph's own: URL-safe and, with immutable ids, the same each time. Links to files
 * elsewhere (`referenceAttachment`) are left out (contract/email.md 13.1).
 */
export function toAttachment(entry: JsonObject, grantId: string): Attachment | undefined {
  const id = stringField(entry, 'id')
  const kind = (stringField(entry, '@odata.type') ?? '').toLowerCase()
  if (!id || kind.endsWith('referenceattachment')) return undefined
  const isItem = kind.endsWith('itemattachment')
  const name = stringField(entry, 'name') ?? ''
  const contentId = stringField(entry, 'contentId')
  return {
    id,
    grant_id: grantId,
    filename: isItem && !/\.eml$/i.test(name) ? `${name}.eml` : name,
    content_type: stringField(entry, 'contentType') || (isItem ? 'message/rfc822' : ''),
    size: Math.max(0, Math.trunc(numberField(entry, 'size') ?? 0)),
    ...(contentId ? { content_id: contentId } : {}),
    is_inline: entry['isInline'] === true,
  }
}

/** Maps `internetMessageHeaders`; `undefined` where Graph has none (drafts, often self-sent mail). */
export function toHeaders(resource: JsonObject): MessageHeader[] | undefined {
  const { internetMessageHeaders: list } = resource
  if (!Array.isArray(list) || list.length === 0) return undefined
  return list.filter(isJsonObject).flatMap((entry) => {
    const name = stringField(entry, 'name')
    return name ? [{ name, value: stringField(entry, 'value') ?? '' }] : []
  })
}
