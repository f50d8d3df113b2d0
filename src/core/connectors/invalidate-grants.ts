import type { GrantReason } from '../../contract/grant.ts'
import type { ConnectorId, CredentialId, GrantId } from '../../contract/ids.ts'
import { unixSeconds } from '../../kit/clock.ts'
import { type AdminDeps, auditExpiry } from '../applications/audit-write.ts'
import { grantEvent } from '../grants/outbox-event.ts'
import type { GrantRecord } from '../ports/records.ts'

const BATCH = 200

type Owner = { readonly connectorId: ConnectorId } | { readonly credentialId: CredentialId }

/**
 * Makes every valid grant of a connector or credential invalid and writes `grant.expired` for each, once.
 * One transaction per batch, so that a million grants hold no lock for long; after a crash the same call
 * goes on where it stopped.
 *
 * @returns how many it changed
 */
export async function invalidateGrantsOf(
  deps: AdminDeps,
  owner: Owner,
  why: Pick<GrantReason, 'code' | 'message' | 'advice'>,
): Promise<number> {
  const { database } = deps
  let changed = 0
  let after: GrantId | null = null
  for (;;) {
    const batch: readonly GrantRecord[] = await database.stores.grants.listValidOf(owner, after, BATCH)
    const last = batch.at(-1)
    if (!last) return changed
    const reason: GrantReason = { ...why, at: unixSeconds(deps.clock) }
    changed += await database.transaction(async (stores) => {
      const marked: GrantId[] = []
      for (const grant of batch) {
        if (!(await stores.grants.markInvalid(grant.applicationId, grant.id, reason))) continue
        await stores.outbox.insert(grantEvent('grant.expired', { ...grant, status: 'invalid', reason }, deps))
        await auditExpiry(stores, deps, grant, reason)
        marked.push(grant.id)
      }
      await stores.secrets.unschedule(marked)
      return marked.length
    })
    after = last.id
  }
}
