import { Type, type Static } from 'typebox'
import { OpenObject, UnixSeconds } from './envelope.ts'

/** An entry of the audit log (our extension): who did what to what. */
export const AuditLogEntry = Type.Object(
  {
    id: Type.String(),
    actor: Type.String({
      description: '`key:<id>`, `grant:<id>` (an access token of it), `cli` or `system`',
    }),
    action: Type.String({ description: 'For example grant.created' }),
    target: Type.String({ description: 'For example grant:<id>, connector:<provider>, key:<id>' }),
    detail: OpenObject,
    created_at: UnixSeconds,
  },
  { $id: 'AuditLogEntry' },
)
export type AuditLogEntry = Static<typeof AuditLogEntry>
