import { Type } from 'typebox'
import { OpenObject, single } from '../../contract/envelope.ts'
import {
  IpAddresses,
  MockPayloadBody,
  TestEventBody,
  Webhook,
  WebhookCreateBody,
  WebhookDeleted,
  WebhookUpdateBody,
  WebhookWithSecret,
} from '../../contract/webhook.ts'
import { Select } from '../query/page.ts'
import { applicationRoute, type Route } from '../route.ts'

const One = { id: Type.String() }

/** Webhook destinations (contract/webhooks.md 1). */
export function webhookRoutes(): readonly Route[] {
  const shared = { tag: 'Webhooks', invalidInput: 'webhook.invalid' } as const
  const all = '/v3/webhooks'
  const one = `${all}/:id`
  const rotate = (method: 'POST' | 'PUT') =>
    applicationRoute({
      ...shared,
      method,
      url: method === 'POST' ? `${all}/rotate-secret/:id` : `${one}/rotate-secret`,
      operationId: method === 'POST' ? 'rotateWebhookSecret' : 'putWebhookSecret',
      summary: 'Replace the signing secret; the old one is void at once',
      // The Python SDK has the other method and path.
      hidden: method === 'PUT',
      params: One,
      response: single(WebhookWithSecret),
      handle: async ({ services, params }, caller) => ({
        data: await services.webhooks.rotateSecret(caller, params.id),
      }),
    })
  return [
    applicationRoute({
      ...shared,
      method: 'POST',
      url: all,
      operationId: 'createWebhook',
      summary: 'Register a destination; its address must answer a challenge',
      body: WebhookCreateBody,
      response: single(WebhookWithSecret),
      handle: async ({ services, body, context }, caller) => ({
        data: await services.webhooks.create(caller, body, context),
      }),
    }),
    applicationRoute({
      ...shared,
      method: 'GET',
      url: all,
      operationId: 'listWebhooks',
      summary: 'List the destinations of the application',
      query: { select: Select },
      response: Type.Object({ request_id: Type.String(), data: Type.Array(Webhook) }),
      handle: async ({ services }, caller) => ({ data: await services.webhooks.list(caller) }),
    }),
    applicationRoute({
      ...shared,
      method: 'GET',
      url: `${all}/ip-addresses`,
      operationId: 'listWebhookIpAddresses',
      summary: 'List the addresses that notifications come from',
      query: { select: Select },
      response: single(IpAddresses),
      handle: async ({ services }) => ({ data: services.webhooks.ipAddresses() }),
    }),
    applicationRoute({
      ...shared,
      method: 'POST',
      url: `${all}/mock-payload`,
      operationId: 'getMockWebhookPayload',
      summary: 'Get a sample notification',
      body: MockPayloadBody,
      response: single(OpenObject),
      handle: async ({ services, body }, caller) => ({
        data: services.webhooks.mockPayload(caller, body.trigger_type),
      }),
    }),
    applicationRoute({
      ...shared,
      method: 'POST',
      url: `${all}/send-test-event`,
      operationId: 'sendTestWebhookEvent',
      summary: 'Post a sample notification to an address, signed with the secret mock-webhook-secret',
      body: TestEventBody,
      response: single(Type.Literal('success')),
      handle: async ({ services, body, context }, caller) => {
        await services.webhooks.sendTestEvent(caller, body, context)
        return { data: 'success' }
      },
    }),
    rotate('POST'),
    rotate('PUT'),
    applicationRoute({
      ...shared,
      method: 'GET',
      url: one,
      operationId: 'getWebhook',
      summary: 'Get a destination',
      params: One,
      query: { select: Select },
      response: single(Webhook),
      handle: async ({ services, params }, caller) => ({
        data: await services.webhooks.find(caller, params.id),
      }),
    }),
    applicationRoute({
      ...shared,
      method: 'PUT',
      url: one,
      operationId: 'updateWebhook',
      summary: 'Change, pause or activate a destination; a new address and an activation are challenged',
      params: One,
      body: WebhookUpdateBody,
      response: single(Webhook),
      handle: async ({ services, params, body, context }, caller) => ({
        data: await services.webhooks.update(caller, params.id, body, context),
      }),
    }),
    applicationRoute({
      ...shared,
      method: 'DELETE',
      url: one,
      operationId: 'deleteWebhook',
      summary: 'Delete a destination with its deliveries',
      params: One,
      response: single(WebhookDeleted),
      handle: async ({ services, params }, caller) => {
        await services.webhooks.delete(caller, params.id)
        return { data: { status: 'success' } }
      },
    }),
  ]
}
