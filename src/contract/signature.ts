import { Type, type Static } from 'typebox'
import { UnixSeconds } from './envelope.ts'

export const Signature = Type.Object(
  {
    id: Type.String(),
    grant_id: Type.String(),
    name: Type.String(),
    body: Type.String({ description: 'HTML, sanitized' }),
    object: Type.Literal('signature'),
    created_at: UnixSeconds,
    updated_at: UnixSeconds,
  },
  { $id: 'Signature' },
)
export type WireSignature = Static<typeof Signature>

const Name = Type.String({ minLength: 1, maxLength: 255 })

/** Body of `POST /signatures` (contract/email.md 10). */
export const SignatureCreateBody = Type.Object({ name: Name, body: Type.String() })
export type SignatureCreateBody = Static<typeof SignatureCreateBody>

/** Body of `PUT /signatures/{id}`: only given fields change. */
export const SignatureUpdateBody = Type.Object({
  name: Type.Optional(Name),
  body: Type.Optional(Type.String()),
})
export type SignatureUpdateBody = Static<typeof SignatureUpdateBody>
