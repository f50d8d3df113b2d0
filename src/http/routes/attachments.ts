import { Type } from 'typebox'
import { single } from '../../contract/envelope.ts'
import { appError } from '../../contract/errors.ts'
import { Attachment } from '../../contract/message.ts'
import type { AttachmentRef } from '../../core/ports/mail.ts'
import type { GrantRecord } from '../../core/ports/records.ts'
import type { RequestContext, Services } from '../../core/ports/services.ts'
import { downloadOf } from '../present/download.ts'
import { readMailbox, SharedFrom } from '../query/in-mailbox.ts'
import { Select } from '../query/page.ts'
import { type AnyAnswer, Bytes, grantRoute, type Route } from '../route.ts'

const DOWNLOAD = '/download'
const InMessage = Type.String({ maxLength: 4096, description: 'The message or draft it is in' })
const QueryImap = Type.Optional(Type.Boolean())
const OfMessage = { message_id: InMessage, query_imap: QueryImap, shared_from: SharedFrom }

/** Attachments: what they are, and their bytes (contract/email.md 9). */
export function attachmentRoutes(): readonly Route[] {
  const tag = 'Attachments'
  return [
    grantRoute('mail', {
      method: 'GET',
      // The Python SDK doesn't encode ids, and those of the hosted service may have slashes: `v0:YS9i=:dGV4dA==:3`.
      url: '/v3/grants/:grant_id/attachments/*',
      operationId: 'getAttachment',
      summary: 'Get what is known of an attachment',
      tag,
      params: { grant_id: Type.String(), '*': Type.String() },
      query: { ...OfMessage, select: Select },
      response: single(Attachment),
      handle: ({ services, params, query, context }, grant) =>
        answerEither(services, grant, params['*'], query, context),
    }),
    grantRoute('mail', {
      method: 'GET',
      url: '/v3/grants/:grant_id/attachments/:attachment_id/download',
      operationId: 'downloadAttachment',
      summary: 'Download an attachment',
      tag,
      params: { grant_id: Type.String(), attachment_id: Type.String() },
      query: OfMessage,
      response: Bytes,
      handle: ({ services, params, query, context }, grant) =>
        answerEither(services, grant, `${params.attachment_id}${DOWNLOAD}`, query, context),
    }),
    // Where the official command line tool looks for both.
    grantRoute('mail', {
      method: 'GET',
      url: '/v3/grants/:grant_id/messages/:message_id/attachments/*',
      operationId: 'getAttachmentOfMessage',
      summary: 'Get or download an attachment',
      tag,
      hidden: true,
      params: { grant_id: Type.String(), message_id: Type.String(), '*': Type.String() },
      query: { query_imap: QueryImap, shared_from: SharedFrom, select: Select },
      response: single(Attachment),
      handle: ({ services, params, query, context }, grant) =>
        answerEither(services, grant, params['*'], { ...query, message_id: params.message_id }, context),
    }),
  ]
}

/** An id may have slashes in it, so only the end of the path tells what is asked for. */
async function answerEither(
  { mail }: Services,
  grant: GrantRecord,
  path: string,
  query: { readonly message_id: string; readonly shared_from?: string },
  context: RequestContext,
): Promise<AnyAnswer> {
  const isDownload = path.endsWith(DOWNLOAD)
  const attachmentId = isDownload ? path.slice(0, -DOWNLOAD.length) : path
  if (attachmentId === '' || query.message_id === '') throw appError('api.not_found_error')
  const ref: AttachmentRef = { messageId: query.message_id, attachmentId, ...readMailbox(query) }
  if (isDownload) return downloadOf(await mail.openAttachment(grant, ref, context))
  return { data: await mail.findAttachment(grant, ref, context) }
}
