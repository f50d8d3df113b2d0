import type { WireSentMessage } from '../../../contract/message.ts'
import { type Clock, unixSeconds } from '../../../kit/clock.ts'
import type { Ids } from '../../../kit/ids.ts'
import type { NewScheduledSend } from '../../ports/mail-stores-scheduled.ts'
import type { OutboxEvent } from '../../ports/records.ts'

/** Why a message was not sent, as the event says it. */
export interface SendFailure {
  readonly reason: string
  readonly type: string
  readonly status: number
  readonly providerError?: Record<string, unknown>
}

type EventOf = Pick<NewScheduledSend, 'id' | 'applicationId' | 'grantId' | 'sendAt' | 'useDraft'>

/** `message.send_success` (contract/webhooks.md 6), to be written in the transaction of the success. */
export function sentEvent(
  deps: { readonly clock: Clock; readonly ids: Ids },
  send: EventOf,
  wire: WireSentMessage,
): OutboxEvent {
  return event(deps, send, 'message.send_success', { object: objectOf(send, wire) })
}

/** `message.send_failed`. @param wire  null where the message can't be read: its schedule is all that is told then */
export function failedEvent(
  deps: { readonly clock: Clock; readonly ids: Ids },
  send: EventOf,
  failure: SendFailure,
  wire: WireSentMessage | null,
): OutboxEvent {
  return event(deps, send, 'message.send_failed', {
    reason: failure.reason,
    error: {
      type: failure.type,
      message: failure.reason,
      status_code: failure.status,
      ...(failure.providerError ? { provider_error: failure.providerError } : {}),
    },
    object: objectOf(send, wire ?? { grant_id: send.grantId, object: 'message' }),
  })
}

/** The message is told without its body: receivers know what they have scheduled. */
function objectOf({ id, sendAt, useDraft }: EventOf, { body: _body, ...wire }: WireSentMessage) {
  return { ...wire, schedule_id: id, send_at: sendAt, use_draft: useDraft }
}

function event(
  { clock, ids }: { readonly clock: Clock; readonly ids: Ids },
  { applicationId, grantId }: EventOf,
  trigger: string,
  data: OutboxEvent['data'],
): OutboxEvent {
  return {
    id: ids.uuid(),
    applicationId,
    grantId,
    trigger,
    source: '/nylas/send',
    data: { grant_id: grantId, ...data },
    createdAt: unixSeconds(clock),
  }
}
