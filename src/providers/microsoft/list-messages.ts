import type { FullMessage, RawMessage } from '../../contract/message.ts'
import type { MessageQuery, Page } from '../../core/ports/mail.ts'
import type { Candidate } from './local-filter.ts'
import { passesLocalCheck } from './local-filter.ts'
import { projection, toGraphSearch } from './message-query.ts'
import { type GraphCursor, nextPlace, type PagePlace, readCursor, writeCursor } from './next-link.ts'
import { candidatesOf, finishMessages, type MessageReader } from './read-messages.ts'

/** How many messages one request looks at before it answers with what it has. */
const SCAN_CAP = 500
/** How many pages of Graph's one request pulls at most; Graph may answer empty pages with a next link. */
const PAGE_CAP = 10
/** Smallest page where messages are checked here: small limits would take a call for each miss otherwise. */
const CHECKED_PAGE_SIZE = 25

/**
 * Lists messages of a folder or of the whole mailbox (Deleted Items included), one call per page. What Graph takes
 * too widely is checked here, and further pages are pulled until `limit` messages passed or a cap is reached.
 */
export async function listMessages(
  reader: MessageReader,
  query: MessageQuery,
  folder: string | undefined,
): Promise<Page<FullMessage | RawMessage>> {
  const { mode } = toGraphSearch(query)
  const pageSize = mode === 'search' ? Math.max(query.limit, CHECKED_PAGE_SIZE) : query.limit
  const start = query.cursor === undefined ? { offset: 0, pageSize } : readCursor(query.cursor)
  const found: Candidate[] = []
  let cursor: GraphCursor | undefined = start
  let scanned = 0
  for (
    let pages = 0;
    cursor && found.length < query.limit && scanned < SCAN_CAP && pages < PAGE_CAP;
    pages += 1
  ) {
    const page: ReadPage = await readPage(reader, query, folder, cursor)
    let looked = 0
    for (const candidate of page.candidates.slice(page.offset)) {
      if (found.length === query.limit) break
      looked += 1
      if (passesLocalCheck(query, candidate)) found.push(candidate)
    }
    scanned += looked
    cursor = nextOf(cursor, page, looked)
  }
  // A search is sorted by the time of sending; the wire's order is that of receipt.
  const sorted = mode === 'search' ? found.toSorted((a, b) => b.message.date - a.message.date) : found
  const items = await finishMessages(reader, sorted, query.fields)
  return { items, ...(cursor ? { nextCursor: writeCursor(cursor) } : {}) }
}

interface ReadPage {
  readonly candidates: readonly Candidate[]
  /** Where to go on in it. */
  readonly offset: number
  readonly next: PagePlace | undefined
}

async function readPage(
  { api, base, grantId }: MessageReader,
  query: MessageQuery,
  folder: string | undefined,
  cursor: GraphCursor,
): Promise<ReadPage> {
  const answer = await api.getJson(messagesPath(api.root, folder), [
    ...toGraphSearch(query).query,
    ...projection(query.fields, query.select),
    ['$top', String(cursor.pageSize)],
    ...(cursor.place ? [[cursor.place.option, cursor.place.value] as const] : []),
  ])
  const candidates = candidatesOf(answer, grantId)
  const known =
    cursor.after === undefined ? -1 : candidates.findIndex(({ message }) => message.id === cursor.after)
  return {
    candidates,
    offset: known === -1 ? cursor.offset : known + 1,
    next: nextPlace(answer, base, 'messages'),
  }
}

/** The messages of a folder, or of the mailbox. */
export function messagesPath(root: string, folder: string | undefined): string {
  return folder === undefined
    ? `${root}/messages`
    : `${root}/mailFolders/${encodeURIComponent(folder)}/messages`
}

/** Where the next request goes on; undefined at the end. A place that repeats itself ends the list. */
function nextOf(cursor: GraphCursor, page: ReadPage, looked: number): GraphCursor | undefined {
  const offset = page.offset + looked
  const last = page.candidates[Math.min(offset, page.candidates.length) - 1]?.message.id ?? cursor.after
  const after = last === undefined ? {} : { after: last }
  if (offset < page.candidates.length) return { ...cursor, offset, ...after }
  const { next } = page
  if (!next || (next.option === cursor.place?.option && next.value === cursor.place.value)) return undefined
  return { place: next, offset: 0, pageSize: cursor.pageSize, ...after }
}
