import { Type } from 'typebox'
import { cursorList, single } from '../../contract/envelope.ts'
import { appError } from '../../contract/errors.ts'
import { Message } from '../../contract/message.ts'
import { readSelect } from '../plugins/select.ts'
import { cursorPage } from '../present/page.ts'
import { Fields, MessageListQuery, readMessageQuery } from '../query/message-query.ts'
import { Select } from '../query/page.ts'
import { grantRoute, type Route } from '../route.ts'

/** Words that stand for other routes where a message id would be (contract/email.md 3.1). */
export const RESERVED_MESSAGE_IDS = ['send', 'clean', 'schedules', 'smart-compose'] as const

/** Reading messages (contract/email.md 3). */
export function messageRoutes(): readonly Route[] {
  const tag = 'Messages'
  return [
    grantRoute('mail', {
      method: 'GET',
      url: '/v3/grants/:grant_id/messages',
      operationId: 'listMessages',
      summary: 'List messages, newest first',
      tag,
      params: { grant_id: Type.String() },
      query: MessageListQuery,
      response: cursorList(Message),
      handle: async ({ services, query, context }, grant) =>
        cursorPage(await services.mail.listMessages(grant, readMessageQuery(query), context)),
    }),
    grantRoute('mail', {
      method: 'GET',
      url: '/v3/grants/:grant_id/messages/:message_id',
      operationId: 'getMessage',
      summary: 'Get a message',
      tag,
      params: { grant_id: Type.String(), message_id: Type.String() },
      query: {
        fields: Fields,
        select: Select,
        query_imap: Type.Optional(Type.Boolean()),
        shared_from: Type.Optional(Type.String({ maxLength: 320 })),
      },
      response: single(Message),
      handle: async ({ services, params, query, context }, grant) => {
        if (params.message_id === '') throw appError('api.not_found_error')
        const select = readSelect(query.select)
        const options = {
          fields: query.fields ?? ('standard' as const),
          ...(select ? { select } : {}),
          ...(query.query_imap === undefined ? {} : { queryImap: query.query_imap }),
          ...(query.shared_from === undefined ? {} : { sharedFrom: query.shared_from }),
        }
        return { data: await services.mail.findMessage(grant, params.message_id, options, context) }
      },
    }),
  ]
}
