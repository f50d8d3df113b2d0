import { Type, type Static } from 'typebox'
import { OpenObject, UnixSeconds } from './envelope.ts'

const TriggerTypes = Type.Array(Type.String({ maxLength: 128 }), { minItems: 1, maxItems: 200 })
const WebhookUrl = Type.String({ minLength: 1, maxLength: 2048, description: 'https' })
const Description = Type.String({ maxLength: 4096 })
const Addresses = Type.Array(Type.String({ maxLength: 320 }), {
  maxItems: 50,
  description: 'Who is told when the destination is failing or has failed',
})

export const WebhookCreateBody = Type.Object({
  trigger_types: TriggerTypes,
  webhook_url: WebhookUrl,
  description: Type.Optional(Description),
  notification_email_addresses: Type.Optional(Addresses),
  compressed_delivery: Type.Optional(Type.Boolean()),
})
export type WebhookCreateBody = Static<typeof WebhookCreateBody>

export const WebhookUpdateBody = Type.Object({
  trigger_types: Type.Optional(TriggerTypes),
  webhook_url: Type.Optional(WebhookUrl),
  description: Type.Optional(Description),
  notification_email_addresses: Type.Optional(Addresses),
  compressed_delivery: Type.Optional(Type.Boolean()),
  status: Type.Optional(
    Type.String({ maxLength: 32, description: '`active` or `pause`; `paused` and `inactive` mean `pause`' }),
  ),
})
export type WebhookUpdateBody = Static<typeof WebhookUpdateBody>

const fields = {
  id: Type.String(),
  description: Type.String(),
  trigger_types: Type.Array(Type.String()),
  webhook_url: Type.String(),
  status: Type.Union([
    Type.Literal('active'),
    Type.Literal('pause'),
    Type.Literal('failing'),
    Type.Literal('failed'),
  ]),
  notification_email_addresses: Type.Array(Type.String()),
  compressed_delivery: Type.Boolean(),
  status_updated_at: UnixSeconds,
  created_at: UnixSeconds,
  updated_at: UnixSeconds,
}

/** Every field is always there: two SDKs fail on a missing one (contract/webhooks.md 9). */
export const Webhook = Type.Object(fields, { $id: 'Webhook' })
export type Webhook = Static<typeof Webhook>

/** Answered on create and rotate only. */
export const WebhookWithSecret = Type.Object(
  { ...fields, webhook_secret: Type.String() },
  { $id: 'WebhookWithSecret' },
)
export type WebhookWithSecret = Static<typeof WebhookWithSecret>

export const WebhookDeleted = Type.Object({ status: Type.Literal('success') })

export const IpAddresses = Type.Object({ ip_addresses: Type.Array(Type.String()), updated_at: UnixSeconds })
export type IpAddresses = Static<typeof IpAddresses>

/** `webhook_url` is on the vendor's paper for a mock payload, without a meaning: not read. */
export const MockPayloadBody = Type.Object({ trigger_type: Type.String({ maxLength: 128 }) })

/** The vendor's own CLI sends no `trigger_type`. */
export const TestEventBody = Type.Object({
  webhook_url: WebhookUrl,
  trigger_type: Type.Optional(Type.String({ maxLength: 128 })),
})
export type TestEventBody = Static<typeof TestEventBody>

export const DeliveryStatus = Type.Union([
  Type.Literal('pending'),
  Type.Literal('delivered'),
  Type.Literal('dead'),
])
export type DeliveryStatus = Static<typeof DeliveryStatus>

const deliveryFields = {
  id: Type.String(),
  event_id: Type.String({ description: 'The `id` of the notification' }),
  trigger: Type.String(),
  grant_id: Type.Optional(Type.String()),
  status: DeliveryStatus,
  attempts: Type.Integer(),
  last_attempt: Type.Optional(
    Type.Object({
      status: Type.Optional(Type.Integer({ description: 'HTTP status of the answer' })),
      error: Type.Optional(Type.String({ description: 'Why there was no answer' })),
      latency_ms: Type.Optional(Type.Integer()),
      at: Type.Optional(UnixSeconds),
    }),
  ),
  next_attempt_at: Type.Optional(UnixSeconds),
  created_at: UnixSeconds,
  finished_at: Type.Optional(UnixSeconds),
}

/** What became of one notification at one destination: an extension of ours. */
export const Delivery = Type.Object(deliveryFields, { $id: 'WebhookDelivery' })
export type Delivery = Static<typeof Delivery>

/** With the notification itself, while it is kept. */
export const DeliveryWithEvent = Type.Object(
  { ...deliveryFields, event: Type.Optional(OpenObject) },
  { $id: 'WebhookDeliveryWithEvent' },
)
export type DeliveryWithEvent = Static<typeof DeliveryWithEvent>

const Time = Type.Integer({ minimum: 0, maximum: 253_402_300_799, description: 'Unix seconds, inclusive' })

export const ReplayBody = Type.Object({
  since: Time,
  until: Type.Optional(Time),
  only_failed: Type.Optional(
    Type.Boolean({ description: 'false also sends again what was delivered. Default true' }),
  ),
})
export type ReplayBody = Static<typeof ReplayBody>

export const Replayed = Type.Object({ replayed: Type.Integer() })
