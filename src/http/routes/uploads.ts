import { Type } from 'typebox'
import { Deleted, single } from '../../contract/envelope.ts'
import { CompletedUpload, Upload, UploadBody } from '../../contract/upload.ts'
import { grantRoute, publicRoute, type Route } from '../route.ts'

/** The client's own limit is 90 s in every SDK, but no SDK makes this request: 150 MB take their time. */
const RECEIVE_TIMEOUT_MS = 115_000

/** Large uploads (contract/email.md 9.4). */
export function uploadRoutes(): readonly Route[] {
  const tag = 'Attachments'
  const all = '/v3/grants/:grant_id/attachment-uploads'
  return [
    grantRoute('mail', {
      method: 'POST',
      url: all,
      operationId: 'createUpload',
      summary:
        'Start a large upload (Microsoft only, up to 150 MB): PUT the bytes to its url within the hour',
      tag,
      params: { grant_id: Type.String() },
      body: UploadBody,
      status: 201,
      response: single(Upload),
      handle: async ({ services, body }, grant) => ({ data: await services.uploads.create(grant, body) }),
    }),
    grantRoute('mail', {
      method: 'POST',
      url: `${all}/:attachment_id/complete`,
      operationId: 'completeUpload',
      summary: 'Complete a large upload: from then on its id stands for the file in messages and drafts',
      tag,
      params: { grant_id: Type.String(), attachment_id: Type.String() },
      response: single(CompletedUpload),
      handle: async ({ services, params }, grant) => ({
        data: await services.uploads.complete(grant, params.attachment_id),
      }),
    }),
    publicRoute({
      method: 'PUT',
      url: '/v3/attachment-uploads/:attachment_id/:token',
      operationId: 'putUpload',
      summary: 'Receive the bytes of a large upload; the address is its key',
      tag,
      params: { attachment_id: Type.String(), token: Type.String() },
      streams: ['*/*'],
      timeoutMs: RECEIVE_TIMEOUT_MS,
      response: Deleted,
      handle: async ({ services, params, streamed }) => {
        await services.uploads.receive(params.attachment_id, params.token, streamed?.chunks ?? none())
        return {}
      },
    }),
  ]
}

async function* none(): AsyncGenerator<Uint8Array> {}
