import { parseSearch } from './kql-search.ts'
import { firstProperty, parseFilter } from './odata-filter.ts'
import { type FakeAttachment, type FakeFolder, type FakeMailbox, type FakeMessage, sourceOf } from './seed.ts'

export interface GraphReply {
  readonly status: number
  readonly headers?: Record<string, string>
  /** an object is sent as JSON, text and bytes as they are */
  readonly body: object | string | Buffer
}

export const graphError = (status: number, code: string, message: string, headers = {}): GraphReply => ({
  status,
  headers,
  body: {
    error: {
      code,
      message,
      innerError: { date: '2026-11-24T09:00:00', 'request-id': 'r-1', 'client-request-id': 'r-1' },
    },
  },
})

export const notFound = () =>
  graphError(404, 'ErrorItemNotFound', 'The specified object was not found in the store.')
export const malformedId = () => graphError(400, 'ErrorInvalidIdMalformed', 'Id is malformed.')

/** Answers a GET below one user; `path` has no slash at its ends, its parts are decoded. */
export function answerMail(mailbox: FakeMailbox, path: readonly string[], url: URL): GraphReply {
  const [collection, id, below, ...rest] = path
  const query = url.searchParams
  if (collection === undefined) return { status: 200, body: select(mailbox.user, query.get('$select')) }
  if (collection === 'messages') {
    if (id === undefined) return listMessages(mailbox, () => true, url)
    const message = mailbox.messages.find((one) => one.id === id)
    if (!message) return id.startsWith('AAMk') ? notFound() : malformedId()
    if (below === '$value')
      return { status: 200, headers: { 'content-type': 'text/plain' }, body: sourceOf(message) }
    if (below === 'attachments') return answerAttachment(message, rest, query)
    return below === undefined ? { status: 200, body: project(message, query) } : notFound()
  }
  if (collection !== 'mailFolders' || rest.length > 0) return notFound()
  if (id === undefined) return listFolders(mailbox, 'AAMkRoot-0000=', url)
  const folder = mailbox.folders.find((one) => one.id === id || one.wellKnown === id)
  if (!folder) return id.startsWith('AAMk') || /^[a-z]+$/.test(id) ? notFound() : malformedId()
  if (below === undefined)
    return { status: 200, body: select(folderShape(mailbox, folder), query.get('$select')) }
  if (below === 'childFolders') return listFolders(mailbox, folder.id, url)
  return listMessages(mailbox, (message) => message.parentFolderId === folder.id, url)
}

function answerAttachment(
  message: FakeMessage,
  [id, below]: readonly string[],
  query: URLSearchParams,
): GraphReply {
  const names =
    query.get('$select') ?? 'id,name,contentType,size,isInline,microsoft.graph.fileAttachment/contentId'
  if (id === undefined) {
    return { status: 200, body: { value: message.attachments.map((one) => projectAttachment(one, names)) } }
  }
  const entry = message.attachments.find((one) => one.id === id)
  if (!entry) return notFound()
  if (below !== '$value') return { status: 200, body: projectAttachment(entry, names) }
  if (/referenceAttachment/.test(entry['@odata.type'])) {
    return graphError(405, 'ErrorInvalidRequest', 'A reference has no content.')
  }
  return {
    status: 200,
    headers: { 'content-type': 'application/octet-stream' },
    body: contentOf(entry),
  }
}

/** The bytes of an attachment. Its `size` counts overhead, as the real one does. */
export function contentOf(entry: FakeAttachment): Buffer {
  if (entry.content) return entry.content
  return /itemAttachment/.test(entry['@odata.type'])
    ? Buffer.from('Subject: hello\r\n\r\nforwarded')
    : Buffer.alloc(entry.size, entry.name)
}

function listMessages(
  mailbox: FakeMailbox,
  inFolder: (message: FakeMessage) => boolean,
  url: URL,
): GraphReply {
  const query = url.searchParams
  const [filter, search, order] = [query.get('$filter'), query.get('$search'), query.get('$orderby')]
  if (search !== null && order !== null)
    return graphError(400, 'SearchWithOrderBy', 'Not supported together.')
  if (search !== null && filter !== null)
    return graphError(400, 'SearchWithFilter', 'Not supported together.')
  if (filter !== null && order !== null) {
    const property = order.split(' ')[0] ?? ''
    if (firstProperty(filter) !== property || filter.includes('conversationId')) {
      return graphError(
        400,
        'InefficientFilter',
        'The restriction or sort order is too complex for this operation.',
      )
    }
  }
  let found = mailbox.messages.filter(inFolder)
  try {
    if (filter !== null) found = found.filter((message) => parseFilter(filter)({ ...message }))
    if (search !== null) found = found.filter(parseSearch(search))
  } catch (error) {
    return graphError(400, 'RequestBroker--ParseUri', String(error))
  }
  if (order !== null) found = found.toSorted((a, b) => time(b.receivedDateTime) - time(a.receivedDateTime))
  else if (search !== null)
    found = found.toSorted((a, b) => time(b.sentDateTime) - time(a.sentDateTime)).slice(0, 1000)
  // Without an order: as stored, which is neither by time nor by id.
  else found = found.toSorted((a, b) => (a.id.slice(-2) < b.id.slice(-2) ? -1 : 1))
  return page(
    found.map((message) => project(message, query)),
    url,
    search === null ? '$skip' : '$skiptoken',
  )
}

function time(text: string | undefined): number {
  return Date.parse(text ?? '1970-01-01T00:00:00Z')
}

function page(items: readonly object[], url: URL, option: '$skip' | '$skiptoken'): GraphReply {
  const query = url.searchParams
  const top = Number(query.get('$top') ?? 10)
  const token = query.get('$skiptoken')
  const skip =
    token === null
      ? Number(query.get('$skip') ?? 0)
      : Number(Buffer.from(token, 'base64').toString('utf8').slice(2))
  const next = new URL(url)
  // The real service writes folders as mailFolders('id') there.
  next.pathname = next.pathname.replace(/mailFolders\/([^/]+)\//, "mailFolders('$1')/")
  next.searchParams.delete('$skip')
  next.searchParams.set(
    option,
    option === '$skip' ? String(skip + top) : Buffer.from(`s:${skip + top}`).toString('base64'),
  )
  return {
    status: 200,
    body: {
      '@odata.context': 'https://graph.microsoft.com/v1.0/$metadata#x',
      value: items.slice(skip, skip + top),
      ...(skip + top < items.length ? { '@odata.nextLink': next.href } : {}),
    },
  }
}

export function project(message: FakeMessage, query: URLSearchParams): object {
  const { attachments, source: _source, ...own } = message
  const expand = /^attachments(?:\(\$select=([^)]*)\))?$/.exec(query.get('$expand') ?? '')
  return {
    ...select(own, query.get('$select')),
    ...(expand ? { attachments: attachments.map((entry) => projectAttachment(entry, expand[1])) } : {}),
  }
}

export function projectAttachment(entry: FakeAttachment, names: string | undefined): object {
  const wanted = (names ?? '').split(',').map((name) => name.replace('microsoft.graph.fileAttachment/', ''))
  return Object.fromEntries(
    Object.entries(entry).filter(
      ([name]) => name === '@odata.type' || name === 'id' || wanted.includes(name),
    ),
  )
}

/** Headers are given only when they are named. */
function select(item: object, names: string | null): object {
  const entries = Object.entries(item)
  if (names === null) return Object.fromEntries(entries.filter(([name]) => name !== 'internetMessageHeaders'))
  const wanted = new Set(['id', ...names.split(',')])
  return { '@odata.etag': 'W/"x"', ...Object.fromEntries(entries.filter(([name]) => wanted.has(name))) }
}

export function folderShape(mailbox: FakeMailbox, folder: FakeFolder): object {
  const messages = mailbox.messages.filter((message) => message.parentFolderId === folder.id)
  return {
    id: folder.id,
    displayName: folder.displayName,
    parentFolderId: folder.parentFolderId,
    isHidden: folder.isHidden ?? false,
    childFolderCount: mailbox.folders.filter((one) => one.parentFolderId === folder.id).length,
    totalItemCount: messages.length,
    unreadItemCount: messages.filter((message) => message.isRead === false).length,
  }
}

function listFolders(mailbox: FakeMailbox, parent: string, url: URL): GraphReply {
  const hidden = url.searchParams.get('includeHiddenFolders') === 'true'
  const folders = mailbox.folders.filter((one) => one.parentFolderId === parent && (hidden || !one.isHidden))
  return page(
    folders.map((folder) => folderShape(mailbox, folder)),
    url,
    '$skip',
  )
}
