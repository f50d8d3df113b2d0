import type { FullMessage, RawMessage } from '../../contract/message.ts'
import type { MessageQuery, Page } from '../../core/ports/mail.ts'
import { stringField } from '../../kit/json.ts'
import { type GmailCursor, readCursor, writeCursor } from './cursor.ts'
import { at } from './endpoints.ts'
import { needsLocalCheck, passesLocalCheck } from './local-filter.ts'
import { detailFor } from './message-detail.ts'
import { type MessageReader, objectsIn, readMessages, readRawMessages } from './read-messages.ts'
import { toGmailFilter } from './search-query.ts'

/** How many messages one request looks at before it answers with what it has. */
const SCAN_CAP = 500
/** How many pages of Gmail's one request pulls at most: each is two calls. */
const PAGE_CAP = 20
/** Smallest page where messages are checked here: small limits would take a call for each miss otherwise. */
const CHECKED_PAGE_SIZE = 10

/**
 * Lists messages by Gmail's search: one messages.list and one batch per page. What the search takes too widely
 * is checked here, and further pages are pulled until `limit` messages passed or the scan cap is reached.
 */
export async function listBySearch(
  reader: MessageReader,
  query: MessageQuery,
): Promise<Page<FullMessage | RawMessage>> {
  const found: FullMessage[] = []
  const rawIds: string[] = []
  const isRaw = query.fields === 'raw_mime'
  const isChecked = needsLocalCheck(query)
  const start = query.cursor === undefined ? undefined : readCursor(query.cursor)
  const pageSize = isChecked ? Math.max(query.limit, CHECKED_PAGE_SIZE) : query.limit
  let cursor: GmailCursor | undefined = start ?? { offset: 0, pageSize }
  let scanned = 0
  let pages = 0
  const count = () => (isRaw ? rawIds.length : found.length)
  while (cursor && count() < query.limit && scanned < SCAN_CAP && pages < PAGE_CAP) {
    const page: ListedPage = await listIds(reader, query, cursor)
    const open = page.ids.slice(page.offset)
    // Without a check all of the ids are wanted, so no more are read than fit.
    const ids = isChecked ? open : open.slice(0, query.limit - count())
    scanned += ids.length
    pages += 1
    let looked = ids.length
    if (isRaw && !isChecked) rawIds.push(...ids)
    else {
      const messages = await readMessages(reader, ids, detail(query, isRaw, isChecked), query.fields)
      const passing = messages.filter((message) => passesLocalCheck(query, message))
      const taken = passing.slice(0, query.limit - count())
      if (isRaw) rawIds.push(...taken.map((message) => message.id))
      else found.push(...taken)
      const last = taken.at(-1)
      if (taken.length < passing.length && last) looked = ids.indexOf(last.id) + 1
    }
    cursor = nextOf(cursor, page, looked, pageSize)
  }
  const items = isRaw ? await readRawMessages(reader, rawIds) : found
  return { items, ...(cursor ? { nextCursor: writeCursor(cursor) } : {}) }
}

function detail(query: MessageQuery, isRaw: boolean, isChecked: boolean) {
  // Sources are read for those messages only that passed, which headers tell.
  if (isRaw) return 'metadata'
  return detailFor({ fields: query.fields, select: query.select, readsHeaders: isChecked })
}

interface ListedPage {
  readonly ids: readonly string[]
  /** Where to go on in `ids`. */
  readonly offset: number
  readonly nextPageToken: string | undefined
}

async function listIds(reader: MessageReader, query: MessageQuery, cursor: GmailCursor): Promise<ListedPage> {
  const filter = toGmailFilter(query)
  const parameters = new URLSearchParams({
    maxResults: String(cursor.pageSize),
    fields: 'messages/id,nextPageToken',
  })
  if (filter.q) parameters.set('q', filter.q)
  for (const label of filter.labelIds) parameters.append('labelIds', label)
  if (filter.includeSpamTrash) parameters.set('includeSpamTrash', 'true')
  if (cursor.pageToken !== undefined) parameters.set('pageToken', cursor.pageToken)
  const answer = await reader.api.getJson(
    at(reader.gmailUrl, `/gmail/v1/users/me/messages?${parameters.toString()}`),
  )
  const ids = objectsIn(answer, 'messages').flatMap((entry) => stringField(entry, 'id') ?? [])
  const known = cursor.after === undefined ? -1 : ids.indexOf(cursor.after)
  return {
    ids,
    offset: known === -1 ? cursor.offset : known + 1,
    nextPageToken: stringField(answer, 'nextPageToken') || undefined,
  }
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
  if (offset < page.ids.length && after !== undefined) return { ...cursor, offset, after }
  if (page.nextPageToken === undefined || page.nextPageToken === cursor.pageToken) return undefined
  return { pageToken: page.nextPageToken, offset: 0, pageSize }
}
