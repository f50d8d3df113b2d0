import { Type, type Static } from 'typebox'
import { cursorList, Deleted, single } from '../../contract/envelope.ts'
import { appError } from '../../contract/errors.ts'
import { Draft, SentMessage } from '../../contract/message.ts'
import { DraftBody } from '../../contract/outgoing.ts'
import { cursorPage } from '../present/page.ts'
import { DraftListQuery, readDraftQuery } from '../query/draft-query.ts'
import type { MessageBody } from '../query/message-body.ts'
import { Select } from '../query/page.ts'
import { grantRoute, type Route } from '../route.ts'

const OneDraft = { grant_id: Type.String(), draft_id: Type.String() }

/** Drafts, and sending them (contract/email.md 8). */
export function draftRoutes(): readonly Route[] {
  const tag = 'Drafts'
  const update = (method: 'PUT' | 'PATCH') =>
    grantRoute('mail', {
      method,
      url: '/v3/grants/:grant_id/drafts/:draft_id',
      operationId: method === 'PUT' ? 'updateDraft' : 'patchDraft',
      summary: 'Change a draft: only given fields change, attachments as a whole list',
      tag,
      hidden: method === 'PATCH',
      params: OneDraft,
      messageBody: DraftBody,
      response: single(Draft),
      handle: async ({ services, params, message, context }, grant) => ({
        data: await services.outgoing.updateDraft(
          grant,
          idOf(params),
          { body: readDraft(message), files: message.files },
          context,
        ),
      }),
    })
  return [
    grantRoute('mail', {
      method: 'GET',
      url: '/v3/grants/:grant_id/drafts',
      operationId: 'listDrafts',
      summary: 'List drafts, newest first',
      tag,
      params: { grant_id: Type.String() },
      query: DraftListQuery,
      response: cursorList(Draft),
      handle: async ({ services, query, context }, grant) =>
        cursorPage(await services.outgoing.listDrafts(grant, readDraftQuery(query), context)),
    }),
    grantRoute('mail', {
      method: 'POST',
      url: '/v3/grants/:grant_id/drafts',
      operationId: 'createDraft',
      summary: 'Create a draft',
      tag,
      params: { grant_id: Type.String() },
      messageBody: DraftBody,
      response: single(Draft),
      handle: async ({ services, message, context }, grant) => ({
        data: await services.outgoing.createDraft(
          grant,
          { body: readDraft(message), files: message.files },
          context,
        ),
      }),
    }),
    grantRoute('mail', {
      method: 'GET',
      url: '/v3/grants/:grant_id/drafts/:draft_id',
      operationId: 'getDraft',
      summary: 'Get a draft',
      tag,
      params: OneDraft,
      query: { select: Select, query_imap: Type.Optional(Type.Boolean()) },
      response: single(Draft),
      handle: async ({ services, params, context }, grant) => ({
        data: await services.outgoing.findDraft(grant, idOf(params), context),
      }),
    }),
    update('PUT'),
    update('PATCH'),
    grantRoute('mail', {
      method: 'POST',
      url: '/v3/grants/:grant_id/drafts/:draft_id',
      operationId: 'sendDraft',
      summary: 'Send a draft',
      tag,
      params: OneDraft,
      body: Type.Object({ signature_id: Type.Optional(Type.Union([Type.String(), Type.Null()])) }),
      response: single(SentMessage),
      handle: async ({ services, params, body, context }, grant) => {
        const options = body.signature_id ? { signatureId: body.signature_id } : {}
        return { data: await services.outgoing.sendDraft(grant, idOf(params), options, context) }
      },
    }),
    grantRoute('mail', {
      method: 'DELETE',
      url: '/v3/grants/:grant_id/drafts/:draft_id',
      operationId: 'deleteDraft',
      summary: 'Delete a draft for good',
      tag,
      params: OneDraft,
      response: Deleted,
      handle: async ({ services, params, context }, grant) => {
        await services.outgoing.deleteDraft(grant, idOf(params), context)
        return {}
      },
    }),
  ]
}

function readDraft(message: MessageBody): Static<typeof DraftBody> {
  // The boundary of the schema: it was read by this one.
  return message.read(DraftBody) as Static<typeof DraftBody>
}

function idOf({ draft_id: id }: { readonly draft_id: string }): string {
  if (id === '') throw appError('api.not_found_error')
  return id
}
