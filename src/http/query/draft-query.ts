import type { Static, Type } from 'typebox'
import type { DraftListRequest } from '../../core/ports/mail-services.ts'
import { MailFilters } from './mail-filters.ts'
import { MessageListQuery, readMessageQuery } from './message-query.ts'
import { Limit, Select } from './page.ts'

const {
  search_query_native: _native,
  q: _alias,
  shared_from: _shared,
  shared_folder_id: _folder,
  ...DraftFilters
} = MailFilters

/** Query of `GET /v3/grants/{grant_id}/drafts` (contract/email.md 8). `offset` is ignored. */
export const DraftListQuery = {
  limit: Limit,
  page_token: MessageListQuery.page_token,
  select: Select,
  ...DraftFilters,
  query_imap: MessageListQuery.query_imap,
  metadata_pair: MessageListQuery.metadata_pair,
}

type Query = Static<ReturnType<typeof Type.Object<typeof DraftListQuery>>>

/**
 * Turns the checked query of a draft list into the request of core.
 * @throws AppError `api.invalid_request_error` that names the parameter
 */
export function readDraftQuery({ query_imap: queryImap, ...query }: Query): DraftListRequest {
  // Drafts have one folder, so query_imap needs no other.
  const { fields: _standard, ...request } = readMessageQuery(query)
  return { ...request, ...(queryImap === undefined ? {} : { queryImap }) }
}
