import type {
  Delivery,
  DeliveryStatus,
  DeliveryWithEvent,
  IpAddresses,
  ReplayBody,
  TestEventBody,
  Webhook,
  WebhookCreateBody,
  WebhookUpdateBody,
  WebhookWithSecret,
} from '../../contract/webhook.ts'
import type { JsonObject } from '../../kit/json.ts'
import type { Page } from './mail.ts'
import type { Caller, RequestContext } from './services.ts'

/** Destinations of an application's notifications. Wrong input: 400 `70005`; an unknown id: 404 `70000`. */
export interface WebhookService {
  list(caller: Caller): Promise<readonly Webhook[]>
  find(caller: Caller, id: string): Promise<Webhook>
  /** Challenges the URL first; nothing is saved when it fails. */
  create(caller: Caller, body: WebhookCreateBody, context: RequestContext): Promise<WebhookWithSecret>
  /** Absent fields keep their value. A new URL and an activation are challenged before anything is saved. */
  update(caller: Caller, id: string, body: WebhookUpdateBody, context: RequestContext): Promise<Webhook>
  /** Deletes it with its deliveries. */
  delete(caller: Caller, id: string): Promise<void>
  /** The old secret is void at once. */
  rotateSecret(caller: Caller, id: string): Promise<WebhookWithSecret>
  /** A whole sample notification. */
  mockPayload(caller: Caller, triggerType: string): JsonObject
  /** Posts a sample, signed with a fixed secret. An answer that is no 2xx, or none, is a 400 that says so. */
  sendTestEvent(caller: Caller, body: TestEventBody, context: RequestContext): Promise<void>
  /** The public addresses that notifications come from, as the operator has set them. */
  ipAddresses(): IpAddresses
}

export interface DeliveryQuery {
  readonly status?: DeliveryStatus
  /** creation, Unix seconds, inclusive */
  readonly since?: number
  readonly until?: number
  readonly limit: number
  readonly pageToken?: string
}

/** What became of notifications, and sending them again: an extension of ours. */
export interface DeliveryService {
  /** Newest first. */
  list(caller: Caller, webhookId: string, query: DeliveryQuery): Promise<Page<Delivery>>
  find(caller: Caller, webhookId: string, deliveryId: string): Promise<DeliveryWithEvent>
  /** Sends a finished delivery again, at once; one that is pending stays as it is. */
  replay(caller: Caller, webhookId: string, deliveryId: string): Promise<Delivery>
  /**
   * Sends again what failed of the events of a time range, and sends those that never were (they came while
   * the destination was paused or had failed). Safe to repeat.
   * @returns how many deliveries are under way because of this call
   */
  replayRange(
    caller: Caller,
    webhookId: string,
    body: ReplayBody,
    context: RequestContext,
  ): Promise<{ readonly replayed: number }>
}
