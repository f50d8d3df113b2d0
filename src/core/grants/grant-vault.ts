import type { ApplicationId, GrantId } from '../../contract/ids.ts'
import type { Secret } from '../../kit/secret.ts'
import type { GrantSecret, Tokens } from '../ports/identity.ts'
import type { GrantSecretRecord } from '../ports/records.ts'
import type { StoredTokens } from '../ports/stores.ts'
import type { Vault } from '../ports/vault.ts'
import { openJson, sealJson } from '../vault/sealed-json.ts'

/** The sealed columns of `grant_secrets` and `pending_secrets`: what goes in, and how it comes out. */
export interface GrantVault {
  /** Seals what a refresh or an authentication gave, with the time of its next refresh. */
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
  secret(record: GrantSecretRecord): GrantSecret
  superseded(record: GrantSecretRecord): GrantSecret | null
  accessToken(record: GrantSecretRecord): Secret | null
}

const COLUMNS = {
  secret: 'sealed_secret',
  access: 'sealed_access_token',
  superseded: 'sealed_superseded',
} as const

const MINUTE_MS = 60_000
/** Unused grants are refreshed every 7 days, so that no provider drops them for idleness (design.md section 4). */
const KEEP_ALIVE_MS = 7 * 24 * 60 * MINUTE_MS

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
        nextRefreshAtMs: tokens && refreshDueMs(tokens.expiresAt * 1000, nowMs),
      }
    },
    secret: (record) =>
      openJson<GrantSecret>(
        vault,
        place(COLUMNS.secret, record.grantId, record.applicationId),
        record.sealedSecret,
      ),
    superseded: (record) =>
      record.sealedSuperseded === null
        ? null
        : openJson<GrantSecret>(
            vault,
            place(COLUMNS.superseded, record.grantId, record.applicationId),
            record.sealedSuperseded,
          ),
    accessToken: (record) =>
      record.sealedAccessToken === null
        ? null
        : openJson<{ token: Secret }>(
            vault,
            place(COLUMNS.access, record.grantId, record.applicationId),
            record.sealedAccessToken,
          ).token,
  }
}

/**
 * When a token is refreshed ahead of its end: with min(half its life, max(5 min, 10 % of its life)) left.
 * Without the half, a token that lives five minutes would be due on every read.
 */
export function refreshDueMs(expiresAtMs: number, nowMs: number): number {
  const lifeMs = Math.max(0, expiresAtMs - nowMs)
  const aheadMs = Math.min(lifeMs / 2, Math.max(5 * MINUTE_MS, lifeMs / 10))
  return Math.floor(Math.min(expiresAtMs - aheadMs, nowMs + KEEP_ALIVE_MS))
}
