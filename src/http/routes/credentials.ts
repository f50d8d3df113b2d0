import { Type } from 'typebox'
import { Credential, CredentialCreateBody, CredentialUpdateBody } from '../../contract/connector.ts'
import { Deleted, offsetList, single } from '../../contract/envelope.ts'
import { offsetPage } from '../present/page.ts'
import { Limit, Offset, readOffsetPage, Select } from '../query/page.ts'
import { OrderBy, readSortOrder, SortBy } from '../query/sort.ts'
import { applicationRoute, type Route } from '../route.ts'

const Provider = { provider: Type.String() }
const One = { provider: Type.String(), id: Type.String() }

/** Credentials of a connector (contract/auth.md 5.2). */
export function credentialRoutes(): readonly Route[] {
  const tag = 'Credentials'
  const all = '/v3/connectors/:provider/creds'
  const one = `${all}/:id`
  const update = (method: 'PATCH' | 'PUT') =>
    applicationRoute({
      method,
      url: one,
      operationId: method === 'PATCH' ? 'updateCredential' : 'putCredential',
      summary: 'Change a credential; credential_data replaces the stored data',
      tag,
      // Node SDKs before 8.0.3 send PUT (contract/auth.md rule 6).
      hidden: method === 'PUT',
      params: One,
      body: CredentialUpdateBody,
      response: single(Credential),
      handle: async ({ services, params, body }, caller) => ({
        data: await services.credentials.update(caller, params.provider, params.id, body),
      }),
    })
  return [
    applicationRoute({
      method: 'POST',
      url: all,
      operationId: 'createCredential',
      summary: 'Add a credential; the same parameters give the existing one',
      tag,
      status: 201,
      params: Provider,
      body: CredentialCreateBody,
      response: single(Credential),
      handle: async ({ services, params, body }, caller) => ({
        data: await services.credentials.create(caller, params.provider, body),
      }),
    }),
    applicationRoute({
      method: 'GET',
      url: all,
      operationId: 'listCredentials',
      summary: 'List the credentials of a connector',
      tag,
      params: Provider,
      query: { limit: Limit, offset: Offset, sort_by: SortBy, order_by: OrderBy, select: Select },
      response: offsetList(Credential),
      handle: async ({ services, params, query }, caller) => {
        const page = readOffsetPage(query)
        const order = readSortOrder(query)
        return offsetPage(
          await services.credentials.list(caller, params.provider, { ...page, ...order }),
          page,
        )
      },
    }),
    applicationRoute({
      method: 'GET',
      url: one,
      operationId: 'getCredential',
      summary: 'Get a credential',
      tag,
      params: One,
      query: { select: Select },
      response: single(Credential),
      handle: async ({ services, params }, caller) => ({
        data: await services.credentials.find(caller, params.provider, params.id),
      }),
    }),
    update('PATCH'),
    update('PUT'),
    applicationRoute({
      method: 'DELETE',
      url: one,
      operationId: 'deleteCredential',
      summary: 'Delete a credential that is not the active one; grants made with it become invalid',
      tag,
      params: One,
      response: Deleted,
      handle: async ({ services, params }, caller) => {
        await services.credentials.delete(caller, params.provider, params.id)
        return {}
      },
    }),
  ]
}
