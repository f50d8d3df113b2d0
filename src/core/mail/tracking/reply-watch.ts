import { AppError } from '../../../kit/app-error.ts'
import type { Clock } from '../../../kit/clock.ts'
import { withDeadline } from '../../../kit/deadline.ts'
import type { Ids } from '../../../kit/ids.ts'
import type { Logger } from '../../../kit/logger.ts'
import { ProviderError } from '../../../kit/provider-error.ts'
import type { GrantSessions } from '../../grants/sessions.ts'
import type { ProviderName } from '../../../contract/providers.ts'
import type { ProviderModule } from '../../ports/provider.ts'
import type { GrantSession } from '../../ports/grant-session.ts'
import type { Mail } from '../../ports/mail.ts'
import type { DueWatch } from '../../ports/mail-stores-tracking.ts'
import type { GrantRecord } from '../../ports/records.ts'
import type { Database } from '../../ports/stores.ts'
import { isFrom, noteReplies, type ThreadMessage } from './replies.ts'
import { nextLookMs, WATCHED_MS } from './reply-pace.ts'

/** Looks for replies in threads that are due. */
export interface ReplyWatcher {
  /** Looks at some due threads. @returns whether more may be due */
  lookAtDue(signal: AbortSignal): Promise<boolean>
}

export interface ReplyWatchDeps {
  readonly database: Database
  readonly sessions: GrantSessions
  readonly providers: ReadonlyMap<ProviderName, ProviderModule>
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Logger
}

const BATCH = 20
const AT_ONCE = 4
const LOOK_MS = 30_000
/** Longer than a batch takes: what a process that died has claimed is due again after it. */
const HOLD_MS = 5 * 60_000
/** After the provider refused or failed, and while the grant is invalid. */
const TROUBLE_MS = 15 * 60_000
const INVALID_MS = 60 * 60_000
const PAGE = 20
const MOST_PAGES = 5

/** A thread with the watches of it that are due. */
interface DueThread {
  readonly watches: readonly [DueWatch, ...DueWatch[]]
}

/**
 * Makes it. Until there is a feed of changes, threads are polled: rarely, within the budget of each grant, by one
 * process at a time. A thread that several watches share is read once.
 */
export function createReplyWatcher(deps: ReplyWatchDeps): ReplyWatcher {
  const { replyWatches, grants } = deps.database.stores

  async function look({ watches }: DueThread, signal: AbortSignal): Promise<void> {
    const [first] = watches
    const ids = watches.map(({ id }) => id)
    const grant = await grants.find(first.applicationId, first.grantId)
    // Deleted: its watches went with it.
    if (!grant) return
    const mail = deps.providers.get(grant.provider)?.mail
    if (!mail) return await replyWatches.delete(ids)
    if (grant.status === 'invalid' || grant.blocked) return await replyWatches.defer(ids, INVALID_MS)
    try {
      await read(grant, mail, first.threadId, signal)
    } catch (error) {
      if (signal.aborted) return
      await settleFailed(grant, watches, error)
      return
    }
    for (const { id, quietMs } of watches) await replyWatches.defer([id], nextLookMs(quietMs))
  }

  async function settleFailed(
    grant: GrantRecord,
    watches: DueThread['watches'],
    error: unknown,
  ): Promise<void> {
    // The thread is gone, or this provider's mail can't be asked by thread: the next look has no better answer.
    const isOver = error instanceof AppError && (error.status === 404 || error.status === 400)
    deps.log.info({ grantId: grant.id, err: error, isOver }, 'reply_watch.failed')
    if (isOver) return await replyWatches.delete(watches.map(({ id }) => id))
    for (const { id, quietMs } of watches) {
      await replyWatches.defer([id], Math.max(TROUBLE_MS, nextLookMs(quietMs)))
    }
  }

  async function read(
    grant: GrantRecord,
    mail: ThreadMail,
    threadId: string,
    signal: AbortSignal,
  ): Promise<void> {
    const context = { requestId: deps.ids.uuid(), signal: withDeadline(signal, LOOK_MS) }
    await deps.sessions.use(grant, context, async (session) => {
      let cursor: string | undefined
      for (let page = 0; page < MOST_PAGES; page += 1) {
        const found = await messagesOf(mail, session, threadId, cursor)
        const sent = await withoutDrafts(mail, session, threadId, grant, found.items)
        const noted = await noteReplies(deps, grant, threadId, sent)
        // Newest first: behind a page with something known there is nothing new.
        if (found.nextCursor === undefined || noted < found.items.length) return
        cursor = found.nextCursor
      }
    })
  }

  return {
    async lookAtDue(signal) {
      const due = await replyWatches.claimDue(BATCH, HOLD_MS)
      const over = due.filter(({ ageMs }) => ageMs > WATCHED_MS)
      await replyWatches.delete(over.map(({ id }) => id))
      const threads = byThread(due.filter(({ ageMs }) => ageMs <= WATCHED_MS))
      const next = threads.values()
      const worker = async () => {
        for (const thread of next) {
          if (signal.aborted) return
          await look(thread, signal)
        }
      }
      await Promise.all(Array.from({ length: AT_ONCE }, worker))
      return due.length === BATCH
    },
  }
}

function byThread(watches: readonly DueWatch[]): readonly DueThread[] {
  const threads = new Map<string, [DueWatch, ...DueWatch[]]>()
  for (const watch of watches) {
    const key = JSON.stringify([watch.grantId, watch.threadId])
    const known = threads.get(key)
    if (known) known.push(watch)
    else threads.set(key, [watch])
  }
  return [...threads.values()].map((ofThread) => ({ watches: ofThread }))
}

type ThreadMail = Pick<Mail, 'messages' | 'threads'>

/** Newest first. A provider that can't list by thread is asked for the thread and its newest messages. */
async function messagesOf(
  { messages, threads }: ThreadMail,
  session: GrantSession,
  threadId: string,
  cursor: string | undefined,
): Promise<{ readonly items: readonly ThreadMessage[]; readonly nextCursor?: string }> {
  const fields = 'include_basic_headers'
  try {
    const page = await messages.list(session, {
      limit: PAGE,
      fields,
      threadId,
      ...(cursor === undefined ? {} : { cursor }),
    })
    return { ...page, items: page.items.filter((item) => 'date' in item) }
  } catch (error) {
    if (!(error instanceof ProviderError) || error.kind !== 'unsupported' || !threads) throw error
    const thread = await threads.find(session, threadId, {})
    const items: ThreadMessage[] = []
    for (const id of thread.message_ids.slice(-PAGE)) {
      const item = await messages.find(session, id, { fields })
      if ('date' in item) items.push(item)
    }
    return { items }
  }
}

/** A reply that is being written is none yet. Only the grant itself writes drafts: asked for only then. */
async function withoutDrafts(
  { threads }: ThreadMail,
  session: GrantSession,
  threadId: string,
  grant: GrantRecord,
  messages: readonly ThreadMessage[],
): Promise<readonly ThreadMessage[]> {
  const own = messages.filter((message) => isFrom(message, grant.email))
  // One is the message that is watched itself.
  if (!threads || own.length < 2) return messages
  const { draft_ids: drafts } = await threads.find(session, threadId, {})
  return messages.filter(({ id }) => !drafts.includes(id))
}
