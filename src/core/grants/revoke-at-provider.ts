import { withDeadline } from '../../kit/deadline.ts'
import type { GrantRecord } from '../ports/records.ts'
import type { RefreshDeps } from './refresh-flight.ts'

const REVOKE_DEADLINE_MS = 5_000

/**
 * Asks the provider to forget a deleted grant's token, as well as it can be done: the grant is gone here
 * whatever the provider says. The secret is read before the deletion and used after it.
 *
 * Nothing is revoked while another grant is of the same account: a revocation ends the whole consent of the user
 * for the client (Google: "Revoking a token", checked 2026-11), so that one would die for our reasons.
 */
export function createRevokeAtProvider(deps: RefreshDeps) {
  return {
    /** @returns null where there is nothing to revoke */
    async prepare(grant: GrantRecord): Promise<((signal: AbortSignal) => Promise<void>) | null> {
      const { revoke } = deps.providers.get(grant.provider)?.identity ?? {}
      if (!revoke || grant.status === 'invalid') return null
      if (await deps.database.stores.grants.sharesAccount(grant)) return null
      const row = await deps.database.stores.secrets.find(grant.id)
      const connector = await deps.database.stores.connectors.find(grant.applicationId, grant.provider)
      const client = row && connector && (await deps.clients.open(connector, grant.credentialId, undefined))
      if (!row || !client) return null
      const secret = await deps.grantVault.secret(row)
      return async (signal) => {
        const call = { client, secret, signal: withDeadline(signal, REVOKE_DEADLINE_MS) }
        await revoke(call).catch((error: unknown) => {
          deps.log.warn({ grantId: grant.id, provider: grant.provider, err: error }, 'grant.revoke_failed')
        })
      }
    },
  }
}
