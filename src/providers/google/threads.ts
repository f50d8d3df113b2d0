import type { FullThread } from '../../contract/thread.ts'
import type { GrantSession } from '../../core/ports/grant-session.ts'
import type { MessageChange, Page, ThreadQuery, ThreadsPort } from '../../core/ports/mail.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import { at } from './endpoints.ts'
import type { GoogleDeps } from './identity.ts'
import { labelChange } from './message-changes.ts'
import { isGmailId } from './message-detail.ts'
import { type MessageReader, openReader } from './read-messages.ts'
import { scanPages } from './scan-pages.ts'
import { checkQuery, unsupported } from './search-query.ts'
import { needsThreadCheck, passesThreadCheck, toThreadFilter } from './thread-filter.ts'
import { finishThreads, type FoundThread, readThreads, threadDetailFor } from './thread-read.ts'

/** How many threads one request looks at before it answers with what it has: each costs 40 units. */
const SCAN_CAP = 100

/** Threads by the Gmail API, which has them itself (contract/email.md 6 and 12.1). */
export function createGmailThreads(deps: GoogleDeps): ThreadsPort {
  return {
    async list(session, query) {
      checkQuery({ ...query, fields: 'standard' })
      if (query.searchQueryNative !== undefined) checkDates(query)
      const reader = openReader(deps, session)
      return query.threadId === undefined
        ? listThreads(reader, query)
        : listOne(reader, query, query.threadId)
    },
    async find(session, id, { sharedFrom }) {
      const { reader, thread } = await readThread(deps, session, id, sharedFrom)
      return finishOne(reader, thread)
    },
    async update(session, id, change) {
      const { reader, thread } = await readThread(deps, session, id, change.sharedFrom)
      const labels = threadLabelChange(change, thread)
      if (labels.addLabelIds.length + labels.removeLabelIds.length === 0) return finishOne(reader, thread)
      await reader.api.send({
        method: 'POST',
        url: addressOf(reader, id, 'modify'),
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(labels),
      })
      const [changed] = await readThreads(reader, [id], 'full')
      if (!changed) throw absent()
      return finishOne(reader, changed)
    },
    async delete(session, id, { sharedFrom }) {
      check(id, sharedFrom)
      const reader = openReader(deps, session)
      await reader.api.send({ method: 'POST', url: addressOf(reader, id, 'trash') })
    },
  }
}

async function listThreads(reader: MessageReader, query: ThreadQuery): Promise<Page<FullThread>> {
  const isChecked = needsThreadCheck(query)
  const detail = threadDetailFor(query, isChecked)
  const page = await scanPages<FoundThread>({
    api: reader.api,
    gmailUrl: reader.gmailUrl,
    resource: 'threads',
    filter: toThreadFilter(query),
    limit: query.limit,
    cursor: query.cursor,
    isChecked,
    scanCap: SCAN_CAP,
    read: (ids) => readThreads(reader, ids, detail),
    passes: (thread) => !isChecked || passesThreadCheck(query, thread),
  })
  // Gmail's order is by the newest message that fits the search, and not promised.
  const newestFirst = page.items.toSorted((one, other) => other.messages[0].date - one.messages[0].date)
  return { ...page, items: await finishThreads(reader, newestFirst, detail) }
}

/** `thread_id` beside other filters: that thread, or nothing. */
async function listOne(reader: MessageReader, query: ThreadQuery, id: string): Promise<Page<FullThread>> {
  const detail = threadDetailFor(query, true)
  const found = await readThreads(reader, [id], detail)
  const fitting = found.filter((thread) => passesThreadCheck(query, thread))
  return { items: await finishThreads(reader, fitting, detail) }
}

async function readThread(
  deps: GoogleDeps,
  session: GrantSession,
  id: string,
  sharedFrom: string | undefined,
): Promise<{ readonly reader: MessageReader; readonly thread: FoundThread }> {
  check(id, sharedFrom)
  const reader = openReader(deps, session)
  const [thread] = await readThreads(reader, [id], 'full')
  if (!thread) throw absent()
  return { reader, thread }
}

async function finishOne(reader: MessageReader, thread: FoundThread): Promise<FullThread> {
  const [finished] = await finishThreads(reader, [thread], 'full')
  if (!finished) throw absent()
  return finished
}

/** Works out the change for all messages: what one of them lacks is added, what one of them has too much removed. */
function threadLabelChange(change: MessageChange, { messages }: FoundThread) {
  const some = [...new Set(messages.flatMap(({ folders }) => folders))]
  const every = some.filter((label) => messages.every(({ folders }) => folders.includes(label)))
  // Sent mail and drafts are what they are; naming them as the thread shows them changes nothing.
  const fixed = some.filter((label) => label === 'SENT' || label === 'DRAFT')
  return {
    addLabelIds: labelChange(change, [...every, ...fixed]).addLabelIds,
    removeLabelIds: labelChange(change, some).removeLabelIds,
  }
}

function addressOf({ gmailUrl }: MessageReader, id: string, action: 'modify' | 'trash'): string {
  return at(gmailUrl, `/gmail/v1/users/me/threads/${id}/${action}`)
}

function checkDates(query: ThreadQuery): void {
  const { latestMessageBefore, latestMessageAfter, earliestMessageDate } = query
  if ([latestMessageBefore, latestMessageAfter, earliestMessageDate].every((date) => date === undefined))
    return
  throw new ProviderError(
    'invalid-request',
    'search_query_native can only be combined with in, limit, page_token and select.',
  )
}

function check(id: string, sharedFrom: string | undefined): void {
  if (sharedFrom !== undefined) throw unsupported('shared_from')
  if (!isGmailId(id)) throw absent()
}

function absent(): ProviderError {
  return new ProviderError('not-found', 'The thread does not exist at Google.', { answered: true })
}
