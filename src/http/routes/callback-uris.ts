import { Type } from 'typebox'
import { CallbackUri, CallbackUriBody } from '../../contract/application.ts'
import { Deleted, single } from '../../contract/envelope.ts'
import { Select } from '../query/page.ts'
import { applicationRoute, type Route } from '../route.ts'

const Id = { id: Type.String() }

/** The list has `success` and `request_id` (contract/auth.md rule 3): SDKs want one or the other. */
const CallbackUriList = Type.Object({
  request_id: Type.String(),
  success: Type.Literal(true),
  data: Type.Array(CallbackUri),
})

/** Callback URIs under their documented address and under the one that the official CLI uses. */
export function callbackUriRoutes(): readonly Route[] {
  return [
    ...routesAt('/v3/applications/redirect-uris', 'RedirectUri'),
    ...routesAt('/v3/applications/callback-uris', 'CallbackUri').map((route) => ({
      ...route,
      hidden: true,
    })),
  ]
}

function routesAt(url: string, noun: string): readonly Route[] {
  const tag = 'Callback URIs'
  const one = `${url}/:id`
  const update = (method: 'PATCH' | 'PUT') =>
    applicationRoute({
      method,
      url: one,
      operationId: method === 'PATCH' ? `update${noun}` : `put${noun}`,
      summary: 'Change a callback URI; omitted fields are kept',
      tag,
      // Only older SDKs send PUT (contract/auth.md rule 6).
      hidden: method === 'PUT',
      params: Id,
      body: CallbackUriBody,
      response: single(CallbackUri),
      handle: async ({ services, params, body }, caller) => ({
        data: await services.callbackUris.update(caller, params.id, body),
      }),
    })
  return [
    applicationRoute({
      method: 'GET',
      url,
      operationId: `list${noun}s`,
      summary: 'List the callback URIs of the application',
      tag,
      query: { select: Select },
      response: CallbackUriList,
      handle: async ({ services }, caller) => ({
        success: true,
        data: await services.callbackUris.list(caller),
      }),
    }),
    applicationRoute({
      method: 'POST',
      url,
      operationId: `create${noun}`,
      summary: 'Add a callback URI',
      tag,
      body: CallbackUriBody,
      response: single(CallbackUri),
      handle: async ({ services, body }, caller) => ({
        data: await services.callbackUris.create(caller, body),
      }),
    }),
    applicationRoute({
      method: 'GET',
      url: one,
      operationId: `get${noun}`,
      summary: 'Get a callback URI',
      tag,
      params: Id,
      query: { select: Select },
      response: single(CallbackUri),
      handle: async ({ services, params }, caller) => ({
        data: await services.callbackUris.find(caller, params.id),
      }),
    }),
    update('PATCH'),
    update('PUT'),
    applicationRoute({
      method: 'DELETE',
      url: one,
      operationId: `delete${noun}`,
      summary: 'Remove a callback URI',
      tag,
      params: Id,
      response: Deleted,
      handle: async ({ services, params }, caller) => {
        await services.callbackUris.delete(caller, params.id)
        return {}
      },
    }),
  ]
}
