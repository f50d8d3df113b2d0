import { Type, type Static } from 'typebox'
import { appError } from '../../contract/errors.ts'
import { MESSAGE_FIELDS } from '../../contract/message.ts'
import type { MessageListRequest } from '../../core/ports/services.ts'
import { readSelect } from '../plugins/select.ts'
import { REPEATS } from './coerce-query.ts'
import { MailFilters, readMailFilters } from './mail-filters.ts'
import { Limit, readLimit, Seconds, Select } from './page.ts'

const METADATA_PAIR = /^key[1-5]:[\s\S]{1,500}$/

const Text = Type.Optional(Type.String({ maxLength: 4096 }))
const Flag = Type.Optional(Type.Boolean())

/** `fields` of message routes. */
export const Fields = Type.Optional(Type.Union(MESSAGE_FIELDS.map((name) => Type.Literal(name))))

/** Query of `GET /v3/grants/{grant_id}/messages` (contract/email.md 3.2). `offset` is ignored. */
export const MessageListQuery = {
  limit: Limit,
  page_token: Text,
  select: Select,
  fields: Fields,
  ...MailFilters,
  received_before: Seconds,
  received_after: Seconds,
  query_imap: Flag,
  metadata_pair: Type.Optional(
    Type.Array(Type.String(), { description: 'key1:value, with key1 to key5; exactly one', [REPEATS]: true }),
  ),
}

type Query = Static<ReturnType<typeof Type.Object<typeof MessageListQuery>>>

/** Parameters that ask the provider to filter: `metadata_pair` can't be combined with them. */
const FILTERS = [
  'subject',
  'from',
  'to',
  'cc',
  'bcc',
  'any_email',
  'in',
  'unread',
  'starred',
  'has_attachment',
  'thread_id',
  'received_before',
  'received_after',
  'search_query_native',
  'q',
  'query_imap',
  'shared_from',
  'shared_folder_id',
] as const satisfies readonly (keyof typeof MessageListQuery)[]

/**
 * Turns the checked query of a message list into the request of core.
 * @throws AppError `api.invalid_request_error` that names the parameter
 */
export function readMessageQuery(query: Query): MessageListRequest {
  const metadataPair = readMetadataPair(query)
  if (query.query_imap === true && query.in === undefined) {
    throw invalid('query_imap needs a folder in the parameter in')
  }
  const select = readSelect(query.select)
  return {
    limit: readLimit(query.limit),
    fields: query.fields ?? 'standard',
    ...(select ? { select } : {}),
    ...(query.page_token === undefined ? {} : { pageToken: query.page_token }),
    ...readMailFilters(query),
    ...(query.received_before === undefined ? {} : { receivedBefore: query.received_before }),
    ...(query.received_after === undefined ? {} : { receivedAfter: query.received_after }),
    ...(query.query_imap === undefined ? {} : { queryImap: query.query_imap }),
    ...(metadataPair === undefined ? {} : { metadataPair }),
  }
}

function readMetadataPair(query: Query): string | undefined {
  const [pair, ...more] = query.metadata_pair ?? []
  if (pair === undefined) return undefined
  if (more.length > 0) throw invalid('metadata_pair takes exactly one pair')
  if (!METADATA_PAIR.test(pair)) throw invalid('metadata_pair must be key1:value, with key1 to key5')
  const filter = FILTERS.find((name) => query[name] !== undefined)
  if (filter) throw invalid(`metadata_pair cannot be combined with ${filter}`)
  return pair
}

function invalid(message: string) {
  return appError('api.invalid_request_error', message)
}
