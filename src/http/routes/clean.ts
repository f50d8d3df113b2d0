import { Type } from 'typebox'
import { CleanBody, CleanMessage } from '../../contract/clean.ts'
import { readMailbox, SharedFrom } from '../query/in-mailbox.ts'
import { Select } from '../query/page.ts'
import { grantRoute, type Route } from '../route.ts'

/** Messages as the newest part of their conversation (contract/email.md 5.2). */
export function cleanRoutes(): readonly Route[] {
  return [
    grantRoute('mail', {
      method: 'PUT',
      url: '/v3/grants/:grant_id/messages/clean',
      operationId: 'cleanMessages',
      summary: 'Read messages with their newest part as text, without quotes, markup and signatures',
      tag: 'Messages',
      params: { grant_id: Type.String() },
      query: { select: Select, shared_from: SharedFrom },
      body: CleanBody,
      response: Type.Object({ request_id: Type.String(), data: Type.Array(CleanMessage) }),
      handle: async ({ services, query, body, context }, grant) => ({
        data: await services.clean.clean(grant, body, readMailbox(query), context),
      }),
    }),
  ]
}
