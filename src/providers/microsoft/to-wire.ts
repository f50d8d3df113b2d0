import type { Attachment, EmailName, FullMessage, MessageHeader } from '../../contract/message.ts'
import { snippetOfHtml, snippetOfText } from '../../formats/snippet.ts'
import { isJsonObject, type JsonObject, stringField } from '../../kit/json.ts'
import { IN_CHARACTERS, type TextForm } from '../../kit/text-form.ts'

/*
 * Graph's message to the wire's (contract/email.md 13.3). What Graph sends is untrusted: a field that is missing
 * or of another type becomes the wire's empty value; nothing in here throws. What looks at a text's characters goes
 * through its form; ids and dates are ASCII in either form (list-answer.ts).
 */

/** Maps a message; its texts stay in the form they have. `undefined` where it has no id. */
export function toMessage(
  resource: JsonObject,
  grantId: string,
  form: TextForm = IN_CHARACTERS,
): FullMessage | undefined {
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
    from: senderOf(resource, form),
    to: addressesOf(resource['toRecipients'], form),
    cc: addressesOf(resource['ccRecipients'], form),
    bcc: addressesOf(resource['bccRecipients'], form),
    reply_to: addressesOf(resource['replyTo'], form),
    folders: folder ? [folder] : [],
    unread: resource['isRead'] === false,
    starred: flag?.toLowerCase() === 'flagged',
    snippet: snippetOf(resource, body, form),
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

function snippetOf(resource: JsonObject, body: string, form: TextForm): string {
  const preview = stringField(resource, 'bodyPreview')
  if (preview) return form.write(snippetOfText(form.read(preview)))
  return body === '' ? '' : form.write(snippetOfHtml(form.read(body)))
}

function senderOf({ from, sender }: JsonObject, form: TextForm): EmailName[] {
  const address = addressOf(from, form) ?? addressOf(sender, form)
  return address ? [address] : []
}

function addressesOf(value: unknown, form: TextForm): EmailName[] {
  const addresses: EmailName[] = []
  if (!Array.isArray(value)) return addresses
  for (const entry of value) {
    const address = addressOf(entry, form)
    if (address) addresses.push(address)
  }
  return addresses
}

function addressOf(value: unknown, form: TextForm): EmailName | undefined {
  const entry = isJsonObject(value) ? value['emailAddress'] : undefined
  if (!isJsonObject(entry)) return undefined
  const email = trimmed(stringField(entry, 'address') ?? '', form)
  const name = trimmed(stringField(entry, 'name') ?? '', form)
  if (name !== '') return { email, name }
  return email === '' ? undefined : { email }
}

function trimmed(text: string, form: TextForm): string {
  return isPrinted(text.charCodeAt(0)) && isPrinted(text.charCodeAt(text.length - 1))
    ? text
    : form.write(form.read(text).trim())
}

/** Tells whether a unit is ASCII and no blank. */
function isPrinted(unit: number): boolean {
  return unit > 0x20 && unit < 0x7f
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
  const { size } = entry
  return {
    id,
    grant_id: grantId,
    filename: isItem && !/\.eml$/i.test(name) ? `${name}.eml` : name,
    content_type: stringField(entry, 'contentType') || (isItem ? 'message/rfc822' : ''),
    size: typeof size === 'number' ? Math.max(0, Math.trunc(size)) : 0,
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
