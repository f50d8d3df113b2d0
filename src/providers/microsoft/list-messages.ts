import type { FullMessage, RawMessage } from '../../contract/message.ts'
import type { MessagePage, MessageQuery } from '../../core/ports/mail.ts'
import { IN_BYTES } from '../../kit/text-form.ts'
import type { Candidate } from './local-filter.ts'
import { passesLocalCheck } from './local-filter.ts'
import { projection, toGraphSearch } from './message-query.ts'
import { nextOf, readPage, type ReadPage } from './message-pages.ts'
import { type GraphCursor, readCursor, writeCursor } from './next-link.ts'
import { finishMessages, inCharacters, isAccepted, type MessageReader } from './read-messages.ts'

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
): Promise<MessagePage<FullMessage | RawMessage>> {
  const { mode } = toGraphSearch(query)
  const pageSize = mode === 'search' ? Math.max(query.limit, CHECKED_PAGE_SIZE) : query.limit
  const start = query.cursor === undefined ? { offset: 0, pageSize } : readCursor(query.cursor)
  let found: Candidate[] = []
  let inBytes = query.takesBytes === true && query.fields === 'standard' && looksAtNoText(query)
  let cursor: GraphCursor | undefined = start
  let scanned = 0
  for (
    let pages = 0;
    cursor && found.length < query.limit && scanned < SCAN_CAP && pages < PAGE_CAP;
    pages += 1
  ) {
    const page: ReadPage = await readPage(
      reader,
      { ...query, takesBytes: inBytes },
      folder,
      cursor,
      projection(query.fields, query.select),
    )
    if (inBytes && page.form !== IN_BYTES) {
      inBytes = false
      found = found.map(inCharacters)
    }
    let looked = 0
    for (const candidate of page.candidates.slice(page.offset)) {
      if (found.length === query.limit) break
      looked += 1
      if (passesLocalCheck(query, candidate) && isAccepted(reader, candidate)) found.push(candidate)
    }
    scanned += looked
    cursor = nextOf(mode, cursor, page, looked)
  }
  // A search is sorted by the time of sending; the wire's order is that of receipt.
  const sorted = mode === 'search' ? found.toSorted((a, b) => b.message.date - a.message.date) : found
  const items = await finishMessages(reader, sorted, query)
  return { items, ...(inBytes ? { inBytes } : {}), ...(cursor ? { nextCursor: writeCursor(cursor) } : {}) }
}

/** Tells whether the local check compares no texts, which it does by their characters. */
function looksAtNoText({ subject, from, to, cc, bcc, anyEmail }: MessageQuery): boolean {
  return [subject, from, to, cc, bcc, anyEmail].every((filter) => filter === undefined)
}
