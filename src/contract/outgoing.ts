import { Type, type Static } from 'typebox'
import { OpenObject, UnixSeconds } from './envelope.ts'
import { EmailName } from './message.ts'

const Names = Type.Array(EmailName)

/** A file in a JSON body: its bytes in base64, or a finished large upload by its id (contract/email.md 4.2, 9.4). */
export const AttachmentBody = Type.Object({
  filename: Type.Optional(Type.String({ maxLength: 1024 })),
  content_type: Type.Optional(Type.String({ maxLength: 1024 })),
  content: Type.Optional(Type.String({ description: 'base64' })),
  content_id: Type.Optional(Type.String({ maxLength: 1024 })),
  content_disposition: Type.Optional(Type.String({ maxLength: 1024 })),
  is_inline: Type.Optional(Type.Boolean()),
  size: Type.Optional(Type.Integer()),
  id: Type.Optional(Type.String({ maxLength: 1024, description: 'attachment_id of a completed upload' })),
})
export type AttachmentBody = Static<typeof AttachmentBody>

export const TrackingRequest = Type.Object({
  opens: Type.Optional(Type.Boolean()),
  links: Type.Optional(Type.Boolean()),
  thread_replies: Type.Optional(Type.Boolean()),
  label: Type.Optional(Type.String({ maxLength: 2048 })),
  domain_name: Type.Optional(Type.String({ maxLength: 253 })),
})
export type TrackingRequest = Static<typeof TrackingRequest>

export const TemplateUse = Type.Object({
  id: Type.String(),
  strict: Type.Optional(Type.Boolean()),
  variables: Type.Optional(OpenObject),
})
export type TemplateUse = Static<typeof TemplateUse>

/** What a draft and a message to send have in common. */
const CONTENT = {
  to: Type.Optional(Names),
  cc: Type.Optional(Names),
  bcc: Type.Optional(Names),
  reply_to: Type.Optional(Names),
  from: Type.Optional(Type.Array(EmailName, { maxItems: 1 })),
  subject: Type.Optional(Type.String()),
  body: Type.Optional(Type.String()),
  is_plaintext: Type.Optional(Type.Boolean()),
  attachments: Type.Optional(Type.Array(AttachmentBody)),
  reply_to_message_id: Type.Optional(Type.String({ maxLength: 4096 })),
  custom_headers: Type.Optional(Type.Array(Type.Object({ name: Type.String(), value: Type.String() }))),
  tracking_options: Type.Optional(TrackingRequest),
  signature_id: Type.Optional(Type.String()),
  template: Type.Optional(TemplateUse),
  metadata: Type.Optional(OpenObject),
  starred: Type.Optional(Type.Boolean()),
}

/** Body of `POST /messages/send` (contract/email.md 4.2). */
export const SendBody = Type.Object({
  ...CONTENT,
  to: Type.Array(EmailName, { minItems: 1 }),
  send_at: Type.Optional(UnixSeconds),
  use_draft: Type.Optional(Type.Boolean()),
})
export type SendBody = Static<typeof SendBody>

/** Body of `POST` and `PUT /drafts` (contract/email.md 8). */
export const DraftBody = Type.Object(CONTENT)
export type DraftBody = Static<typeof DraftBody>
