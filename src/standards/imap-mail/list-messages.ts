import type { FullMessage, RawMessage } from '../../contract/message.ts'
import { BASIC_HEADERS } from '../../contract/message.ts'
import type { MessageQuery, Page } from '../../core/ports/mail.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import type { ImapSession } from '../../protocols/imap/open-session.ts'
import type { AccountIndex, CoveredFolders } from './account-index.ts'
import { decodeFolderId, encodeFolderId } from './folder-id.ts'
import { type Candidate, FolderStream } from './folder-stream.ts'
import type { IndexRow } from './index-rows.ts'
import { listFolders } from './folders.ts'
import { decodeListCursor, encodeListCursor } from './list-cursor.ts'
import type { LoadedMessage, MessageContent } from './message-content.ts'
import { buildFilter, type MessageFilter } from './message-filter.ts'
import { encodePlaceId } from './message-id.ts'
import type { MovedPlaces } from './moved-places.ts'
import { openFolder, type OpenedFolder } from './open-folder.ts'
import type { SpecialFolders } from './special-folder.ts'
import { mergedThreads, threadRoots } from './merged-threads.ts'
import { type MessageHead, NO_BODY, threadOf, toWireMessage } from './to-wire.ts'

/** Messages looked at in one request when a filter must be checked here: then the page ends, with a cursor. */
const SCAN_LIMIT = 1000
const SCAN_CHUNK = 100

/** What a list or a find works with. */
export interface MailboxView {
  readonly client: ImapSession
  readonly accountKey: string
  readonly grantId: string
  readonly index: AccountIndex
  readonly content: MessageContent
  readonly moved: MovedPlaces
  readonly special: SpecialFolders
  /** UIDs put in order of date at once */
  readonly window: number
}

/** A message of a page before it takes its wire form. */
export interface PageEntry {
  readonly folder: OpenedFolder
  readonly message: LoadedMessage
  readonly row: IndexRow
  readonly id: string
  readonly date: number
  readonly folders: string[]
}

/**
 * Lists messages, newest first (contract/email.md 3.2). Without `in`: the \All folder, else INBOX, Sent and
 * Archive merged. The same mail in two of these folders is one object where both copies are on one page.
 */
export async function listMessages(
  view: MailboxView,
  query: MessageQuery,
): Promise<Page<FullMessage | RawMessage>> {
  const filter = buildFilter(query, await threadRoots(view, query.threadId))
  const streams = await startStreams(view, query, filter)
  const entries: PageEntry[] = []
  /** where a mail of that Message-ID and fingerprint stands on this page */
  const byMail = new Map<string, PageEntry>()
  let scanned = 0
  let batch = await nextBatch(view, streams, filter, query.limit)
  while (batch.length > 0) {
    const fresh = batch.filter((candidate) => !byMail.has(mailKey(candidate)))
    const loaded = await loadHeads(view, fresh, query.fields === 'include_headers')
    for (const candidate of batch) {
      const same = byMail.get(mailKey(candidate))
      if (!same && entries.length >= query.limit) break
      candidate.stream.take()
      scanned += 1
      const folderId = encodeFolderId(candidate.folder.path)
      if (same) {
        if (!same.folders.includes(folderId)) same.folders.push(folderId)
        continue
      }
      const message = loaded.get(candidate)
      const entry = message && toEntry(view, candidate, message, filter, folderId)
      if (!entry) continue
      entries.push(entry)
      if (candidate.row.idDigest !== '') byMail.set(mailKey(candidate), entry)
    }
    if (entries.length >= query.limit || scanned >= SCAN_LIMIT) break
    batch = await nextBatch(view, streams, filter, query.limit - entries.length)
  }
  takeCopies(streams, byMail)
  const items = await present(view, entries, query)
  const hasMore = streams.some((stream) => stream.peek() !== undefined || stream.hasWindowBelow)
  return hasMore ? { items, nextCursor: cursorOf(streams) } : { items }
}

type StreamCandidate = Candidate & { readonly stream: FolderStream }

async function startStreams(
  view: MailboxView,
  query: MessageQuery,
  filter: MessageFilter,
): Promise<readonly FolderStream[]> {
  const positions = query.cursor === undefined ? [] : decodeListCursor(query.cursor)
  // What is newer than the last message taken, in a folder nothing was taken from, has come since.
  const frontier = positions.length === 0 ? undefined : Math.min(...positions.map((at) => at.date))
  const paths = query.in === undefined ? (await coveredFolders(view)).listed : [pathOf(query.in)]
  const streams: FolderStream[] = []
  for (const path of paths) {
    const folder = await openFolder(view.client, path)
    if (!folder && query.in !== undefined) throw unknownFolder()
    if (!folder) continue
    const position = positions.find((at) => at.path === path)
    streams.push(
      await FolderStream.start(view.client, view.index, filter, folder, {
        position,
        frontier,
        window: view.window,
      }),
    )
  }
  return streams
}

export function pathOf(folderId: string): string {
  const path = decodeFolderId(folderId)
  if (path === undefined) throw unknownFolder()
  return path
}

export function unknownFolder(): ProviderError {
  return new ProviderError('invalid-request', 'in is not the id of a folder of this mailbox')
}

/** The folders of a list without `in`, and those that matter to threads. */
export function coveredFolders({ client, index }: MailboxView): Promise<CoveredFolders> {
  return index.coveredFolders(() => lookUpFolders(client))
}

async function lookUpFolders(client: ImapSession): Promise<CoveredFolders> {
  const folders = (await listFolders(client, false)).filter((folder) => folder.isSelectable)
  const withAttribute = (attribute: string) =>
    folders.filter((folder) => folder.attributes.includes(attribute)).slice(0, 1)
  const all = withAttribute('\\All')
  const chosen = all.length > 0 ? all : ['\\Inbox', '\\Sent', '\\Archive'].flatMap(withAttribute)
  return {
    listed: chosen.length > 0 ? [...new Set(chosen.map((folder) => folder.path))] : ['INBOX'],
    sent: withAttribute('\\Sent')[0]?.path,
    drafts: withAttribute('\\Drafts')[0]?.path,
  }
}

/** The next candidates of all folders in order of date; loads windows as they are needed. Takes nothing. */
async function nextBatch(
  { client, index }: MailboxView,
  streams: readonly FolderStream[],
  filter: MessageFilter,
  wanted: number,
): Promise<readonly StreamCandidate[]> {
  for (const stream of streams) {
    while (stream.peek() === undefined && stream.hasWindowBelow) {
      await ensureOpen(client, stream.folder)
      await stream.loadNext(client)
    }
  }
  const isWide = filter.needsScan || (filter.asciiSearch !== undefined && index.searchesAsciiOnly)
  const size = isWide ? Math.max(wanted, SCAN_CHUNK) : wanted
  const heads = streams.map((stream) => ({ stream, upcoming: stream.upcoming(size) }))
  const batch: StreamCandidate[] = []
  while (batch.length < size) {
    const next = heads
      .filter((head) => head.upcoming.length > 0)
      .toSorted((a, b) => (b.upcoming[0]?.row.date ?? 0) - (a.upcoming[0]?.row.date ?? 0))[0]
    const candidate = next?.upcoming.shift()
    if (!next || !candidate) break
    batch.push({ ...candidate, stream: next.stream })
    // What comes after a window's end may be newer than other folders' next: load it first.
    if (next.upcoming.length === 0 && next.stream.hasWindowBelow) break
  }
  return batch
}

/** Copies of the page's mails that come next, with the same date, belong to it: MOVE and COPY keep the date. */
function takeCopies(streams: readonly FolderStream[], byMail: ReadonlyMap<string, PageEntry>): void {
  for (const stream of streams) {
    for (let next = stream.peek(); next; next = stream.peek()) {
      const same = byMail.get(mailKey(next))
      if (!same || same.date !== next.row.date) break
      stream.take()
      const folderId = encodeFolderId(next.folder.path)
      if (!same.folders.includes(folderId)) same.folders.push(folderId)
    }
  }
}

async function loadHeads(
  view: MailboxView,
  candidates: readonly StreamCandidate[],
  withAllHeaders: boolean,
): Promise<ReadonlyMap<StreamCandidate, LoadedMessage>> {
  const loaded = new Map<StreamCandidate, LoadedMessage>()
  for (const [folder, group] of byFolder(candidates)) {
    await ensureOpen(view.client, folder)
    const uids = group.map((candidate) => candidate.row.uid)
    const heads = await view.content.heads(view.client, view.accountKey, folder, uids, withAllHeaders)
    for (const candidate of group) {
      const head = heads.get(candidate.row.uid)
      if (head) loaded.set(candidate, head)
    }
  }
  return loaded
}

function toEntry(
  view: MailboxView,
  candidate: Candidate,
  message: LoadedMessage,
  filter: MessageFilter,
  folderId: string,
): PageEntry | undefined {
  const { folder, row } = candidate
  if (message.deleted) return undefined
  const id = publicId(view.index, candidate, message)
  const { head, unread, starred } = message
  const hasAttachments = hasAttachment(head)
  const threadId = filter.thread?.includes(view.index, row) ? filter.thread.id : threadOf(head, id)
  if (filter.matches && !filter.matches({ ...head, threadId, hasAttachments, unread, starred }))
    return undefined
  return { folder, message, row, id, date: row.date, folders: [folderId] }
}

/** Whether a message has a file, other than images of its own text. */
export function hasAttachment(head: MessageHead): boolean {
  return head.parts.attachments.some((leaf) => leaf.node.disposition !== 'inline' || !leaf.node.id)
}

/** The Message-ID where it is fit for an id and this mail holds it, else the place. */
export function publicId(index: AccountIndex, { folder, row }: Candidate, message: LoadedMessage): string {
  const { messageId } = message.head
  if (messageId !== undefined && index.holdsId(row)) return messageId
  return encodePlaceId({ path: folder.path, uidValidity: folder.uidValidity, uid: row.uid })
}

/** Gives entries the form that `fields` and `select` ask for. */
export async function present(
  view: MailboxView,
  entries: readonly PageEntry[],
  options: Pick<MessageQuery, 'fields' | 'select'>,
): Promise<readonly (FullMessage | RawMessage)[]> {
  const wire = new Map<PageEntry, FullMessage | RawMessage>()
  const needsBody = !options.select || options.select.some((name) => BODY_FIELDS.has(name))
  const threadIds = options.fields === 'raw_mime' ? undefined : await mergedThreads(view, entries)
  for (const [folder, group] of byFolder(entries)) {
    if (options.fields === 'raw_mime' || needsBody) await ensureOpen(view.client, folder)
    if (options.fields === 'raw_mime') {
      for (const entry of group) {
        const raw = await fetchRaw(view, entry)
        if (raw) wire.set(entry, raw)
      }
      continue
    }
    const messages = group.map((entry) => entry.message)
    const bodies = needsBody
      ? await view.content.bodies(view.client, view.accountKey, folder, messages)
      : new Map<number, never>()
    for (const entry of group) {
      const body = bodies.get(entry.message.uid) ?? NO_BODY
      const threadId = threadIds?.get(entry)
      const message = toWireMessage({
        ...entry,
        ...entry.message,
        grantId: view.grantId,
        body,
        ...(threadId === undefined ? {} : { threadId }),
      })
      wire.set(entry, withFields(message, entry.message, options.fields))
    }
  }
  return entries.flatMap((entry) => wire.get(entry) ?? [])
}

/** Fields that need the body part. */
const BODY_FIELDS = new Set(['body', 'snippet', 'attachments'])

async function fetchRaw(view: MailboxView, entry: PageEntry): Promise<RawMessage | undefined> {
  const found = await view.client.fetchOne(
    String(entry.message.uid),
    { uid: true, source: true },
    { uid: true },
  )
  if (!found || !found.source) return undefined
  const raw_mime = found.source.toString('base64url')
  return { id: entry.id, grant_id: view.grantId, object: 'message', raw_mime }
}

function withFields(
  message: FullMessage,
  loaded: LoadedMessage,
  fields: MessageQuery['fields'],
): FullMessage {
  switch (fields) {
    case 'include_headers':
      return { ...message, headers: [...(loaded.allHeaders ?? loaded.head.headers)] }
    case 'include_basic_headers':
      return {
        ...message,
        headers: loaded.head.headers.filter((field) => BASIC_HEADERS.includes(field.name.toLowerCase())),
      }
    case 'include_tracking_options':
    case 'raw_mime':
    case 'standard':
      return message
  }
}

export async function ensureOpen(client: ImapSession, folder: OpenedFolder): Promise<void> {
  if (client.mailbox && client.mailbox.path === folder.path) return
  const opened = await openFolder(client, folder.path)
  if (opened?.uidValidity !== folder.uidValidity) {
    throw new ProviderError('unavailable', 'A folder was replaced while it was read.')
  }
}

export function byFolder<T extends { readonly folder: OpenedFolder }>(
  items: readonly T[],
): ReadonlyMap<OpenedFolder, readonly T[]> {
  const groups = new Map<OpenedFolder, T[]>()
  for (const item of items) {
    const group = groups.get(item.folder)
    if (group) group.push(item)
    else groups.set(item.folder, [item])
  }
  return groups
}

function mailKey({ folder, row }: Candidate): string {
  return row.idDigest === '' ? `${row.uid} ${folder.path}` : `${row.idDigest} ${row.fingerprint}`
}

function cursorOf(streams: readonly FolderStream[]): string {
  return encodeListCursor(streams.flatMap((stream) => stream.position ?? []))
}
