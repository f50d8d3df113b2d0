import type { FullMessage, RawMessage } from '../../contract/message.ts'
import type { MessageQuery, Page } from '../../core/ports/mail.ts'
import { isJsonObject, numberField, parseJson, stringField } from '../../kit/json.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import { messagesPath } from './message-pages.ts'
import { type Candidate, passesLocalCheck } from './local-filter.ts'
import { projection, quote } from './message-query.ts'
import { nextPlace, type PagePlace } from './next-link.ts'
import { candidatesOf, finishMessages, isAccepted, type MessageReader } from './read-messages.ts'

const PAGE_SIZE = 100
/** A conversation is read up to this many pages. */
const PAGE_CAP = 10

/**
 * Lists the messages of one conversation. Graph refuses to order such a filter, and without an order gives the
 * order of storage, so the whole conversation is read and sorted here (contract/email.md 13.1).
 */
export async function listThreadMessages(
  reader: MessageReader,
  query: MessageQuery,
  threadId: string,
  folder: string | undefined,
): Promise<Page<FullMessage | RawMessage>> {
  const all = (await readThread(reader, query, threadId, folder))
    .filter((candidate) => passesLocalCheck(query, candidate) && isAccepted(reader, candidate))
    .toSorted(newestFirst)
  const start = query.cursor === undefined ? undefined : readPlace(query.cursor)
  const open = start ? all.filter((candidate) => comesAfter(candidate, start)) : all
  const chosen = open.slice(0, query.limit)
  const last = chosen.at(-1)
  const items = await finishMessages(reader, chosen, query)
  return { items, ...(last && open.length > chosen.length ? { nextCursor: writePlace(last) } : {}) }
}

async function readThread(
  { api, base, grantId }: MessageReader,
  query: MessageQuery,
  threadId: string,
  folder: string | undefined,
): Promise<readonly Candidate[]> {
  const found = new Map<string, Candidate>()
  let place: PagePlace | undefined
  for (let pages = 0; pages < PAGE_CAP; pages += 1) {
    const answer = await api.getJson(messagesPath(api.root, folder), [
      ['$filter', `conversationId eq ${quote(threadId)}`],
      ...projection(query.fields, query.select),
      ['$top', String(PAGE_SIZE)],
      ...(place ? [[place.option, place.value] as const] : []),
    ])
    for (const candidate of candidatesOf(answer, grantId)) found.set(candidate.message.id, candidate)
    const next = nextPlace(answer, base, 'messages')
    if (!next || next.value === place?.value) break
    place = next
  }
  return [...found.values()]
}

interface ThreadPlace {
  readonly date: number
  readonly id: string
}

function newestFirst(one: Candidate, other: Candidate): number {
  return other.message.date - one.message.date || (one.message.id < other.message.id ? -1 : 1)
}

function comesAfter({ message }: Candidate, place: ThreadPlace): boolean {
  return message.date < place.date || (message.date === place.date && message.id > place.id)
}

function writePlace({ message }: Candidate): string {
  return Buffer.from(JSON.stringify({ d: message.date, i: message.id })).toString('base64url')
}

function readPlace(text: string): ThreadPlace {
  const value = parseJson(Buffer.from(text, 'base64url').toString('utf8'))
  if (isJsonObject(value)) {
    const date = numberField(value, 'd')
    const id = stringField(value, 'i')
    if (date !== undefined && id !== undefined) return { date, id }
  }
  throw new ProviderError('invalid-request', 'page_token is not valid.')
}
