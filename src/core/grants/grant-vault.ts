import type { ApplicationId, GrantId } from '../../contract/ids.ts'
import type { Secret } from '../../kit/secret.ts'
import type { GrantSecret, Tokens } from '../ports/identity.ts'
import type { GrantSecretRecord } from '../ports/records.ts'
import type { StoredTokens } from '../ports/grant-secret-store.ts'
import type { Vault } from '../ports/vault.ts'
import { openJson, sealJson } from '../vault/sealed-json.ts'
import { aheadDueMs } from './refresh-schedule.ts'

/** The sealed columns of `grant_secrets` and `pending_secrets`: what goes in, and how it comes out. */
export interface GrantVault {
  /** Seals what a refresh or an authentication gave, with the time of the next refresh of a grant in use. */
  seal(
    grantId: GrantId,
    applicationId: ApplicationId,
    content: {
      readonly secret: GrantSecret
      readonly tokens: Tokens | null
      readonly superseded: GrantSecret | null
      readonly nowMs: number
    },
  ): StoredTokens
  secret(record: GrantSecretRecord): Promise<GrantSecret>
  superseded(record: GrantSecretRecord): Promise<GrantSecret | null>
  accessToken(record: GrantSecretRecord): Promise<Secret | null>
}

const COLUMNS = {
  secret: 'sealed_secret',
  access: 'sealed_access_token',
  superseded: 'sealed_superseded',
} as const

export function createGrantVault(vault: Vault): GrantVault {
  const place = (column: string, grantId: GrantId, applicationId: ApplicationId) => ({
    table: 'grant_secrets',
    column,
    rowId: grantId,
    applicationId,
  })
  return {
    seal(grantId, applicationId, { secret, tokens, superseded, nowMs }) {
      const at = (column: string) => place(column, grantId, applicationId)
      return {
        sealedSecret: sealJson(vault, at(COLUMNS.secret), secret),
        sealedAccessToken: tokens && sealJson(vault, at(COLUMNS.access), { token: tokens.accessToken }),
        accessExpiresAt: tokens && tokens.expiresAt,
        sealedSuperseded: superseded && sealJson(vault, at(COLUMNS.superseded), superseded),
        nextRefreshAtMs: tokens && aheadDueMs(tokens.expiresAt * 1000, nowMs, Math.random()),
      }
    },
    secret: (record) =>
      openJson<GrantSecret>(
        vault,
        place(COLUMNS.secret, record.grantId, record.applicationId),
        record.sealedSecret,
      ),
    superseded: async (record) =>
      record.sealedSuperseded === null
        ? null
        : openJson<GrantSecret>(
            vault,
            place(COLUMNS.superseded, record.grantId, record.applicationId),
            record.sealedSuperseded,
          ),
    async accessToken(record) {
      if (record.sealedAccessToken === null) return null
      const at = place(COLUMNS.access, record.grantId, record.applicationId)
      return (await openJson<{ token: Secret }>(vault, at, record.sealedAccessToken)).token
    },
  }
}
