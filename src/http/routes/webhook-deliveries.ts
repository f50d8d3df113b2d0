import { Type } from 'typebox'
import { cursorList, single } from '../../contract/envelope.ts'
import { Delivery, DeliveryStatus, DeliveryWithEvent, ReplayBody, Replayed } from '../../contract/webhook.ts'
import { cursorPage } from '../present/page.ts'
import { Limit, readLimit, Seconds, Select } from '../query/page.ts'
import { applicationRoute, type Route } from '../route.ts'

const Destination = { id: Type.String() }
const One = { id: Type.String(), delivery_id: Type.String() }

/** Deliveries of a destination, and sending them again: an extension of ours. */
export function webhookDeliveryRoutes(): readonly Route[] {
  const shared = { tag: 'Webhooks', invalidInput: 'webhook.invalid' } as const
  const all = '/v3/webhooks/:id/deliveries'
  const one = `${all}/:delivery_id`
  return [
    applicationRoute({
      ...shared,
      method: 'GET',
      url: all,
      operationId: 'listWebhookDeliveries',
      summary: 'List the deliveries of a destination, newest first',
      params: Destination,
      query: {
        status: Type.Optional(DeliveryStatus),
        since: Seconds,
        until: Seconds,
        limit: Limit,
        page_token: Type.Optional(Type.String({ maxLength: 64 })),
        select: Select,
      },
      response: cursorList(Delivery),
      handle: async ({ services, params, query }, caller) =>
        cursorPage(
          await services.deliveries.list(caller, params.id, {
            ...(query.status ? { status: query.status } : {}),
            ...(query.since === undefined ? {} : { since: query.since }),
            ...(query.until === undefined ? {} : { until: query.until }),
            ...(query.page_token === undefined ? {} : { pageToken: query.page_token }),
            limit: readLimit(query.limit),
          }),
        ),
    }),
    applicationRoute({
      ...shared,
      method: 'GET',
      url: one,
      operationId: 'getWebhookDelivery',
      summary: 'Get a delivery with its notification',
      params: One,
      query: { select: Select },
      response: single(DeliveryWithEvent),
      handle: async ({ services, params }, caller) => ({
        data: await services.deliveries.find(caller, params.id, params.delivery_id),
      }),
    }),
    applicationRoute({
      ...shared,
      method: 'POST',
      url: `${all}/replay`,
      operationId: 'replayWebhookDeliveries',
      summary: 'Send again what failed, or was never sent, of the events of a time range',
      params: Destination,
      body: ReplayBody,
      response: single(Replayed),
      handle: async ({ services, params, body, context }, caller) => ({
        data: await services.deliveries.replayRange(caller, params.id, body, context),
      }),
    }),
    applicationRoute({
      ...shared,
      method: 'POST',
      url: `${one}/replay`,
      operationId: 'replayWebhookDelivery',
      summary: 'Send a finished delivery again, at once',
      params: One,
      response: single(Delivery),
      handle: async ({ services, params }, caller) => ({
        data: await services.deliveries.replay(caller, params.id, params.delivery_id),
      }),
    }),
  ]
}
