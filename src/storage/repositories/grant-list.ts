import { sql } from 'kysely'
import type { ApplicationId } from '../../contract/ids.ts'
import type { GrantFilter, OffsetPage, SortOrder } from '../../core/ports/stores.ts'
import { wholeNumber } from '../column.ts'
import type { Connection } from '../engine.ts'
import type { GrantRow } from '../tables.ts'

type GrantPage = OffsetPage & SortOrder

/** Reads a page of grants; ties of the sort time are broken by id. */
export function selectGrantPage(
  connection: Connection,
  applicationId: ApplicationId,
  filter: GrantFilter,
  page: GrantPage,
): Promise<readonly GrantRow[]> {
  const isNarrow = filter.email !== undefined || filter.accountIds !== undefined
  return isNarrow
    ? selectFromFew(connection, applicationId, filter, page)
    : selectFromMany(connection, applicationId, filter, page)
}

/**
 * For filters that may fit most grants: the ids of the page come from one index alone, in its order, however
 * deep the offset (design.md B6); the rows are then read by id.
 */
function selectFromMany(
  connection: Connection,
  applicationId: ApplicationId,
  filter: GrantFilter,
  page: GrantPage,
): Promise<readonly GrantRow[]> {
  // A sign in front keeps a bound on another time than the sorted one from choosing the index.
  const createdAt = page.by === 'created_at' ? sql<number>`created_at` : sql<number>`+created_at`
  const ids = connection
    .selectFrom('grants')
    .select('id')
    .where('application_id', '=', applicationId)
    .where((eb) => eb.and(broadConditions(filter, createdAt)))
    .orderBy(page.by, page.order)
    .orderBy('id', page.order)
    .limit(wholeNumber(page.limit))
    .offset(wholeNumber(page.offset))
  return connection
    .selectFrom(ids.as('page'))
    .innerJoin('grants', 'grants.id', 'page.id')
    .selectAll('grants')
    .orderBy(`grants.${page.by}`, page.order)
    .orderBy('grants.id', page.order)
    .execute()
}

/**
 * For filters that fit a few grants whatever else is asked: finds those first. "Materialized" keeps SQLite,
 * which knows nothing of how rare an address is, from walking all grants in the order of the page instead.
 */
function selectFromFew(
  connection: Connection,
  applicationId: ApplicationId,
  filter: GrantFilter,
  page: GrantPage,
): Promise<readonly GrantRow[]> {
  const { email, accountIds } = filter
  return connection
    .with(
      (cte) => cte('few').materialized(),
      (database) => {
        let few = database.selectFrom('grants').selectAll().where('application_id', '=', applicationId)
        if (email !== undefined) few = few.where('email_key', '=', email.toLowerCase())
        if (accountIds) few = few.where('account_id', 'in', [...accountIds])
        return few
      },
    )
    .selectFrom('few')
    .selectAll()
    .where((eb) => eb.and(broadConditions(filter, sql<number>`created_at`)))
    .orderBy(page.by, page.order)
    .orderBy('id', page.order)
    .limit(wholeNumber(page.limit))
    .offset(wholeNumber(page.offset))
    .execute()
}

function broadConditions(filter: GrantFilter, createdAt: ReturnType<typeof sql<number>>) {
  const { provider, status, ip, since, before } = filter
  return [
    ...(provider === undefined ? [] : [sql<boolean>`provider = ${provider}`]),
    ...(status === undefined ? [] : [sql<boolean>`status = ${status}`]),
    ...(ip === undefined ? [] : [sql<boolean>`ip = ${ip}`]),
    ...(since === undefined ? [] : [sql<boolean>`${createdAt} >= ${wholeNumber(since)}`]),
    ...(before === undefined ? [] : [sql<boolean>`${createdAt} <= ${wholeNumber(Math.floor(before))}`]),
  ]
}
