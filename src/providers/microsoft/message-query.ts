import type { MessageFields } from '../../contract/message.ts'
import type { MessageQuery } from '../../core/ports/mail.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import type { QueryParameters } from './graph-call.ts'
import { checkId } from './mailbox.ts'

/**
 * How a list is asked for. `$search` excludes `$filter` and `$orderby`, so there are two modes that never mix
 * (learn.microsoft.com/graph/search-query-parameter, checked 2026-11).
 */
export interface MessageSearch {
  readonly mode: 'filter' | 'search'
  readonly query: QueryParameters
}

/** Stands first in every filter: what is ordered by must be filtered by first, else `InefficientFilter`. */
const ANY_TIME = 'receivedDateTime ge 1900-01-01T00:00:00Z'
const NEWEST_FIRST = ['$orderby', 'receivedDateTime desc'] as const
const DAY_SECONDS = 86_400

/** Filters that the provider's own search language can't be combined with (contract/email.md 11). */
const NOT_WITH_NATIVE: readonly (readonly [field: keyof MessageQuery, parameter: string])[] = [
  ['subject', 'subject'],
  ['from', 'from'],
  ['to', 'to'],
  ['cc', 'cc'],
  ['bcc', 'bcc'],
  ['anyEmail', 'any_email'],
  ['unread', 'unread'],
  ['starred', 'starred'],
  ['hasAttachment', 'has_attachment'],
  ['threadId', 'thread_id'],
  ['receivedBefore', 'received_before'],
  ['receivedAfter', 'received_after'],
]

/**
 * Refuses what Graph can't do.
 * @returns the folder to list, by id
 * @throws ProviderError `unsupported` or `invalid-request` that names the parameter
 */
export function checkQuery(query: MessageQuery): string | undefined {
  const { sharedFrom, sharedFolderId } = query
  if (query.searchQueryNative !== undefined) {
    const other = NOT_WITH_NATIVE.find(([field]) => query[field] !== undefined)
    if (other) {
      throw new ProviderError('unsupported', `search_query_native cannot be combined with ${other[1]}.`)
    }
  }
  if (sharedFolderId !== undefined && sharedFrom === undefined) {
    throw new ProviderError('invalid-request', 'shared_folder_id needs shared_from.')
  }
  if (query.in !== undefined && sharedFolderId !== undefined && query.in !== sharedFolderId) {
    throw new ProviderError('invalid-request', 'in and shared_folder_id name two folders; give one of them.')
  }
  const folder = query.in ?? sharedFolderId
  if (folder === undefined && sharedFrom !== undefined) {
    throw new ProviderError('invalid-request', 'shared_from needs a folder: give in or shared_folder_id.')
  }
  if (folder === undefined) return undefined
  return checkId(folder, query.in === undefined ? 'shared_folder_id' : 'in')
}

/**
 * Chooses the mode: addresses other than the sender's can only be searched for.
 * @param upTo  Unix seconds: in filter mode nothing that was received after that second
 */
export function toGraphSearch(query: MessageQuery, upTo?: number): MessageSearch {
  // Graph keeps parts of a second and shows none: the whole second is meant.
  const place = upTo === undefined ? [] : [`receivedDateTime lt ${timeText(upTo + 1)}`]
  if (query.searchQueryNative !== undefined) return nativeSearch(query.searchQueryNative, place)
  const terms = searchTerms(query)
  return terms.length > 0 ? searchFor(terms.join(' AND ')) : filterBy([...place, ...filterTerms(query)])
}

function filterBy(terms: readonly string[]): MessageSearch {
  if (terms.length === 0) return { mode: 'filter', query: [NEWEST_FIRST] }
  const [first] = terms
  const all = first?.startsWith('receivedDateTime ') ? terms : [ANY_TIME, ...terms]
  return { mode: 'filter', query: [['$filter', all.join(' and ')], NEWEST_FIRST] }
}

function searchFor(kql: string): MessageSearch {
  return { mode: 'search', query: [['$search', `"${kql.replace(/[\\"]/g, (mark) => `\\${mark}`)}"`]] }
}

/** KQL; a value that begins with the name of one of Graph's options is that option. */
function nativeSearch(text: string, place: readonly string[]): MessageSearch {
  const [, option, value = ''] = /^\$(filter|search)=([\s\S]*)$/.exec(text) ?? []
  if (option === 'filter') return filterBy([...place, `(${value})`])
  if (option !== 'search') return searchFor(text)
  const [, quoted] = /^"([\s\S]*)"$/.exec(value.trim()) ?? []
  return quoted === undefined ? searchFor(value) : { mode: 'search', query: [['$search', `"${quoted}"`]] }
}

function filterTerms(query: MessageQuery): string[] {
  const terms: string[] = []
  if (query.receivedAfter !== undefined) terms.push(`receivedDateTime gt ${timeText(query.receivedAfter)}`)
  if (query.receivedBefore !== undefined) terms.push(`receivedDateTime lt ${timeText(query.receivedBefore)}`)
  if (query.unread !== undefined) terms.push(`isRead eq ${!query.unread}`)
  if (query.starred !== undefined) terms.push(`flag/flagStatus ${query.starred ? 'eq' : 'ne'} 'flagged'`)
  if (query.hasAttachment !== undefined) terms.push(`hasAttachments eq ${query.hasAttachment}`)
  if (query.from !== undefined) terms.push(`from/emailAddress/address eq ${quote(query.from)}`)
  if (query.subject !== undefined) terms.push(`contains(subject,${quote(query.subject)})`)
  return terms
}

/** Search knows days only, in the mailbox's own zone, so it is asked for a day more on either side. */
function searchTerms(query: MessageQuery): string[] {
  const { to, cc, bcc, anyEmail } = query
  if (to === undefined && cc === undefined && bcc === undefined && anyEmail === undefined) return []
  const terms: string[] = []
  for (const name of ['from', 'to', 'cc', 'bcc'] as const) {
    const address = query[name]
    if (address !== undefined) terms.push(`${name}:${word(address)}`)
  }
  if (anyEmail !== undefined && anyEmail.length > 0) {
    terms.push(`(${anyEmail.map((address) => `participants:${word(address)}`).join(' OR ')})`)
  }
  if (query.receivedAfter !== undefined) terms.push(`received>=${dayText(query.receivedAfter - DAY_SECONDS)}`)
  if (query.receivedBefore !== undefined)
    terms.push(`received<=${dayText(query.receivedBefore + DAY_SECONDS)}`)
  if (query.hasAttachment !== undefined) terms.push(`hasAttachment:${query.hasAttachment}`)
  return terms
}

/** A string of OData: quotes are doubled. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** A value of KQL; what is not plainly a word stands in quotes, in which no quote can stand. */
function word(text: string): string {
  return /^[\w.@-]+$/.test(text) ? text : `"${text.replaceAll('"', '')}"`
}

/** The last second that a date can name; beyond it, and before 1900, nothing was received. */
const LAST_SECOND = 253_402_300_799
const FIRST_SECOND = -2_208_988_800

function timeText(seconds: number): string {
  const inside = Math.min(Math.max(Math.trunc(seconds), FIRST_SECOND), LAST_SECOND)
  return new Date(inside * 1000).toISOString().replace('.000Z', 'Z')
}

function dayText(seconds: number): string {
  return timeText(seconds).slice(0, 10)
}

/** Read whatever is asked for: small, and what the local check reads. */
export const LIGHT =
  'id,conversationId,subject,from,sender,toRecipients,ccRecipients,bccRecipients,replyTo,receivedDateTime,sentDateTime,isDraft,isRead,flag,parentFolderId,hasAttachments'

/** `contentId` belongs to a kind of attachment only, so it is named with its type (contract/email.md 13.1). */
export const ATTACHMENT_FIELDS = 'id,name,contentType,size,isInline,microsoft.graph.fileAttachment/contentId'
const ATTACHMENTS = `attachments($select=${ATTACHMENT_FIELDS})`

/** Tells whether headers are asked for, and not left out by `select`. */
export function wantsHeaders({ fields, select }: Pick<MessageQuery, 'fields' | 'select'>): boolean {
  const isNamed = fields === 'include_headers' || fields === 'include_basic_headers'
  return isNamed && (select === undefined || select.length === 0 || select.includes('headers'))
}

/** `$select` and `$expand` of what the client wants, and no more. */
export function projection(fields: MessageFields, select: readonly string[] | undefined): QueryParameters {
  const wants = (name: string) =>
    fields !== 'raw_mime' && (select === undefined || select.length === 0 || select.includes(name))
  const names = [
    LIGHT,
    ...(wants('snippet') ? ['bodyPreview'] : []),
    ...(wants('body') ? ['body'] : []),
    ...(wantsHeaders({ fields, ...(select ? { select } : {}) }) ? ['internetMessageHeaders'] : []),
  ]
  return [['$select', names.join(',')], ...(wants('attachments') ? [['$expand', ATTACHMENTS] as const] : [])]
}
