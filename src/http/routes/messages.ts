import { Type } from 'typebox'
import { cursorList, Deleted, single } from '../../contract/envelope.ts'
import { appError } from '../../contract/errors.ts'
import { Message, MessageUpdateBody } from '../../contract/message.ts'
import { readSelect } from '../plugins/select.ts'
import { cursorPage } from '../present/page.ts'
import { readMailbox, SharedFrom } from '../query/in-mailbox.ts'
import { Fields, MessageListQuery, readMessageQuery } from '../query/message-query.ts'
import { Select } from '../query/page.ts'
import { AnswerInBytes, grantRoute, type Route } from '../route.ts'

/** Words that stand for other routes where a message id would be (contract/email.md 3.1). */
export const RESERVED_MESSAGE_IDS = ['send', 'clean', 'schedules', 'smart-compose'] as const

const OneMessage = { grant_id: Type.String(), message_id: Type.String() }
const QueryImap = Type.Optional(Type.Boolean())

/** Reading and changing messages (contract/email.md 3). */
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
      async handle({ services, query, context }, grant) {
        const page = await services.mail.listMessages(grant, readMessageQuery(query), context)
        return page.inBytes === true ? new AnswerInBytes(cursorPage(page)) : cursorPage(page)
      },
    }),
    grantRoute('mail', {
      method: 'GET',
      url: '/v3/grants/:grant_id/messages/:message_id',
      operationId: 'getMessage',
      summary: 'Get a message',
      tag,
      params: OneMessage,
      query: { fields: Fields, select: Select, query_imap: QueryImap, shared_from: SharedFrom },
      response: single(Message),
      handle: async ({ services, params, query, context }, grant) => {
        const select = readSelect(query.select)
        const options = {
          fields: query.fields ?? ('standard' as const),
          ...(select ? { select } : {}),
          ...(query.query_imap === undefined ? {} : { queryImap: query.query_imap }),
          ...readMailbox(query),
        }
        return { data: await services.mail.findMessage(grant, idOf(params), options, context) }
      },
    }),
    grantRoute('mail', {
      method: 'PUT',
      url: '/v3/grants/:grant_id/messages/:message_id',
      operationId: 'updateMessage',
      summary: 'Change a message: read state, star, folders, metadata',
      tag,
      params: OneMessage,
      query: { select: Select, query_imap: QueryImap, shared_from: SharedFrom },
      body: MessageUpdateBody,
      response: single(Message),
      handle: async ({ services, params, query, body, context }, grant) => ({
        data: await services.mail.updateMessage(grant, idOf(params), body, readMailbox(query), context),
      }),
    }),
    grantRoute('mail', {
      method: 'DELETE',
      url: '/v3/grants/:grant_id/messages/:message_id',
      operationId: 'deleteMessage',
      summary: 'Move a message to the trash, or delete it for good',
      tag,
      params: OneMessage,
      query: {
        hard_delete: Type.Optional(Type.Boolean({ description: 'For good, not into the trash' })),
        shared_from: SharedFrom,
      },
      response: Deleted,
      handle: async ({ services, params, query, context }, grant) => {
        const options = { hard: query.hard_delete ?? false, ...readMailbox(query) }
        await services.mail.deleteMessage(grant, idOf(params), options, context)
        return {}
      },
    }),
  ]
}

function idOf({ message_id }: { readonly message_id: string }): string {
  if (message_id === '') throw appError('api.not_found_error')
  return message_id
}
