import { unixSeconds, type Clock } from '../../kit/clock.ts'
import type { Ids } from '../../kit/ids.ts'
import type { JsonObject } from '../../kit/json.ts'
import type { Caller } from '../ports/services.ts'
import type { Database, Stores } from '../ports/stores.ts'

/** What every admin use-case needs. */
export interface AdminDeps {
  readonly database: Database
  readonly clock: Clock
  readonly ids: Ids
}

/**
 * Writes the audit row of a change. Call it with the stores of the transaction that makes the change.
 *
 * @param detail  names of what changed, never a secret
 */
export function auditWrite(
  stores: Stores,
  deps: AdminDeps,
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
