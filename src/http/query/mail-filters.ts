import { Type, type Static } from 'typebox'
import { appError } from '../../contract/errors.ts'
import type { MessageQuery } from '../../core/ports/mail.ts'
import { oneAddress } from './email-address.ts'

const MAX_ANY_EMAIL = 25

const Text = Type.Optional(Type.String({ maxLength: 4096 }))
const Flag = Type.Optional(Type.Boolean())

/** Filters that lists of messages and of threads have in common (contract/email.md 3.2, 6.1). */
export const MailFilters = {
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
  search_query_native: Text,
  q: Type.Optional(Type.String({ maxLength: 4096, description: 'Alias of search_query_native' })),
  shared_from: Text,
  shared_folder_id: Text,
}

type Query = Static<ReturnType<typeof Type.Object<typeof MailFilters>>>

type Filters = Pick<
  MessageQuery,
  | 'subject'
  | 'from'
  | 'to'
  | 'cc'
  | 'bcc'
  | 'anyEmail'
  | 'in'
  | 'unread'
  | 'starred'
  | 'hasAttachment'
  | 'threadId'
  | 'searchQueryNative'
  | 'sharedFrom'
  | 'sharedFolderId'
>

/**
 * Reads the common filters of a checked query.
 * @throws AppError `api.invalid_request_error` that names the parameter
 */
export function readMailFilters(query: Query): Filters {
  if (query.shared_from !== undefined && query.in === undefined && query.shared_folder_id === undefined) {
    throw invalid('shared_from needs a folder in the parameter in or shared_folder_id')
  }
  const anyEmail = readAnyEmail(query.any_email)
  const search = query.search_query_native ?? query.q
  return {
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
    ...(search === undefined ? {} : { searchQueryNative: search }),
    ...(query.shared_from === undefined ? {} : { sharedFrom: query.shared_from }),
    ...(query.shared_folder_id === undefined ? {} : { sharedFolderId: query.shared_folder_id }),
  }
}

function readAnyEmail(given: readonly string[] | undefined): readonly string[] | undefined {
  if (given === undefined || given.length === 0) return undefined
  if (given.length > MAX_ANY_EMAIL) throw invalid(`any_email takes at most ${MAX_ANY_EMAIL} addresses`)
  return given.map((address) => oneAddress(address, 'any_email'))
}

function invalid(message: string) {
  return appError('api.invalid_request_error', message)
}
