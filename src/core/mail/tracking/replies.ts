import type { FullMessage } from '../../../contract/message.ts'
import { type Clock, unixSeconds } from '../../../kit/clock.ts'
import type { Ids } from '../../../kit/ids.ts'
import type { GrantRecord } from '../../ports/records.ts'
import type { ReplyWatch } from '../../ports/mail-stores-tracking.ts'
import type { Database } from '../../ports/stores.ts'
import { repliedEvent } from './tracking-events.ts'

/** What of a message tells whether it is a reply; `headers` at least the basic ones. */
export type ThreadMessage = Pick<FullMessage, 'id' | 'date' | 'from' | 'headers'>

/**
 * Notes the replies among messages of a thread, and tells of each once, in one transaction: for every watch of the
 * thread that has not had it. Who finds the messages does not matter (a poll, or a feed of changes), nor how often.
 *
 * @param messages  in any order; with the root of a watch among them it is known what was there before
 * @returns how many replies were new
 */
export function noteReplies(
  deps: { readonly database: Database; readonly clock: Clock; readonly ids: Ids },
  grant: Pick<GrantRecord, 'id' | 'email'>,
  threadId: string,
  messages: readonly ThreadMessage[],
): Promise<number> {
  const byDate = messages.toSorted((a, b) => a.date - b.date)
  return deps.database.transaction(async ({ replyWatches, outbox }) => {
    let noted = 0
    for (const watch of await replyWatches.lockThread(grant.id, threadId)) {
      const root = byDate.find(({ id }) => id === watch.messageId)
      for (const message of byDate.filter((each) => isReply(watch, root, each))) {
        const count = await replyWatches.addReply(watch.id, message.id)
        if (count === null) continue
        noted += 1
        const reply = {
          messageId: message.id,
          repliesTo: repliesTo(message, byDate),
          isFromSelf: isFrom(message, grant.email),
          date: message.date,
        }
        await outbox.insert(repliedEvent(deps.ids, watch, reply, count, unixSeconds(deps.clock)))
      }
    }
    return noted
  })
}

/** Tells whether the grant's own address wrote it. */
export function isFrom({ from }: Pick<ThreadMessage, 'from'>, email: string): boolean {
  return from[0]?.email.toLowerCase() === email.toLowerCase()
}

/**
 * What names the root as its forerunner, or came after it and is neither a copy of it nor what it answered itself (the
 * clocks of two servers differ by seconds).
 */
function isReply(watch: ReplyWatch, root: ThreadMessage | undefined, message: ThreadMessage): boolean {
  if (message.id === watch.messageId) return false
  const [rootId] = root ? idsIn(root, 'message-id') : []
  const [ownId] = idsIn(message, 'message-id')
  if (rootId !== undefined && ownId === rootId) return false
  if (rootId !== undefined && forerunners(message).includes(rootId)) return true
  if (message.date <= watch.sentAt) return false
  return !root || ownId === undefined || !forerunners(root).includes(ownId)
}

function repliesTo(message: ThreadMessage, thread: readonly ThreadMessage[]): string | undefined {
  const [parent] = idsIn(message, 'in-reply-to')
  if (parent === undefined) return undefined
  return thread.find((other) => idsIn(other, 'message-id')[0] === parent)?.id
}

function forerunners(message: ThreadMessage): readonly string[] {
  return [...idsIn(message, 'references'), ...idsIn(message, 'in-reply-to')]
}

/** Message-IDs in a header, with their brackets. */
function idsIn({ headers = [] }: ThreadMessage, name: string): readonly string[] {
  const value = headers.find((header) => header.name.toLowerCase() === name)?.value ?? ''
  return value.match(/<[^<>\s]{1,998}>/g) ?? []
}
