import { Type, type Static } from 'typebox'
import type { ThreadListRequest } from '../../core/ports/services.ts'
import { readSelect } from '../plugins/select.ts'
import { MailFilters, readMailFilters } from './mail-filters.ts'
import { readLimit, Seconds, Select } from './page.ts'

const DEFAULT_LIMIT = 20
const MAX_LIMIT = 50

/** Query of `GET /v3/grants/{grant_id}/threads` (contract/email.md 6.1). `offset` is ignored. */
export const ThreadListQuery = {
  limit: Type.Optional(
    Type.Integer({
      minimum: 1,
      description: `How many at most, ${DEFAULT_LIMIT} when left out; more than ${MAX_LIMIT} counts as ${MAX_LIMIT}`,
    }),
  ),
  page_token: Type.Optional(Type.String({ maxLength: 4096 })),
  select: Select,
  ...MailFilters,
  latest_message_before: Seconds,
  latest_message_after: Seconds,
  earliest_message_date: Seconds,
}

type Query = Static<ReturnType<typeof Type.Object<typeof ThreadListQuery>>>

/**
 * Turns the checked query of a thread list into the request of core.
 * @throws AppError `api.invalid_request_error` that names the parameter
 */
export function readThreadQuery(query: Query): ThreadListRequest {
  const select = readSelect(query.select)
  return {
    limit: readLimit(query.limit, DEFAULT_LIMIT, MAX_LIMIT),
    ...(select ? { select } : {}),
    ...(query.page_token === undefined ? {} : { pageToken: query.page_token }),
    ...readMailFilters(query),
    ...(query.latest_message_before === undefined
      ? {}
      : { latestMessageBefore: query.latest_message_before }),
    ...(query.latest_message_after === undefined ? {} : { latestMessageAfter: query.latest_message_after }),
    ...(query.earliest_message_date === undefined
      ? {}
      : { earliestMessageDate: query.earliest_message_date }),
  }
}
