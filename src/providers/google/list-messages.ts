import type { FullMessage, RawMessage } from '../../contract/message.ts'
import type { MessageQuery, Page } from '../../core/ports/mail.ts'
import { needsLocalCheck, passesLocalCheck } from './local-filter.ts'
import { detailFor } from './message-detail.ts'
import { type MessageReader, readMessages, readRawMessages } from './read-messages.ts'
import { type PageScan, scanPages } from './scan-pages.ts'
import { toGmailFilter } from './search-query.ts'

/** How many messages one request looks at before it answers with what it has. */
const SCAN_CAP = 500

/** Lists messages by Gmail's search: one messages.list and one batch per page of up to 50. */
export async function listBySearch(
  reader: MessageReader,
  query: MessageQuery,
): Promise<Page<FullMessage | RawMessage>> {
  const { limit, cursor, fields } = query
  const isChecked = needsLocalCheck(query)
  const scan: Omit<PageScan<never>, 'read' | 'passes'> = {
    api: reader.api,
    gmailUrl: reader.gmailUrl,
    resource: 'messages',
    filter: toGmailFilter(query),
    limit,
    cursor,
    isChecked,
    scanCap: SCAN_CAP,
  }
  const passes = (message: FullMessage) => passesLocalCheck(query, message)
  if (fields !== 'raw_mime') {
    const detail = detailFor({ fields, select: query.select, readsHeaders: isChecked })
    return scanPages({ ...scan, read: (ids) => readMessages(reader, ids, detail, fields), passes })
  }
  // Sources are read for those messages only that passed, which headers tell.
  const page = isChecked
    ? await scanPages({ ...scan, read: (ids) => readMessages(reader, ids, 'metadata', fields), passes })
    : await scanPages({ ...scan, read: async (ids) => ids.map((id) => ({ id })), passes: () => true })
  const items = await readRawMessages(
    reader,
    page.items.map(({ id }) => id),
  )
  return { ...page, items }
}
