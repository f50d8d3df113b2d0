import { Type } from 'typebox'
import { Connector, ConnectorCreateBody, ConnectorUpdateBody } from '../../contract/connector.ts'
import { Deleted, offsetList, single } from '../../contract/envelope.ts'
import { offsetPage } from '../present/page.ts'
import { Limit, Offset, readOffsetPage, Select } from '../query/page.ts'
import { applicationRoute, type Route } from '../route.ts'

const Provider = { provider: Type.String() }

/** Connectors (contract/auth.md 5.1). The Node SDK changes one with PUT, all others with PATCH. */
export function connectorRoutes(): readonly Route[] {
  const tag = 'Connectors'
  const one = '/v3/connectors/:provider'
  const update = (method: 'PATCH' | 'PUT') =>
    applicationRoute({
      method,
      url: one,
      operationId: method === 'PATCH' ? 'updateConnector' : 'putConnector',
      summary: 'Change a connector; omitted fields and settings are kept',
      tag,
      params: Provider,
      body: ConnectorUpdateBody,
      response: single(Connector),
      handle: async ({ services, params, body }, caller) => ({
        data: await services.connectors.update(caller, params.provider, body),
      }),
    })
  return [
    applicationRoute({
      method: 'POST',
      url: '/v3/connectors',
      operationId: 'createConnector',
      summary: 'Create the connector of a provider',
      tag,
      status: 201,
      body: ConnectorCreateBody,
      response: single(Connector),
      handle: async ({ services, body }, caller) => ({
        data: await services.connectors.create(caller, body),
      }),
    }),
    applicationRoute({
      method: 'GET',
      url: '/v3/connectors',
      operationId: 'listConnectors',
      summary: 'List connectors',
      tag,
      query: { limit: Limit, offset: Offset, select: Select },
      response: offsetList(Connector),
      handle: async ({ services, query }, caller) => {
        const page = readOffsetPage(query)
        return offsetPage(await services.connectors.list(caller, page), page)
      },
    }),
    applicationRoute({
      method: 'GET',
      url: one,
      operationId: 'getConnector',
      summary: 'Get the connector of a provider',
      tag,
      params: Provider,
      query: { select: Select },
      response: single(Connector),
      handle: async ({ services, params }, caller) => ({
        data: await services.connectors.find(caller, params.provider),
      }),
    }),
    update('PATCH'),
    update('PUT'),
    applicationRoute({
      method: 'DELETE',
      url: one,
      operationId: 'deleteConnector',
      summary: 'Delete a connector and its credentials; its grants become invalid',
      tag,
      params: Provider,
      response: Deleted,
      handle: async ({ services, params }, caller) => {
        await services.connectors.delete(caller, params.provider)
        return {}
      },
    }),
  ]
}
