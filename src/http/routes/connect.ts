import { Type } from 'typebox'
import { DetectedProvider } from '../../contract/detect.ts'
import { single } from '../../contract/envelope.ts'
import { appError } from '../../contract/errors.ts'
import { ConnectCustomBody, Grant } from '../../contract/grant.ts'
import { presentGrant } from '../present/grant.ts'
import { oneAddress } from '../query/email-address.ts'
import { applicationRoute, type Route } from '../route.ts'

/** Bring your own authentication, and the detection of a provider by address. */
export function connectRoutes(): readonly Route[] {
  return [
    applicationRoute({
      method: 'POST',
      url: '/v3/connect/custom',
      operationId: 'connectCustom',
      summary: 'Make a grant of a refresh token or of mailbox credentials, or authenticate it anew',
      tag: 'Authentication',
      status: 201,
      body: ConnectCustomBody,
      response: single(Grant),
      handle: async ({ services, body, context, client }, caller) => ({
        data: presentGrant(await services.grants.connectCustom(caller, body, { ...context, ...client })),
      }),
    }),
    applicationRoute({
      method: 'POST',
      url: '/v3/providers/detect',
      operationId: 'detectProvider',
      summary: 'Find out which provider an address belongs to',
      tag: 'Authentication',
      limit: 'detect',
      query: {
        email: Type.Optional(Type.String({ maxLength: 320 })),
        all_provider_types: Type.Optional(Type.Boolean()),
      },
      response: single(DetectedProvider),
      handle: async ({ services, query, context }, caller) => {
        if (query.email === undefined) throw appError('api.invalid_request_error', 'email is required')
        const detected = await services.detect.detect(caller, oneAddress(query.email, 'email'), {
          allProviderTypes: query.all_provider_types ?? false,
          signal: context.signal,
        })
        return { data: detected }
      },
    }),
  ]
}
