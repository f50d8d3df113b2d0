import { Type, type Static } from 'typebox'
import { appError } from '../../contract/errors.ts'
import { MESSAGE_FIELDS } from '../../contract/message.ts'
import type { MessageListRequest } from '../../core/ports/services.ts'
import { readSelect } from '../plugins/select.ts'
import { REPEATS } from './coerce-query.ts'
import { oneAddress } from './email-address.ts'
import { Limit, readLimit, Seconds, Select } from './page.ts'

const MAX_ANY_EMAIL = 25
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
  subject: Text,
  from: Text,
  to: Text,
  cc: Text,
  bcc: Text,
  any_email: Type.Optional(
    Type.Array(Type.String(), { description: 'Comma list or repeats, at most 25 addresses' }),
  ),
  in: Type.Optional(Type.String({ maxLength: 4096, description: 'A folder id' })),
  unread: Flag,
  starred: Flag,
  has_attachment: Flag,
  thread_id: Text,
  received_before: Seconds,
  received_after: Seconds,
  search_query_native: Text,
  q: Type.Optional(Type.String({ maxLength: 4096, description: 'Alias of search_query_native' })),
  query_imap: Flag,
  metadata_pair: Type.Optional(
    Type.Array(Type.String(), { description: 'key1:value, with key1 to key5; exactly one', [REPEATS]: true }),
  ),
  shared_from: Text,
  shared_folder_id: Text,
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
  if (query.shared_from !== undefined && query.in === undefined && query.shared_folder_id === undefined) {
    throw invalid('shared_from needs a folder in the parameter in or shared_folder_id')
  }
  const select = readSelect(query.select)
  const anyEmail = readAnyEmail(query.any_email)
  const search = query.search_query_native ?? query.q
  return {
    limit: readLimit(query.limit),
    fields: query.fields ?? 'standard',
    ...(select ? { select } : {}),
    ...(query.page_token === undefined ? {} : { pageToken: query.page_token }),
    ...(query.subject === undefined ? {} : { subject: query.subject }),
    ...(query.from === undefined ? {} : { from: oneAddress(query.from, 'from') }),
    ...(query.to === undefined ? {} : { to: oneAddress(query.to, 'to') }),
    ...(query.cc === undefined ? {} : { cc: oneAddress(query.cc, 'cc') }),
    ...(query.bcc === undefined ? {} : { bcc: oneAddress(query.bcc, 'bcc') }),
    ...(anyEmail ? { anyEmail } : {}),
    ...(query.in === undefined ? {} : { in: query.in }),
    ...(query.unread === undefined ? {} : { unread: query.unread }),
    ...(query.starred === undefined ? {} : { starred: query.starred }),
    ...(query.has_attachment === undefined ? {} : { hasAttachment: query.has_attachment }),
    ...(query.thread_id === undefined ? {} : { threadId: query.thread_id }),
    ...(query.received_before === undefined ? {} : { receivedBefore: query.received_before }),
    ...(query.received_after === undefined ? {} : { receivedAfter: query.received_after }),
    ...(search === undefined ? {} : { searchQueryNative: search }),
    ...(query.query_imap === undefined ? {} : { queryImap: query.query_imap }),
    ...(query.shared_from === undefined ? {} : { sharedFrom: query.shared_from }),
    ...(query.shared_folder_id === undefined ? {} : { sharedFolderId: query.shared_folder_id }),
    ...(metadataPair === undefined ? {} : { metadataPair }),
  }
}

function readAnyEmail(given: readonly string[] | undefined): readonly string[] | undefined {
  if (given === undefined || given.length === 0) return undefined
  if (given.length > MAX_ANY_EMAIL) throw invalid(`any_email takes at most ${MAX_ANY_EMAIL} addresses`)
  return given.map((address) => oneAddress(address, 'any_email'))
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
