import type { Grant } from '../../contract/grant.ts'
import type { GrantRecord } from '../../core/ports/records.ts'

/** Turns a grant into its wire shape: what is not known is left out, `reason` only while it is invalid. */
export function presentGrant(record: GrantRecord, aliases?: readonly string[]): Grant {
  return {
    id: record.id,
    provider: record.provider,
    grant_status: record.status,
    ...(record.email === '' ? {} : { email: record.email }),
    ...(record.name === null ? {} : { name: record.name }),
    scope: [...record.scope],
    ...(record.providerUserId === null ? {} : { provider_user_id: record.providerUserId }),
    ...(record.state === null ? {} : { state: record.state }),
    ...(record.ip === null ? {} : { ip: record.ip }),
    ...(record.userAgent === null ? {} : { user_agent: record.userAgent }),
    settings: record.settings,
    ...(record.credentialId === null ? {} : { credential_id: record.credentialId }),
    ...(record.accountId === null ? {} : { account_id: record.accountId }),
    ...(record.blocked ? { blocked: true } : {}),
    ...(aliases ? { email_aliases: [...aliases] } : {}),
    ...(record.status === 'invalid' && record.reason ? { reason: record.reason } : {}),
    created_at: record.createdAt,
    updated_at: record.updatedAt,
  }
}
