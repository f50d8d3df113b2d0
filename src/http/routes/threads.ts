import { Type } from 'typebox'
import { cursorList, Deleted, single } from '../../contract/envelope.ts'
import { appError } from '../../contract/errors.ts'
import { Thread, ThreadUpdateBody } from '../../contract/thread.ts'
import { cursorPage } from '../present/page.ts'
import { readMailbox, SharedFrom } from '../query/in-mailbox.ts'
import { Select } from '../query/page.ts'
import { readThreadQuery, ThreadListQuery } from '../query/thread-query.ts'
import { grantRoute, type Route } from '../route.ts'

const OneThread = { grant_id: Type.String(), thread_id: Type.String() }

/** Threads (contract/email.md 6). */
export function threadRoutes(): readonly Route[] {
  const tag = 'Threads'
  return [
    grantRoute('mail', {
      method: 'GET',
      url: '/v3/grants/:grant_id/threads',
      operationId: 'listThreads',
      summary: 'List threads, those with the newest messages first',
      tag,
      params: { grant_id: Type.String() },
      query: ThreadListQuery,
      response: cursorList(Thread),
      handle: async ({ services, query, context }, grant) =>
        cursorPage(await services.mail.listThreads(grant, readThreadQuery(query), context)),
    }),
    grantRoute('mail', {
      method: 'GET',
      url: '/v3/grants/:grant_id/threads/:thread_id',
      operationId: 'getThread',
      summary: 'Get a thread',
      tag,
      params: OneThread,
      query: { select: Select, shared_from: SharedFrom },
      response: single(Thread),
      handle: async ({ services, params, query, context }, grant) => ({
        data: await services.mail.findThread(grant, idOf(params), readMailbox(query), context),
      }),
    }),
    grantRoute('mail', {
      method: 'PUT',
      url: '/v3/grants/:grant_id/threads/:thread_id',
      operationId: 'updateThread',
      summary: 'Change all messages of a thread: read state, star, folders',
      tag,
      params: OneThread,
      query: { select: Select, shared_from: SharedFrom },
      body: ThreadUpdateBody,
      response: single(Thread),
      handle: async ({ services, params, query, body, context }, grant) => ({
        data: await services.mail.updateThread(grant, idOf(params), body, readMailbox(query), context),
      }),
    }),
    grantRoute('mail', {
      method: 'DELETE',
      url: '/v3/grants/:grant_id/threads/:thread_id',
      operationId: 'deleteThread',
      summary: 'Move a whole thread to the trash',
      tag,
      params: OneThread,
      query: { shared_from: SharedFrom },
      response: Deleted,
      handle: async ({ services, params, query, context }, grant) => {
        await services.mail.deleteThread(grant, idOf(params), readMailbox(query), context)
        return {}
      },
    }),
  ]
}

function idOf({ thread_id }: { readonly thread_id: string }): string {
  if (thread_id === '') throw appError('api.not_found_error')
  return thread_id
}
