import type { JsonObject } from '../../kit/json.ts'
import type { GrantTrigger } from '../../contract/triggers.ts'
import type { Clock } from '../../kit/clock.ts'
import { unixSeconds } from '../../kit/clock.ts'
import type { Ids } from '../../kit/ids.ts'
import type { GrantRecord, OutboxEvent } from '../ports/records.ts'

/** contract/webhooks.md 6; receivers route on the trigger, not on these. */
const CODES = {
  'grant.created': 25012,
  'grant.deleted': 25013,
  'grant.updated': 25014,
  'grant.expired': 25009,
} as const satisfies Record<GrantTrigger, number>
const REAUTHENTICATED = 25027

/**
 * Makes the event of a change to a grant. Written in the transaction of the change, so that there is one for
 * each change and none without.
 *
 * @param change  `reauthenticated`: the grant got a new secret, so what it stood still for can go on
 */
export function grantEvent(
  trigger: GrantTrigger,
  grant: GrantRecord,
  deps: { readonly clock: Clock; readonly ids: Ids },
  change: { readonly reauthenticated?: boolean } = {},
): OutboxEvent {
  const reauthenticated = change.reauthenticated ?? false
  return {
    id: deps.ids.uuid(),
    applicationId: grant.applicationId,
    grantId: grant.id,
    trigger,
    source: '/nylas/system',
    data: {
      object: {
        code: reauthenticated ? REAUTHENTICATED : CODES[trigger],
        grant_id: grant.id,
        integration_id: grant.connectorId,
        provider: grant.provider,
        email: grant.email,
        ...particulars(trigger, grant, reauthenticated),
      },
    },
    createdAt: unixSeconds(deps.clock),
  }
}

function particulars(trigger: GrantTrigger, grant: GrantRecord, reauthenticated: boolean): JsonObject {
  switch (trigger) {
    case 'grant.created':
      return { ...(grant.name === null ? {} : { name: grant.name }), scope: grant.scope }
    case 'grant.updated':
      return { reauthentication_flag: reauthenticated }
    case 'grant.expired':
      // `reason` is ours: why it died and what to do.
      return { grant_updated_at: grant.updatedAt, ...(grant.reason ? { reason: grant.reason } : {}) }
    case 'grant.deleted':
      return {}
  }
}
