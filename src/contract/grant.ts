import { Type, type Static } from 'typebox'
import { OpenObject, UnixSeconds } from './envelope.ts'

/** Why a grant is invalid (our extension; contract/auth.md leaves it open). */
export const GrantReason = Type.Object({
  code: Type.String({ description: 'Stable code, for example access_revoked' }),
  message: Type.String(),
  advice: Type.String({ description: 'What to do, in plain words' }),
  provider_error: Type.Optional(OpenObject),
  at: UnixSeconds,
})
export type GrantReason = Static<typeof GrantReason>

export const Grant = Type.Object(
  {
    id: Type.String(),
    provider: Type.String(),
    grant_status: Type.Union([Type.Literal('valid'), Type.Literal('invalid')]),
    email: Type.Optional(Type.String()),
    name: Type.Optional(Type.String()),
    scope: Type.Array(Type.String()),
    provider_user_id: Type.Optional(Type.String()),
    state: Type.Optional(Type.String()),
    ip: Type.Optional(Type.String()),
    user_agent: Type.Optional(Type.String()),
    settings: OpenObject,
    credential_id: Type.Optional(Type.String()),
    account_id: Type.Optional(Type.String()),
    blocked: Type.Optional(Type.Boolean()),
    email_aliases: Type.Optional(Type.Array(Type.String())),
    reason: Type.Optional(GrantReason),
    created_at: UnixSeconds,
    updated_at: UnixSeconds,
  },
  { $id: 'Grant' },
)
export type Grant = Static<typeof Grant>

export const ConnectCustomBody = Type.Object({
  provider: Type.Optional(Type.String({ maxLength: 64 })),
  settings: Type.Optional(OpenObject),
  scope: Type.Optional(Type.Array(Type.String({ maxLength: 512 }), { maxItems: 200 })),
  state: Type.Optional(Type.String({ maxLength: 256 })),
  credential_id: Type.Optional(Type.String({ maxLength: 128 })),
})
export type ConnectCustomBody = Static<typeof ConnectCustomBody>

export const GrantUpdateBody = Type.Object({
  settings: Type.Optional(OpenObject),
  scope: Type.Optional(Type.Array(Type.String({ maxLength: 512 }), { maxItems: 200 })),
})
export type GrantUpdateBody = Static<typeof GrantUpdateBody>
