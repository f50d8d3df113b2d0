import { Type, type Static } from 'typebox'
import { OpenObject, UnixSeconds } from './envelope.ts'

/** `email` is always a string: `""` where a header has a display name only (contract/email.md 3.3). */
export const EmailName = Type.Object({ email: Type.String(), name: Type.Optional(Type.String()) })
export type EmailName = Static<typeof EmailName>

export const Attachment = Type.Object({
  id: Type.String(),
  grant_id: Type.String(),
  filename: Type.String(),
  content_type: Type.String(),
  size: Type.Integer({ description: 'bytes; an estimate where the provider gives no better' }),
  content_id: Type.Optional(Type.String()),
  content_disposition: Type.Optional(Type.String()),
  is_inline: Type.Optional(Type.Boolean()),
})
export type Attachment = Static<typeof Attachment>

export const MessageHeader = Type.Object({ name: Type.String(), value: Type.String() })
export type MessageHeader = Static<typeof MessageHeader>

export const TrackingOptions = Type.Object({
  opens: Type.Boolean(),
  thread_replies: Type.Boolean(),
  links: Type.Boolean(),
  label: Type.String(),
})

/**
 * The message object. Everything but ids is optional in the schema because `select` and
 * `fields=raw_mime` leave fields out; adapters fill all that contract/email.md 3.3 marks "always".
 */
export const Message = Type.Object(
  {
    id: Type.Optional(Type.String()),
    grant_id: Type.Optional(Type.String()),
    object: Type.Optional(Type.Literal('message')),
    date: Type.Optional(UnixSeconds),
    created_at: Type.Optional(UnixSeconds),
    thread_id: Type.Optional(Type.String()),
    subject: Type.Optional(Type.String()),
    from: Type.Optional(Type.Array(EmailName)),
    to: Type.Optional(Type.Array(EmailName)),
    cc: Type.Optional(Type.Array(EmailName)),
    bcc: Type.Optional(Type.Array(EmailName)),
    reply_to: Type.Optional(Type.Array(EmailName)),
    folders: Type.Optional(Type.Array(Type.String())),
    unread: Type.Optional(Type.Boolean()),
    starred: Type.Optional(Type.Boolean()),
    snippet: Type.Optional(Type.String()),
    body: Type.Optional(Type.String()),
    attachments: Type.Optional(Type.Array(Attachment)),
    headers: Type.Optional(Type.Array(MessageHeader)),
    tracking_options: Type.Optional(TrackingOptions),
    raw_mime: Type.Optional(Type.String({ description: 'base64url of the RFC 5322 source' })),
    metadata: Type.Optional(OpenObject),
  },
  { $id: 'Message' },
)
export type WireMessage = Static<typeof Message>

/** Body of `PUT /messages/{id}` (contract/email.md 3.5). */
export const MessageUpdateBody = Type.Object({
  unread: Type.Optional(Type.Boolean()),
  starred: Type.Optional(Type.Boolean()),
  folders: Type.Optional(Type.Array(Type.String())),
  metadata: Type.Optional(OpenObject),
})
export type MessageUpdateBody = Static<typeof MessageUpdateBody>

/** The draft object: a message's fields, with `object: "draft"` (contract/email.md 8). */
export const Draft = Type.Object(
  {
    ...Message.properties,
    object: Type.Optional(Type.Literal('draft')),
    reply_to_message_id: Type.Optional(Type.String()),
  },
  { $id: 'Draft' },
)
export type WireDraft = Static<typeof Draft>

/** What a send answers: the message as it was asked for, with what the provider made of it (contract/email.md 4.7). */
export const SentMessage = Type.Object(
  {
    ...Message.properties,
    reply_to_message_id: Type.Optional(Type.String()),
    schedule_id: Type.Optional(Type.String()),
    send_at: Type.Optional(UnixSeconds),
    use_draft: Type.Optional(Type.Boolean()),
  },
  { $id: 'SentMessage' },
)
export type WireSentMessage = Static<typeof SentMessage>

/** A whole message as an adapter gives it: every field that is always there is required here. */
export interface FullMessage extends WireMessage {
  id: string
  grant_id: string
  object: 'message'
  date: number
  created_at: number
  thread_id: string
  subject: string
  from: EmailName[]
  to: EmailName[]
  cc: EmailName[]
  bcc: EmailName[]
  reply_to: EmailName[]
  folders: string[]
  unread: boolean
  starred: boolean
  snippet: string
  body: string
  attachments: Attachment[]
}

/** A whole draft as an adapter gives it. */
export interface FullDraft extends Omit<FullMessage, 'object'> {
  object: 'draft'
}

/** The answer to `fields=raw_mime`: these four fields and nothing else. */
export interface RawMessage {
  id: string
  grant_id: string
  object: 'message'
  raw_mime: string
}

export const MESSAGE_FIELDS = [
  'standard',
  'include_headers',
  'include_basic_headers',
  'include_tracking_options',
  'raw_mime',
] as const
export type MessageFields = (typeof MESSAGE_FIELDS)[number]

/** Header names of `fields=include_basic_headers`, lower case. */
export const BASIC_HEADERS: readonly string[] = ['message-id', 'in-reply-to', 'references']
