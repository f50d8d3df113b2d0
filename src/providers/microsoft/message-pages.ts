import { hash } from 'node:crypto'
import type { MessageQuery } from '../../core/ports/mail.ts'
import { stringField } from '../../kit/json.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import { IN_CHARACTERS, type TextForm } from '../../kit/text-form.ts'
import type { QueryParameters } from './graph-call.ts'
import type { Candidate } from './local-filter.ts'
import { toGraphSearch } from './message-query.ts'
import { type GraphCursor, nextPlace, type PagePlace } from './next-link.ts'
import { candidatesOf, type MessageReader } from './read-messages.ts'

/** A page of messages as Graph gave it, without those that earlier pages had. */
export interface ReadPage {
  readonly candidates: readonly Candidate[]
  /** In bytes only where the query takes them. */
  readonly form: TextForm
  /** Where to go on in it. */
  readonly offset: number
  readonly next: PagePlace | undefined
}

/** More messages of one second than this are paged by Graph's own places. */
const SEEN_LIMIT = 100
const LARGEST_PAGE = 1000

/**
 * Reads the page at a cursor, newest first. Filters go on by the time of the last message, not by counting: mail that
 * arrives or leaves meanwhile neither repeats nor hides any. Searches can only follow Graph's tokens.
 */
export async function readPage(
  { api, base, grantId }: MessageReader,
  query: MessageQuery,
  folder: string | undefined,
  cursor: GraphCursor,
  projection: QueryParameters,
): Promise<ReadPage> {
  const seen = new Set(cursor.seen)
  const top = Math.min(cursor.pageSize + seen.size, LARGEST_PAGE)
  const path = messagesPath(api.root, folder)
  const parameters: QueryParameters = [
    ...toGraphSearch(query, cursor.upTo).query,
    ...projection,
    ['$top', String(top)],
    ...(cursor.place ? [[cursor.place.option, cursor.place.value] as const] : []),
  ]
  const { answer, form } = await (query.takesBytes === true
    ? api.getList(path, parameters)
    : api.getJson(path, parameters).then((read) => ({ answer: read, form: IN_CHARACTERS }))
  ).catch((error: unknown) => {
    throw isExpiredPlace(error, cursor) ? expired(error) : error
  })
  const all = candidatesOf(answer, grantId, form)
  const candidates = seen.size === 0 ? all : all.filter(({ message }) => !seen.has(markOf(message.id)))
  const known =
    cursor.after === undefined ? -1 : candidates.findIndex(({ message }) => message.id === cursor.after)
  return {
    candidates,
    form,
    offset: known === -1 ? cursor.offset : known + 1,
    next: nextPlace(answer, base, 'messages'),
  }
}

/** The messages of a folder (also by its well-known name), or of the mailbox. */
export function messagesPath(root: string, folder: string | undefined): string {
  return folder === undefined
    ? `${root}/messages`
    : `${root}/mailFolders/${encodeURIComponent(folder)}/messages`
}

/**
 * Where the next request goes on after some of a page were looked at; undefined at the end. A place that repeats
 * itself ends the list.
 */
export function nextOf(
  mode: 'filter' | 'search',
  cursor: GraphCursor,
  page: ReadPage,
  looked: number,
): GraphCursor | undefined {
  const offset = page.offset + looked
  const isWhole = offset >= page.candidates.length
  const { next } = page
  if (isWhole && !next) return undefined
  const byTime = mode === 'filter' ? afterTime(cursor, page.candidates.slice(0, offset)) : undefined
  if (byTime) return byTime
  const last = page.candidates[Math.min(offset, page.candidates.length) - 1]?.message.id ?? cursor.after
  const after = last === undefined ? {} : { after: last }
  if (!isWhole) return { ...cursor, offset, ...after }
  if (!next || (next.option === cursor.place?.option && next.value === cursor.place.value)) return undefined
  return { ...cursor, place: next, offset: 0, ...after }
}

/** Goes on at the second of the last message, leaving out those of that second that were there. */
function afterTime(cursor: GraphCursor, looked: readonly Candidate[]): GraphCursor | undefined {
  const upTo = secondOf(looked.at(-1))
  if (upTo === undefined) return undefined
  const seen = [
    ...(cursor.upTo === upTo ? (cursor.seen ?? []) : []),
    ...looked
      .filter((candidate) => mayBeOf(upTo, candidate) && secondOf(candidate) === upTo)
      .map(({ message }) => markOf(message.id)),
  ]
  return seen.length > SEEN_LIMIT ? undefined : { upTo, seen, offset: 0, pageSize: cursor.pageSize }
}

/** Tells what the message's own date tells without reading Graph's again; before 1970 that is another one. */
function mayBeOf(second: number, { message }: Candidate): boolean {
  return second <= 0 || message.date === second
}

/** The second that Graph orders by; undefined where it gave none. */
function secondOf(candidate: Candidate | undefined): number | undefined {
  const ms = Date.parse(stringField(candidate?.resource ?? {}, 'receivedDateTime') ?? '')
  return Number.isFinite(ms) ? Math.floor(ms / 1000) : undefined
}

/** Ids are long and a cursor travels in an address. */
function markOf(id: string): string {
  return hash('sha256', id, 'base64url').slice(0, 10)
}

const EXPIRED_CODES = new Set(['syncstatenotfound', 'resyncrequired'])

/** Tokens of searches end after a while (Graph does not say when); Graph then calls them invalid. */
function isExpiredPlace(error: unknown, { place }: GraphCursor): error is ProviderError {
  if (!(error instanceof ProviderError) || place?.option !== '$skiptoken') return false
  return (
    error.kind === 'invalid-request' || EXPIRED_CODES.has(error.details.providerCode?.toLowerCase() ?? '')
  )
}

function expired(error: ProviderError): ProviderError {
  return new ProviderError('invalid-request', 'page_token has expired: start the list anew.', error.details)
}
