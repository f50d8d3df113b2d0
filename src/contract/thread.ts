import { Type, type Static } from 'typebox'
import { UnixSeconds } from './envelope.ts'
import { EmailName, Message } from './message.ts'

const { object: _messageOnly, ...messageFields } = Message.properties

/** The newest message or draft of a thread: its `object` says which. */
export const LatestOfThread = Type.Object({
  ...messageFields,
  object: Type.Optional(Type.Union([Type.Literal('message'), Type.Literal('draft')])),
})

/** The thread object (contract/email.md 6.2). */
export const Thread = Type.Object(
  {
    id: Type.Optional(Type.String()),
    grant_id: Type.Optional(Type.String()),
    object: Type.Optional(Type.Literal('thread')),
    subject: Type.Optional(Type.String()),
    snippet: Type.Optional(Type.String()),
    starred: Type.Optional(Type.Boolean()),
    unread: Type.Optional(Type.Boolean()),
    has_attachments: Type.Optional(Type.Boolean()),
    has_drafts: Type.Optional(Type.Boolean()),
    earliest_message_date: Type.Optional(UnixSeconds),
    latest_message_received_date: Type.Optional(UnixSeconds),
    latest_message_sent_date: Type.Optional(UnixSeconds),
    participants: Type.Optional(Type.Array(EmailName)),
    message_ids: Type.Optional(Type.Array(Type.String())),
    draft_ids: Type.Optional(Type.Array(Type.String())),
    folders: Type.Optional(Type.Array(Type.String())),
    latest_draft_or_message: Type.Optional(LatestOfThread),
  },
  { $id: 'Thread' },
)
export type WireThread = Static<typeof Thread>

/** A whole thread as an adapter gives it. */
export interface FullThread extends WireThread {
  id: string
  grant_id: string
  object: 'thread'
  subject: string
  snippet: string
  starred: boolean
  unread: boolean
  has_attachments: boolean
  has_drafts: boolean
  earliest_message_date: number
  participants: EmailName[]
  message_ids: string[]
  draft_ids: string[]
  folders: string[]
  latest_draft_or_message: Static<typeof LatestOfThread>
}

/** Body of `PUT /threads/{id}`: applied to every message of the thread. */
export const ThreadUpdateBody = Type.Object({
  starred: Type.Optional(Type.Boolean()),
  unread: Type.Optional(Type.Boolean()),
  folders: Type.Optional(Type.Array(Type.String())),
})
export type ThreadUpdateBody = Static<typeof ThreadUpdateBody>
