import type { FullMessage } from '../../contract/message.ts'
import type { FullThread } from '../../contract/thread.ts'
import type { MessageQuery, Page, ThreadQuery } from '../../core/ports/mail.ts'
import { isJsonObject, numberField, parseJson, stringField } from '../../kit/json.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import { type Conversation, conversationOf, readConversations, readWhole } from './conversations.ts'
import type { QueryParameters } from './graph-call.ts'
import { type Candidate, passesLocalCheck } from './local-filter.ts'
import { nextOf, readPage } from './message-pages.ts'
import { LIGHT, projection, toGraphSearch } from './message-query.ts'
import { type GraphCursor, readCursor, writeCursor } from './next-link.ts'
import type { MessageReader } from './read-messages.ts'
import { byNewest, type ThreadOwner, toThread } from './to-thread.ts'

/** How many pages of messages one request looks at before it answers with what it has. */
const PAGE_CAP = 10
/** Messages looked at for each thread that is wanted; threads of one message are the most. */
const MESSAGES_PER_THREAD = 2
const LARGEST_SCAN_PAGE = 100
/** A search of Graph's ends there (contract/email.md 13.2). */
const SEARCH_RESULTS = 1000
const SEARCH_PAGE_CAP = 4

/**
 * Lists threads: messages are paged newest first and collapsed by conversation, then each conversation is read whole.
 * A thread appears once, at the place of its newest message that fits the query: so a page needs to know nothing of
 * the pages before it.
 */
export async function listThreads(
  reader: MessageReader,
  query: ThreadQuery,
  folder: string | undefined,
  owner: ThreadOwner,
): Promise<Page<FullThread>> {
  const messages = messageQueryOf(query)
  if (query.threadId !== undefined) return oneThread(reader, query, query.threadId, messages, folder, owner)
  return query.searchQueryNative !== undefined || toGraphSearch(messages).mode === 'search'
    ? searchThreads(reader, query, messages, folder, owner)
    : scanThreads(reader, query, messages, folder, owner)
}

/** What messages are asked for. Every message of a fitting thread is older than `before`, and none than `earliest`. */
function messageQueryOf(query: ThreadQuery): MessageQuery {
  const { latestMessageBefore, latestMessageAfter, earliestMessageDate, ...rest } = query
  const isNative = query.searchQueryNative !== undefined
  const others: readonly (keyof ThreadQuery)[] = [
    'subject',
    'from',
    'to',
    'cc',
    'bcc',
    'anyEmail',
    'in',
    'unread',
    'starred',
    'hasAttachment',
    'sharedFolderId',
  ]
  // The newest message decides about `after`, and with other filters it need not be one that fits.
  const isOnly = others.every((name) => query[name] === undefined)
  const after = [
    ...(earliestMessageDate === undefined ? [] : [earliestMessageDate - 1]),
    ...(latestMessageAfter === undefined || !isOnly ? [] : [latestMessageAfter]),
  ]
  return {
    ...rest,
    fields: 'standard',
    ...(latestMessageBefore === undefined || isNative ? {} : { receivedBefore: latestMessageBefore }),
    ...(after.length === 0 || isNative ? {} : { receivedAfter: Math.max(...after) }),
  }
}

/** Tells whether the whole thread fits: `false` is asked of all its messages, dates of its newest and oldest. */
function threadFits(query: ThreadQuery, conversation: Conversation): boolean {
  const dates = conversation.map(({ message }) => message.date)
  const [newest, oldest] = [Math.max(...dates), Math.min(...dates)]
  const { unread, starred, hasAttachment } = query
  return (
    !(unread === false && conversation.some(({ message }) => message.unread)) &&
    !(starred === false && conversation.some(({ message }) => message.starred)) &&
    !(hasAttachment === false && conversation.some(({ resource }) => resource['hasAttachments'] === true)) &&
    (query.latestMessageBefore === undefined || newest < query.latestMessageBefore) &&
    (query.latestMessageAfter === undefined || newest > query.latestMessageAfter) &&
    (query.earliestMessageDate === undefined || oldest >= query.earliestMessageDate)
  )
}

interface Found {
  readonly id: string
  readonly conversation: Conversation
}

async function scanThreads(
  reader: MessageReader,
  query: ThreadQuery,
  messages: MessageQuery,
  folder: string | undefined,
  owner: ThreadOwner,
): Promise<Page<FullThread>> {
  const pageSize = Math.min(query.limit * MESSAGES_PER_THREAD, LARGEST_SCAN_PAGE)
  const start = query.cursor === undefined ? undefined : readScan(query.cursor)
  const fields = projection('standard', wantsLatest(query) ? undefined : ['snippet'])
  let snapshot = start?.snapshot
  let cursor: GraphCursor | undefined = start?.cursor ?? { offset: 0, pageSize }
  const known = new Map<string, Conversation | undefined>()
  const listed = new Map<string, FullMessage>()
  const found: Found[] = []
  for (let pages = 0; cursor && found.length < query.limit && pages < PAGE_CAP; pages += 1) {
    const page: Awaited<ReturnType<typeof readPage>> = await readPage(
      reader,
      messages,
      folder,
      cursor,
      fields,
    )
    const open = page.candidates.slice(page.offset)
    snapshot ??= open[0]?.message.date
    const ids = open
      .filter((candidate) => passesLocalCheck(messages, candidate))
      .map((candidate) => conversationOf(candidate))
    let looked = 0
    for (const [at, candidate] of open.entries()) {
      if (found.length === query.limit) break
      looked += 1
      const id = conversationOf(candidate)
      if (id !== '' && ids.includes(id) && !known.has(id)) {
        // Not more than can still be shown: others are read when their turn comes.
        const wanted = [...new Set(open.slice(at).map(conversationOf))].filter(
          (next) => ids.includes(next) && next !== '' && !known.has(next),
        )
        const now = wanted.slice(0, query.limit - found.length)
        const read = await readConversations(reader, now)
        for (const next of now) known.set(next, read.get(next))
      }
      listed.set(candidate.message.id, candidate.message)
      const conversation = known.get(id)
      if (!conversation || !threadFits(query, conversation)) continue
      const place = placeOf(messages, folder, conversation, snapshot)
      if (place?.message.id === candidate.message.id) found.push({ id, conversation })
    }
    cursor = nextOf('filter', cursor, page, looked)
  }
  const items = await finish(reader, query, owner, found, listed)
  return {
    items,
    ...(cursor ? { nextCursor: writeScan({ cursor, ...(snapshot === undefined ? {} : { snapshot }) }) } : {}),
  }
}

/**
 * The message at whose place a thread is shown: the newest that fits. What came after the first page was read does
 * not count, so that mail that comes meanwhile moves no thread out of reach.
 */
function placeOf(
  messages: MessageQuery,
  folder: string | undefined,
  conversation: Conversation,
  snapshot: number | undefined,
): Candidate | undefined {
  const fitting = conversation.filter(
    (candidate) =>
      passesLocalCheck(messages, candidate) &&
      (folder === undefined || candidate.message.folders.includes(folder)) &&
      (snapshot === undefined || candidate.message.date <= snapshot),
  )
  return fitting.toSorted(byNewest)[0]
}

/** `thread_id` beside other filters: that thread, or nothing. */
async function oneThread(
  reader: MessageReader,
  query: ThreadQuery,
  id: string,
  messages: MessageQuery,
  folder: string | undefined,
  owner: ThreadOwner,
): Promise<Page<FullThread>> {
  const conversation = (await readConversations(reader, [id])).get(id)
  const isFitting =
    conversation !== undefined &&
    threadFits(query, conversation) &&
    placeOf(messages, folder, conversation, undefined) !== undefined
  return { items: isFitting ? await finish(reader, query, owner, [{ id, conversation }], new Map()) : [] }
}

/**
 * A search is read whole, as far as Graph's searches go: it has an end, and Graph sorts it by the time of sending.
 * So is what Graph's own language asks for, since nobody here can tell which messages fit it.
 */
async function searchThreads(
  reader: MessageReader,
  query: ThreadQuery,
  messages: MessageQuery,
  folder: string | undefined,
  owner: ThreadOwner,
): Promise<Page<FullThread>> {
  const light: QueryParameters = [['$select', LIGHT]]
  const places = new Map<string, Candidate>()
  let cursor: GraphCursor | undefined = { offset: 0, pageSize: SEARCH_RESULTS }
  for (let pages = 0; cursor && pages < SEARCH_PAGE_CAP; pages += 1) {
    const page: Awaited<ReturnType<typeof readPage>> = await readPage(reader, messages, folder, cursor, light)
    for (const candidate of page.candidates) {
      const id = conversationOf(candidate)
      if (!id || !passesLocalCheck(messages, candidate)) continue
      const known = places.get(id)
      if (!known || byNewest(candidate, known) < 0) places.set(id, candidate)
    }
    cursor = nextOf('search', cursor, page, page.candidates.length - page.offset)
  }
  const start = query.cursor === undefined ? undefined : readPlace(query.cursor)
  const ordered = [...places]
    .map(([id, { message }]) => ({ id, date: message.date }))
    .toSorted((one, other) => other.date - one.date || (one.id < other.id ? -1 : 1))
    .filter(({ id, date }) => !start || date < start.date || (date === start.date && id > start.id))
  const found: Found[] = []
  let at = 0
  for (let rounds = 0; found.length < query.limit && at < ordered.length && rounds < PAGE_CAP; rounds += 1) {
    const chunk = ordered.slice(at, at + query.limit - found.length)
    const read = await readConversations(
      reader,
      chunk.map(({ id }) => id),
    )
    for (const { id } of chunk) {
      const conversation = read.get(id)
      if (conversation && threadFits(query, conversation)) found.push({ id, conversation })
    }
    at += chunk.length
  }
  const last = ordered[at - 1]
  const items = await finish(reader, query, owner, found, new Map())
  return { items, ...(last && at < ordered.length ? { nextCursor: writePlace(last) } : {}) }
}

/** Makes the threads; their newest messages come whole from the page, else from calls of their own. */
async function finish(
  reader: MessageReader,
  query: ThreadQuery,
  owner: ThreadOwner,
  found: readonly Found[],
  listed: ReadonlyMap<string, FullMessage>,
): Promise<FullThread[]> {
  const newest = found.map(({ conversation }) => conversation.toSorted(byNewest)[0]?.message.id ?? '')
  const missing = wantsLatest(query) ? newest.filter((id) => id !== '' && !listed.has(id)) : []
  const read =
    missing.length > 0 ? await readWhole(reader, missing, undefined) : new Map<string, FullMessage>()
  return found
    .map(({ id, conversation }, at) =>
      toThread(id, conversation, owner, listed.get(newest[at] ?? '') ?? read.get(newest[at] ?? '')),
    )
    .toSorted((one, other) => dateOfThread(other) - dateOfThread(one))
}

function wantsLatest({ select }: ThreadQuery): boolean {
  return select === undefined || select.length === 0 || select.includes('latest_draft_or_message')
}

function dateOfThread(thread: FullThread): number {
  return thread.latest_draft_or_message.date ?? 0
}

interface Scan {
  readonly cursor: GraphCursor
  /** Unix seconds of the newest message when the list began. */
  readonly snapshot?: number
}

function writeScan({ cursor, snapshot }: Scan): string {
  return `${snapshot ?? ''}.${writeCursor(cursor)}`
}

function readScan(text: string): Scan {
  const [, snapshot, cursor] = /^(-?\d{0,15})\.(.+)$/s.exec(text) ?? []
  if (cursor === undefined) throw invalidToken()
  return { cursor: readCursor(cursor), ...(snapshot ? { snapshot: Number(snapshot) } : {}) }
}

interface SearchPlace {
  readonly date: number
  readonly id: string
}

function writePlace({ date, id }: SearchPlace): string {
  return Buffer.from(JSON.stringify({ d: date, i: id })).toString('base64url')
}

function readPlace(text: string): SearchPlace {
  const value = parseJson(Buffer.from(text, 'base64url').toString('utf8'))
  const date = isJsonObject(value) ? numberField(value, 'd') : undefined
  const id = isJsonObject(value) ? stringField(value, 'i') : undefined
  if (date === undefined || id === undefined) throw invalidToken()
  return { date, id }
}

function invalidToken(): ProviderError {
  return new ProviderError('invalid-request', 'page_token is not valid.')
}
