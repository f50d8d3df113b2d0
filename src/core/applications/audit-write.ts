import type { GrantReason } from '../../contract/grant.ts'
import { unixSeconds, type Clock } from '../../kit/clock.ts'
import type { Ids } from '../../kit/ids.ts'
import type { JsonObject } from '../../kit/json.ts'
import type { GrantRecord } from '../ports/records.ts'
import type { Caller } from '../ports/services.ts'
import type { Database, Stores } from '../ports/stores.ts'

/** What every admin use-case needs. */
export interface AdminDeps {
  readonly database: Database
  readonly clock: Clock
  readonly ids: Ids
}

/** What it takes to write a row. */
type AuditDeps = Pick<AdminDeps, 'clock' | 'ids'>

/**
 * Writes the audit row of a change. Call it with the stores of the transaction that makes the change.
 *
 * @param detail  names of what changed, never a secret
 */
export function auditWrite(
  stores: Stores,
  deps: AuditDeps,
  caller: Caller,
  action: string,
  target: string,
  detail: JsonObject = {},
): Promise<void> {
  return stores.audit.insert({
    id: deps.ids.uuid(),
    applicationId: caller.applicationId,
    actor: caller.actor,
    action,
    target,
    detail,
    createdAt: unixSeconds(deps.clock),
  })
}

/** Writes the audit row of a grant that became invalid: the provider's doing, so the actor is the system. */
export function auditExpiry(
  stores: Stores,
  deps: AuditDeps,
  grant: GrantRecord,
  reason: GrantReason,
): Promise<void> {
  const system: Caller = { applicationId: grant.applicationId, actor: 'system' }
  const detail = { provider: grant.provider, reason: reason.code }
  return auditWrite(stores, deps, system, 'grant.expired', `grant:${grant.id}`, detail)
}

/** Writes the audit row of a change to the whole installation: no application's key reads it, the command does. */
export function auditOperator(
  stores: Stores,
  deps: AuditDeps,
  actor: 'cli' | 'system',
  action: string,
  target: string,
  detail: JsonObject = {},
): Promise<void> {
  return stores.audit.insert({
    id: deps.ids.uuid(),
    applicationId: null,
    actor,
    action,
    target,
    detail,
    createdAt: unixSeconds(deps.clock),
  })
}
