import { Type, type Static } from 'typebox'
import { OpenObject, UnixSeconds } from './envelope.ts'

/** What the operator must mend (our extension); absent while the provider takes the connector's credentials. */
const ConnectorAlarm = Type.Object({
  code: Type.String({ description: 'Stable code, for example client_secret_expired' }),
  message: Type.String(),
  advice: Type.String({ description: 'What to do, in plain words' }),
  client_id: Type.Optional(Type.String({ description: 'The OAuth client that was refused' })),
  provider_error: Type.Optional(OpenObject),
  at: UnixSeconds,
})

export const Connector = Type.Object(
  {
    id: Type.Optional(Type.String()),
    name: Type.String(),
    provider: Type.String(),
    settings: OpenObject,
    scope: Type.Optional(Type.Array(Type.String())),
    active_credential_id: Type.Optional(Type.String()),
    alarm: Type.Optional(ConnectorAlarm),
  },
  { $id: 'Connector' },
)
export type Connector = Static<typeof Connector>

const Scope = Type.Array(Type.String({ maxLength: 512 }), { maxItems: 200 })
const Name = Type.String({ minLength: 1, maxLength: 256 })

export const ConnectorCreateBody = Type.Object({
  provider: Type.String({ maxLength: 64 }),
  name: Type.Optional(Name),
  settings: Type.Optional(OpenObject),
  scope: Type.Optional(Scope),
})
export type ConnectorCreateBody = Static<typeof ConnectorCreateBody>

export const ConnectorUpdateBody = Type.Object({
  name: Type.Optional(Name),
  settings: Type.Optional(OpenObject),
  scope: Type.Optional(Scope),
  active_credential_id: Type.Optional(Type.String({ maxLength: 128 })),
})
export type ConnectorUpdateBody = Static<typeof ConnectorUpdateBody>

export const Credential = Type.Object(
  {
    id: Type.String(),
    name: Type.String(),
    credential_type: Type.String(),
    created_at: UnixSeconds,
    updated_at: UnixSeconds,
  },
  { $id: 'Credential' },
)
export type Credential = Static<typeof Credential>

export const CredentialCreateBody = Type.Object({
  name: Name,
  credential_type: Type.String({ maxLength: 64 }),
  credential_data: OpenObject,
})
export type CredentialCreateBody = Static<typeof CredentialCreateBody>

export const CredentialUpdateBody = Type.Object({
  name: Type.Optional(Name),
  credential_data: Type.Optional(OpenObject),
})
export type CredentialUpdateBody = Static<typeof CredentialUpdateBody>
