import type { Page } from '../../core/ports/mail.ts'
import { stringField } from '../../kit/json.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import type { GoogleApi } from './api.ts'
import { type GmailCursor, readCursor, TRAIL, writeCursor } from './cursor.ts'
import { at } from './endpoints.ts'
import { objectsIn } from './read-messages.ts'
import type { GmailFilter } from './search-query.ts'

/** How many pages of Gmail's one request pulls at most: each is two calls. */
const PAGE_CAP = 20
/** Smallest page where items are checked here: small limits would take a call for each miss otherwise. */
const CHECKED_PAGE_SIZE = 10

/** A list of Gmail's ids, and how what is behind them is read. */
export interface PageScan<T> {
  readonly api: GoogleApi
  readonly gmailUrl: string
  readonly resource: 'messages' | 'threads'
  readonly filter: GmailFilter
  readonly limit: number
  readonly cursor: string | undefined
  /** Whether items are checked here; then Gmail's pages are not those of the client. */
  readonly isChecked: boolean
  /** How many ids one request looks at before it answers with what it has. */
  readonly scanCap: number
  /** Reads what is behind ids, in their order; what is gone is left out. */
  read(ids: readonly string[]): Promise<readonly T[]>
  passes(item: T): boolean
}

/**
 * Lists by Gmail's search. What the search takes too widely is checked here, and further pages are pulled until `limit`
 * items passed or the scan cap is reached.
 */
export async function scanPages<T extends { readonly id: string }>(scan: PageScan<T>): Promise<Page<T>> {
  const { limit, isChecked, scanCap } = scan
  const found: T[] = []
  const start = scan.cursor === undefined ? undefined : readCursor(scan.cursor)
  const pageSize = isChecked ? Math.max(limit, CHECKED_PAGE_SIZE) : limit
  let cursor: GmailCursor | undefined = start ?? { offset: 0, pageSize }
  let scanned = 0
  for (let pages = 0; cursor && found.length < limit && scanned < scanCap && pages < PAGE_CAP; pages += 1) {
    const page: ListedPage = await listIds(scan, cursor)
    const open = page.ids.slice(page.offset)
    // Without a check all of the ids are wanted, so no more are read than fit.
    const ids = isChecked ? open : open.slice(0, limit - found.length)
    scanned += ids.length
    const passing = (await scan.read(ids)).filter((item) => scan.passes(item))
    const taken = passing.slice(0, limit - found.length)
    found.push(...taken)
    const last = taken.at(-1)
    const looked = taken.length < passing.length && last ? ids.indexOf(last.id) + 1 : ids.length
    cursor = nextOf(cursor, page, looked, pageSize)
  }
  return { items: found, ...(cursor ? { nextCursor: writeCursor(cursor) } : {}) }
}

interface ListedPage {
  readonly ids: readonly string[]
  /** Where to go on in `ids`. */
  readonly offset: number
  readonly nextPageToken: string | undefined
}

async function listIds<T>(scan: PageScan<T>, cursor: GmailCursor): Promise<ListedPage> {
  const { resource, filter } = scan
  const parameters = new URLSearchParams({
    maxResults: String(cursor.pageSize),
    fields: `${resource}/id,nextPageToken`,
  })
  if (filter.q) parameters.set('q', filter.q)
  for (const label of filter.labelIds) parameters.append('labelIds', label)
  if (filter.includeSpamTrash) parameters.set('includeSpamTrash', 'true')
  if (cursor.pageToken !== undefined) parameters.set('pageToken', cursor.pageToken)
  const answer = await scan.api
    .getJson(at(scan.gmailUrl, `/gmail/v1/users/me/${resource}?${parameters.toString()}`))
    .catch((error: unknown) => {
      if (cursor.pageToken !== undefined && isRefusalOf(error, TOKEN_WORDS)) throw expired(error)
      throw isRefusalOf(error, LABEL_WORDS) ? unknownLabel(error) : error
    })
  const ids = objectsIn(answer, resource).flatMap((entry) => stringField(entry, 'id') ?? [])
  return {
    ids,
    offset: placeIn(ids, cursor),
    nextPageToken: stringField(answer, 'nextPageToken') || undefined,
  }
}

/**
 * Finds the place again where mail came or left meanwhile: behind the last one looked at that is still there. Where
 * none of them is, the client has most likely moved all it saw.
 */
function placeIn(ids: readonly string[], { offset, after, before = [] }: GmailCursor): number {
  if (after === undefined) return offset
  for (const id of [after, ...before.toReversed()]) {
    const place = ids.indexOf(id)
    if (place !== -1) return place + 1
  }
  return before.length < TRAIL && before.length + 1 < offset ? offset : 0
}

/** Where the next request goes on; undefined at the end. A page token that repeats itself ends the list. */
function nextOf(
  cursor: GmailCursor,
  page: ListedPage,
  looked: number,
  pageSize: number,
): GmailCursor | undefined {
  const offset = page.offset + looked
  const after = page.ids[offset - 1]
  if (offset < page.ids.length && after !== undefined) {
    return { ...cursor, offset, after, before: page.ids.slice(Math.max(0, offset - 1 - TRAIL), offset - 1) }
  }
  if (page.nextPageToken === undefined || page.nextPageToken === cursor.pageToken) return undefined
  return { pageToken: page.nextPageToken, offset: 0, pageSize }
}

/** "Invalid pageToken": one that is not its own or too old; "Invalid label: …" (tried by others; checked 2026-11). */
const TOKEN_WORDS = /page ?token/i
const LABEL_WORDS = /^invalid label\b/i

function isRefusalOf(error: unknown, words: RegExp): error is ProviderError {
  if (!(error instanceof ProviderError) || error.kind !== 'invalid-request') return false
  const message = error.details.providerBody?.['message']
  return typeof message === 'string' && words.test(message)
}

function unknownLabel({ details }: ProviderError): ProviderError {
  const text = 'in names no label of the account: it takes the id of a folder, such as INBOX or Label_12.'
  return new ProviderError('invalid-request', text, details)
}

function expired({ details }: ProviderError): ProviderError {
  return new ProviderError(
    'invalid-request',
    'page_token has expired at Google: start the list again without it.',
    details,
  )
}
