import type { GrantSecret, Tokens } from '../ports/identity.ts'
import type { PendingSecretRecord, RefreshAttempt } from '../ports/records.ts'
import type { SeenTokenKey } from '../ports/stores.ts'
import type { Vault } from '../ports/vault.ts'
import { openJson, sealJson } from '../vault/sealed-json.ts'

/** What an exchange brought before the account was known; kept sealed for 24 hours. */
export interface PendingSecret {
  readonly secret: GrantSecret
  readonly tokens: Tokens
  /** Another exchange of this secret that was sent and has no stored answer yet. */
  readonly attempt?: RefreshAttempt
}

export const PENDING_LIFE_MS = 24 * 60 * 60 * 1000

type Owner = Pick<PendingSecretRecord, 'id' | 'applicationId'>

const placeOf = (owner: Owner) => ({
  table: 'pending_secrets',
  column: 'sealed',
  rowId: owner.id,
  applicationId: owner.applicationId,
})

/** Makes the row of a new pending secret. */
export function pendingRecord(
  vault: Vault,
  id: string,
  key: SeenTokenKey,
  pending: PendingSecret,
): Omit<PendingSecretRecord, 'version' | 'createdAtMs'> {
  const { applicationId, provider, clientId } = key
  return { id, applicationId, provider, clientId, sealed: sealPending(vault, { id, applicationId }, pending) }
}

export function sealPending(vault: Vault, owner: Owner, pending: PendingSecret): string {
  return sealJson(vault, placeOf(owner), pending)
}

export function openPending(vault: Vault, record: PendingSecretRecord): Promise<PendingSecret> {
  return openJson<PendingSecret>(vault, placeOf(record), record.sealed)
}
