import type { GrantReason } from '../../contract/grant.ts'
import type { Clock } from '../../kit/clock.ts'
import type { Ids } from '../../kit/ids.ts'
import type { Logger } from '../../kit/logger.ts'
import type { GrantRecord } from '../ports/records.ts'
import type { Database, Stores } from '../ports/stores.ts'
import { grantEvent } from './outbox-event.ts'

/**
 * Makes a grant invalid and writes its one `grant.expired`, both in one transaction with `alongside`.
 * Idempotent: a grant that is invalid already is left alone.
 *
 * @param refusedVersion  version of the secret that was refused: one that has been replaced since says nothing
 * @returns whether this call changed it
 */
export async function invalidateGrant(
  deps: { readonly database: Database; readonly clock: Clock; readonly ids: Ids; readonly log: Logger },
  grant: GrantRecord,
  reason: GrantReason,
  refusedVersion: number,
  alongside?: (stores: Stores) => Promise<void>,
): Promise<boolean> {
  const changed = await deps.database.transaction(async (stores) => {
    if ((await stores.secrets.find(grant.id))?.version !== refusedVersion) return false
    await alongside?.(stores)
    if (!(await stores.grants.markInvalid(grant.applicationId, grant.id, reason))) return false
    await stores.outbox.insert(grantEvent('grant.expired', { ...grant, status: 'invalid', reason }, deps))
    return true
  })
  if (changed) {
    deps.log.warn({ grantId: grant.id, provider: grant.provider, reason: reason.code }, 'grant.invalidated')
  }
  return changed
}
