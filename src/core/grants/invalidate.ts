import type { GrantReason } from '../../contract/grant.ts'
import type { Clock } from '../../kit/clock.ts'
import type { Ids } from '../../kit/ids.ts'
import type { Logger } from '../../kit/logger.ts'
import { auditExpiry } from '../applications/audit-write.ts'
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
  const work = deps.database.transaction(async (stores) => {
    // First, so that the grant's row is locked: a re-authentication comes before the look at the version, or
    // after all of this, and then wins.
    const marked = await stores.grants.markInvalid(grant.applicationId, grant.id, reason)
    if ((await stores.secrets.find(grant.id))?.version !== refusedVersion) throw new ReplacedError()
    await alongside?.(stores)
    await stores.secrets.unschedule([grant.id])
    if (!marked) return false
    await stores.outbox.insert(grantEvent('grant.expired', { ...grant, status: 'invalid', reason }, deps))
    await auditExpiry(stores, deps, grant, reason)
    return true
  })
  const changed = await work.catch((error: unknown) => {
    if (error instanceof ReplacedError) return false
    throw error
  })
  if (changed) {
    deps.log.warn({ grantId: grant.id, provider: grant.provider, reason: reason.code }, 'grant.invalidated')
  }
  return changed
}

/** Undoes the transaction: the secret that was refused is not the grant's any more. */
class ReplacedError extends Error {}
