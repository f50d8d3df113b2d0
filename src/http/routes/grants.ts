import { Type, type Static, type TObject } from 'typebox'
import { Deleted, offsetList, single } from '../../contract/envelope.ts'
import { appError } from '../../contract/errors.ts'
import { Grant, GrantUpdateBody } from '../../contract/grant.ts'
import type { GrantFilter } from '../../core/ports/stores.ts'
import { presentGrant } from '../present/grant.ts'
import { offsetPage } from '../present/page.ts'
import { Limit, Offset, readOffsetPage, Seconds, Select } from '../query/page.ts'
import { OrderBy, readSortOrder, SortBy } from '../query/sort.ts'
import { applicationRoute, ownGrantRoute, type Route } from '../route.ts'

const One = { grant_id: Type.String() }
const MAX_ACCOUNT_IDS = 200

const Filters = {
  email: Type.Optional(Type.String({ maxLength: 320 })),
  provider: Type.Optional(Type.String({ maxLength: 64 })),
  grant_status: Type.Optional(Type.Union([Type.Literal('valid'), Type.Literal('invalid')])),
  ip: Type.Optional(Type.String({ maxLength: 64 })),
  account_id: Type.Optional(Type.String({ maxLength: 256 })),
  account_ids: Type.Optional(Type.Array(Type.String(), { maxItems: MAX_ACCOUNT_IDS })),
  workspace_id: Type.Optional(
    Type.String({ description: 'There are no workspaces: any value matches nothing' }),
  ),
  since: Seconds,
  before: Seconds,
}

type FilterQuery = Static<TObject<typeof Filters>>

/** Grants themselves (contract/auth.md 6). Invalid and blocked ones can be read, changed and deleted. */
export function grantRoutes(): readonly Route[] {
  const tag = 'Grants'
  return [
    applicationRoute({
      method: 'GET',
      url: '/v3/grants',
      operationId: 'listGrants',
      summary: 'List grants',
      tag,
      query: { limit: Limit, offset: Offset, sort_by: SortBy, order_by: OrderBy, ...Filters, select: Select },
      response: offsetList(Grant),
      handle: async ({ services, query }, caller) => {
        const page = readOffsetPage(query)
        if (query.workspace_id !== undefined) return offsetPage([], page)
        const records = await services.grants.list(caller, readFilter(query), {
          ...page,
          ...readSortOrder(query),
        })
        return offsetPage(
          records.map((record) => presentGrant(record)),
          page,
        )
      },
    }),
    ownGrantRoute({
      method: 'GET',
      url: '/v3/grants/:grant_id',
      operationId: 'getGrant',
      summary: 'Get a grant',
      tag,
      params: One,
      query: { expose_aliases: Type.Optional(Type.Boolean()), select: Select },
      response: single(Grant),
      handle: async ({ services, params, query, context }, caller) => {
        const grant = await services.grants.locate(caller, params.grant_id)
        const aliases = query.expose_aliases ? await services.grants.aliases(grant, context) : undefined
        return { data: presentGrant(grant, aliases) }
      },
    }),
    applicationRoute({
      method: 'PATCH',
      url: '/v3/grants/:grant_id',
      operationId: 'updateGrant',
      summary:
        'Give a grant new settings or a new scope; new settings are verified and heal an invalid grant',
      tag,
      params: One,
      body: GrantUpdateBody,
      response: single(Grant),
      handle: async ({ services, params, body, context }, caller) => {
        const grant = await services.grants.locate(caller, params.grant_id)
        return { data: presentGrant(await services.grants.update(caller, grant, body, context)) }
      },
    }),
    applicationRoute({
      method: 'DELETE',
      url: '/v3/grants/:grant_id',
      operationId: 'deleteGrant',
      summary: 'Delete a grant and its secret',
      tag,
      params: One,
      response: Deleted,
      handle: async ({ services, params, context }, caller) => {
        const grant = await services.grants.locate(caller, params.grant_id)
        await services.grants.delete(caller, grant, context)
        return {}
      },
    }),
  ]
}

function readFilter(query: FilterQuery): GrantFilter {
  const accountIds = [
    ...(query.account_ids ?? []),
    ...(query.account_id === undefined ? [] : [query.account_id]),
  ]
  if (query.since !== undefined && query.before !== undefined && query.since > query.before) {
    throw appError('api.invalid_request_error', 'since must not be after before')
  }
  return {
    ...(query.email === undefined ? {} : { email: query.email }),
    ...(query.provider === undefined ? {} : { provider: query.provider }),
    ...(query.grant_status === undefined ? {} : { status: query.grant_status }),
    ...(query.ip === undefined ? {} : { ip: query.ip }),
    ...(accountIds.length > 0 ? { accountIds } : {}),
    ...(query.since === undefined ? {} : { since: query.since }),
    ...(query.before === undefined ? {} : { before: query.before }),
  }
}
