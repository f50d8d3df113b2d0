import type { MessageFields } from '../../contract/message.ts'

/** How much of a message is asked for: `minimal` has ids, labels, snippet, date; `metadata` headers, no parts. */
export type MessageDetail = 'minimal' | 'metadata' | 'full'

const MINIMAL = new Set([
  'id',
  'grant_id',
  'object',
  'date',
  'created_at',
  'thread_id',
  'folders',
  'unread',
  'starred',
  'snippet',
  'tracking_options',
  'metadata',
])
const NEEDS_PARTS = new Set(['body', 'attachments'])

/** Partial responses: Gmail sends these fields only (contract/email.md 12.1). */
const FIELDS: { readonly [detail in MessageDetail]: string } = {
  minimal: 'id,threadId,labelIds,snippet,internalDate',
  metadata: 'id,threadId,labelIds,snippet,internalDate,payload/headers',
  full: 'id,threadId,labelIds,snippet,internalDate,payload',
}

/** Chooses the least detail that fills what the client selected and what a local check reads. */
export function detailFor(options: {
  readonly fields: MessageFields
  readonly select?: readonly string[] | undefined
  readonly readsHeaders: boolean
}): MessageDetail {
  const { fields, select, readsHeaders } = options
  if (!select || select.length === 0 || select.some((name) => NEEDS_PARTS.has(name))) return 'full'
  const wantsHeaders = readsHeaders || fields === 'include_headers' || fields === 'include_basic_headers'
  return !wantsHeaders && select.every((name) => MINIMAL.has(name)) ? 'minimal' : 'metadata'
}

/** The path of one message below the Gmail base, with query. */
export function messagePath(id: string, detail: MessageDetail | 'raw'): string {
  const fields = detail === 'raw' ? 'id,threadId,labelIds,internalDate,raw' : FIELDS[detail]
  const query = new URLSearchParams({ format: detail, fields })
  return `/gmail/v1/users/me/messages/${encodeURIComponent(id)}?${query.toString()}`
}

/** The path of what changes of a message: its labels. */
export function labelsPath(id: string): string {
  const query = new URLSearchParams({ format: 'minimal', fields: 'id,labelIds' })
  return `/gmail/v1/users/me/messages/${encodeURIComponent(id)}?${query.toString()}`
}

/** The path of a draft with its whole message. */
export function draftPath(id: string): string {
  const query = new URLSearchParams({ format: 'full', fields: `id,message(${FIELDS.full})` })
  return `/gmail/v1/users/me/drafts/${encodeURIComponent(id)}?${query.toString()}`
}

/** The path of an attachment by Gmail's id of it, which holds for minutes only. */
export function attachmentPath(messageId: string, attachmentId: string): string {
  return `/gmail/v1/users/me/messages/${encodeURIComponent(messageId)}/attachments/${encodeURIComponent(attachmentId)}`
}

/** The path of a thread with all its messages in that detail. */
export function threadPath(id: string, detail: MessageDetail): string {
  const query = new URLSearchParams({ format: detail, fields: `id,messages(${FIELDS[detail]})` })
  return `/gmail/v1/users/me/threads/${encodeURIComponent(id)}?${query.toString()}`
}

/** How deep the parts of a message are told where bodies are left out; `fields` has no way to say "any depth". */
const OUTLINE_DEPTH = 4

/** The path of a thread with all its messages but their texts. */
export function threadOutlinePath(id: string): string {
  const part = 'partId,mimeType,filename,headers,body(attachmentId,size)'
  let payload = part
  for (let depth = 1; depth < OUTLINE_DEPTH; depth += 1) payload = `${part},parts(${payload})`
  const fields = `id,messages(${FIELDS.minimal},payload(${payload}))`
  return `/gmail/v1/users/me/threads/${encodeURIComponent(id)}?${new URLSearchParams({ format: 'full', fields }).toString()}`
}

/** Tells whether text can be a Gmail message or thread id; nothing else is put into a path. */
export function isGmailId(text: string): boolean {
  return /^[\w-]{1,128}$/.test(text)
}
