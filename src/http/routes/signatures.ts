import { Type } from 'typebox'
import { cursorList, Deleted, single } from '../../contract/envelope.ts'
import { Signature, SignatureCreateBody, SignatureUpdateBody } from '../../contract/signature.ts'
import { cursorPage } from '../present/page.ts'
import { PageToken, readTextPage } from '../query/text-page.ts'
import { Limit, Select } from '../query/page.ts'
import { grantRoute, type Route } from '../route.ts'

const One = { grant_id: Type.String(), signature_id: Type.String() }

/** Signatures of a grant (contract/email.md 10). */
export function signatureRoutes(): readonly Route[] {
  const tag = 'Signatures'
  const all = '/v3/grants/:grant_id/signatures'
  const one = `${all}/:signature_id`
  return [
    grantRoute('mail', {
      method: 'GET',
      url: all,
      operationId: 'listSignatures',
      summary: 'List signatures, newest first',
      tag,
      params: { grant_id: Type.String() },
      query: { limit: Limit, page_token: PageToken, select: Select },
      response: cursorList(Signature),
      handle: async ({ services, query }, grant) =>
        cursorPage(await services.signatures.list(grant, readTextPage(query))),
    }),
    grantRoute('mail', {
      method: 'POST',
      url: all,
      operationId: 'createSignature',
      summary: 'Create a signature; its HTML is sanitized',
      tag,
      status: 201,
      params: { grant_id: Type.String() },
      query: { select: Select },
      body: SignatureCreateBody,
      response: single(Signature),
      handle: async ({ services, body }, grant) => ({ data: await services.signatures.create(grant, body) }),
    }),
    grantRoute('mail', {
      method: 'GET',
      url: one,
      operationId: 'getSignature',
      summary: 'Get a signature',
      tag,
      params: One,
      query: { select: Select },
      response: single(Signature),
      handle: async ({ services, params }, grant) => ({
        data: await services.signatures.find(grant, params.signature_id),
      }),
    }),
    grantRoute('mail', {
      method: 'PUT',
      url: one,
      operationId: 'updateSignature',
      summary: 'Change a signature',
      tag,
      params: One,
      query: { select: Select },
      body: SignatureUpdateBody,
      response: single(Signature),
      handle: async ({ services, params, body }, grant) => ({
        data: await services.signatures.update(grant, params.signature_id, body),
      }),
    }),
    grantRoute('mail', {
      method: 'DELETE',
      url: one,
      operationId: 'deleteSignature',
      summary: 'Delete a signature',
      tag,
      params: One,
      response: Deleted,
      handle: async ({ services, params }, grant) => {
        await services.signatures.delete(grant, params.signature_id)
        return {}
      },
    }),
  ]
}
