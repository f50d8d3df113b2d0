import type { FullMessage, RawMessage } from '../../contract/message.ts'
import type { MessageQuery, Page } from '../../core/ports/mail.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import { readCursor, writeCursor } from './cursor.ts'
import { at } from './endpoints.ts'
import { needsLocalCheck, passesAllFilters } from './local-filter.ts'
import { detailFor, isGmailId, threadPath } from './message-detail.ts'
import { mapMessage, type MessageReader, objectsIn, readRawMessages } from './read-messages.ts'

/**
 * Lists the messages of a thread: Gmail's search has no word for it, so the thread is read as a whole, filtered
 * and paged here. An unknown thread has no messages.
 */
export async function listByThread(
  reader: MessageReader,
  query: MessageQuery,
  threadId: string,
): Promise<Page<FullMessage | RawMessage>> {
  const start = query.cursor === undefined ? undefined : readCursor(query.cursor)
  const messages = await messagesOf(reader, query, threadId)
  const known = start?.after === undefined ? -1 : messages.findIndex(({ id }) => id === start.after)
  const from = known === -1 ? (start?.offset ?? 0) : known + 1
  const page = messages.slice(from, from + query.limit)
  const offset = from + page.length
  const last = page.at(-1)
  const items =
    query.fields === 'raw_mime'
      ? await readRawMessages(
          reader,
          page.map(({ id }) => id),
        )
      : page
  if (offset >= messages.length || !last) return { items }
  return { items, nextCursor: writeCursor({ offset, pageSize: query.limit, after: last.id }) }
}

async function messagesOf(
  reader: MessageReader,
  query: MessageQuery,
  threadId: string,
): Promise<readonly FullMessage[]> {
  if (!isGmailId(threadId)) return []
  const isRaw = query.fields === 'raw_mime'
  const detail =
    query.hasAttachment !== undefined
      ? 'full'
      : detailFor({
          fields: query.fields,
          select: isRaw ? ['id'] : query.select,
          readsHeaders: needsLocalCheck(query),
        })
  const thread = await reader.api.getJson(at(reader.gmailUrl, threadPath(threadId, detail))).catch(absent)
  const messages: FullMessage[] = []
  for (const resource of objectsIn(thread, 'messages')) {
    const message = await mapMessage(reader, resource, query.fields, detail)
    if (passesAllFilters(query, message)) messages.push(message)
  }
  // Gmail lists the oldest first; of equal times the later one is the newer.
  return messages.toReversed().toSorted((one, other) => other.date - one.date)
}

function absent(error: unknown): { readonly [name: string]: unknown } {
  if (error instanceof ProviderError && error.kind === 'not-found') return {}
  throw error
}
