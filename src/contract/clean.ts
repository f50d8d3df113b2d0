import { Type, type Static } from 'typebox'
import { Message, type WireMessage } from './message.ts'

/** Body of `PUT /messages/clean` (contract/email.md 5.2). */
export const CleanBody = Type.Object({
  message_id: Type.Array(Type.String({ minLength: 1, maxLength: 4096 }), { minItems: 1, maxItems: 20 }),
  ignore_links: Type.Optional(Type.Boolean({ description: 'true when left out' })),
  ignore_images: Type.Optional(Type.Boolean({ description: 'true when left out' })),
  images_as_markdown: Type.Optional(Type.Boolean({ description: 'true when left out' })),
  ignore_tables: Type.Optional(Type.Boolean({ description: 'true when left out' })),
  remove_conclusion_phrases: Type.Optional(Type.Boolean({ description: 'true when left out' })),
  html_as_markdown: Type.Optional(Type.Boolean({ description: 'false when left out' })),
})
export type CleanBody = Static<typeof CleanBody>

/** A message with its newest part as text. */
export const CleanMessage = Type.Object(
  {
    ...Message.properties,
    conversation: Type.Optional(Type.String({ description: 'plain text, or Markdown' })),
  },
  { $id: 'CleanMessage' },
)
export type CleanMessage = WireMessage & { readonly conversation: string }
