import type { Attachment, EmailName, WireSentMessage } from '../../../contract/message.ts'
import type { TrackingRequest } from '../../../contract/outgoing.ts'
import { snippetOfHtml, snippetOfText } from '../../../formats/snippet.ts'
import type { PreparedMessage } from '../../ports/mail-services.ts'
import type { OutgoingAttachment, OutgoingMessage, SentResult } from '../../ports/outgoing.ts'
import type { GrantRecord } from '../../ports/records.ts'

/** What a message that was sent is answered with: as it was asked for, with what the provider made of it. */
export function presentSent(
  grant: GrantRecord,
  { message, metadata, tracking }: PreparedMessage,
  sent: SentResult,
): WireSentMessage {
  return {
    id: sent.id,
    grant_id: grant.id,
    object: 'message',
    thread_id: sent.threadId,
    date: sent.date,
    created_at: sent.date,
    ...contentOf(grant, message),
    attachments: sent.attachments
      ? [...sent.attachments]
      : message.attachments.map((file) => presentFile(grant, file)),
    folders: [...sent.folders],
    starred: false,
    unread: false,
    reply_to_message_id: message.replyToMessageId ?? '',
    schedule_id: '',
    ...(tracking ? { tracking_options: presentTracking(tracking.options) } : {}),
    ...(sent.headers ? { headers: [...sent.headers] } : {}),
    ...(metadata && Object.keys(metadata).length > 0 ? { metadata } : {}),
  }
}

/** What a message that will be sent later is answered with: it has no id yet (contract/email.md 18). */
export function presentScheduled(
  grant: GrantRecord,
  { message, metadata, tracking }: PreparedMessage,
  schedule: { readonly id: string; readonly sendAt: number; readonly useDraft: boolean },
): WireSentMessage {
  return {
    grant_id: grant.id,
    object: 'message',
    ...contentOf(grant, message),
    attachments: message.attachments.map((file) => presentFile(grant, file)),
    reply_to_message_id: message.replyToMessageId ?? '',
    schedule_id: schedule.id,
    send_at: schedule.sendAt,
    use_draft: schedule.useDraft,
    ...(tracking ? { tracking_options: presentTracking(tracking.options) } : {}),
    ...(metadata && Object.keys(metadata).length > 0 ? { metadata } : {}),
  }
}

/** Tracking as the wire shows it: every field is there. */
export function presentTracking(options: TrackingRequest) {
  const { opens = false, thread_replies = false, links = false, label = '' } = options
  return { opens, thread_replies, links, label }
}

function contentOf(grant: GrantRecord, message: OutgoingMessage) {
  return {
    subject: message.subject,
    body: message.body,
    snippet: snippetOf(message),
    from: [message.from ?? ownName(grant)],
    to: [...message.to],
    cc: [...message.cc],
    bcc: [...message.bcc],
    reply_to: [...message.replyTo],
  }
}

export function snippetOf({ body, isPlaintext }: Pick<OutgoingMessage, 'body' | 'isPlaintext'>): string {
  return isPlaintext ? snippetOfText(body) : snippetOfHtml(body)
}

function ownName(grant: GrantRecord): EmailName {
  return grant.name ? { email: grant.email, name: grant.name } : { email: grant.email }
}

/** Where the provider can't tell what became of a file, there is no id that would find it. */
function presentFile(grant: GrantRecord, file: OutgoingAttachment): Attachment {
  return {
    id: '',
    grant_id: grant.id,
    filename: file.filename,
    content_type: file.contentType,
    size: file.sizeBytes,
    ...(file.contentId === undefined ? {} : { content_id: file.contentId }),
    is_inline: file.isInline,
  }
}
