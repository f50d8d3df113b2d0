import { subscribedTrigger } from '../../contract/triggers.ts'
import type { ApplicationId } from '../../contract/ids.ts'
import { type Clock, unixSeconds } from '../../kit/clock.ts'
import type { Ids } from '../../kit/ids.ts'
import { isJsonObject, type JsonObject } from '../../kit/json.ts'
import type { WebhookEnvelope } from './envelope.ts'
import { SAMPLES } from './samples/all.ts'
import type { Sample } from './samples/sample.ts'
import { invalidWebhook } from './webhook-input.ts'

const TRUNCATED = '.truncated'

/**
 * Makes a sample notification of a trigger, with an id of its own and the present time.
 *
 * @param triggerType  any name that may be subscribed to, or one that is implied by such
 * @throws AppError `webhook.invalid` for an unknown name, and for those of which nothing is ever sent
 */
export function sampleEnvelope(
  triggerType: string,
  applicationId: ApplicationId,
  { clock, ids }: { readonly clock: Clock; readonly ids: Ids },
): WebhookEnvelope {
  const trigger = subscribedTrigger(triggerType) ?? triggerType
  const sample = sampleOf(trigger)
  if (!sample) throw invalidWebhook(`trigger_type: there is no sample of "${triggerType}"`)
  const isTruncated = triggerType.endsWith(TRUNCATED)
  return {
    specversion: '1.0',
    type: isTruncated ? `${trigger}${TRUNCATED}` : trigger,
    source: sample.source,
    id: ids.uuid(),
    time: unixSeconds(clock),
    webhook_delivery_attempt: 1,
    data: { application_id: applicationId, ...(isTruncated ? withoutBody(sample.data) : sample.data) },
  }
}

function sampleOf(trigger: string): Sample | undefined {
  const samples: { readonly [trigger: string]: Sample } = SAMPLES
  return Object.hasOwn(samples, trigger) ? samples[trigger] : undefined
}

function withoutBody(data: JsonObject): JsonObject {
  const { object } = data
  if (!isJsonObject(object)) return data
  const { body: _body, ...rest } = object
  return { ...data, object: rest }
}
