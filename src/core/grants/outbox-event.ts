import type { GrantTrigger } from '../../contract/triggers.ts'
import type { Clock } from '../../kit/clock.ts'
import { unixSeconds } from '../../kit/clock.ts'
import type { Ids } from '../../kit/ids.ts'
import type { GrantRecord, OutboxEvent } from '../ports/records.ts'

/**
 * Makes the event of a change to a grant. Written in the transaction of the change, so that there is one for
 * each change and none without.
 */
export function grantEvent(
  trigger: GrantTrigger,
  grant: GrantRecord,
  deps: { readonly clock: Clock; readonly ids: Ids },
): OutboxEvent {
  const createdAt = unixSeconds(deps.clock)
  return {
    id: deps.ids.uuid(),
    applicationId: grant.applicationId,
    grantId: grant.id,
    trigger,
    payload: {
      grant_id: grant.id,
      provider: grant.provider,
      email: grant.email,
      grant_status: grant.status,
      ...(grant.reason ? { reason: grant.reason } : {}),
    },
    createdAt,
  }
}
