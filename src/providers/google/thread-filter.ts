import type { MessageQuery, ThreadQuery } from '../../core/ports/mail.ts'
import { needsLocalCheck, passesAllFilters } from './local-filter.ts'
import type { GmailFilter } from './search-query.ts'
import { toGmailFilter } from './search-query.ts'
import type { ThreadContent } from './thread-to-wire.ts'

/** The filters of a list of threads in Gmail's words: those that one message of the thread fits, and wider ones. */
export function toThreadFilter(query: ThreadQuery): GmailFilter {
  const filter = toGmailFilter(positivePart(query))
  const words = [
    filter.q,
    // A thread is as new as its newest message, so one message in the bounds is needed, and not enough.
    ...(query.latestMessageAfter === undefined ? [] : [`after:${Math.max(0, query.latestMessageAfter - 1)}`]),
    ...(query.latestMessageBefore === undefined ? [] : [`before:${query.latestMessageBefore + 1}`]),
    ...(query.earliestMessageDate === undefined
      ? []
      : [`after:${Math.max(0, query.earliestMessageDate - 1)}`]),
  ]
  return { ...filter, q: words.filter(Boolean).join(' ') }
}

/** Tells whether a list needs looking at threads beyond what Gmail's search already says. */
export function needsThreadCheck(query: ThreadQuery): boolean {
  const labels = [query.in, query.unread, query.starred].filter((value) => value !== undefined)
  return (
    needsLocalCheck(positivePart(query)) ||
    // Gmail joins labels over the whole thread, the contract wants one message that has them all.
    labels.length > 1 ||
    [
      ...[query.unread, query.starred, query.hasAttachment].map((value) => value === false || undefined),
      query.latestMessageBefore,
      query.latestMessageAfter,
      query.earliestMessageDate,
    ].some((value) => value !== undefined)
  )
}

/**
 * Checks a thread: one of its messages fits everything that is asked of a message; `unread`, `starred` and
 * `has_attachment` with `false` ask that none is; dates are those of its newest and oldest message.
 */
export function passesThreadCheck(query: ThreadQuery, { messages }: ThreadContent): boolean {
  const positive = positivePart(query)
  const [newest, oldest] = [messages[0]?.date ?? 0, messages.at(-1)?.date ?? 0]
  return (
    messages.some((message) => passesAllFilters(positive, message)) &&
    !(query.unread === false && messages.some(({ unread }) => unread)) &&
    !(query.starred === false && messages.some(({ starred }) => starred)) &&
    !(query.hasAttachment === false && messages.some(hasFile)) &&
    (query.latestMessageBefore === undefined || newest < query.latestMessageBefore) &&
    (query.latestMessageAfter === undefined || newest > query.latestMessageAfter) &&
    (query.earliestMessageDate === undefined || oldest >= query.earliestMessageDate)
  )
}

/** Tells whether a message carries a file that is not shown inside its text. */
export function hasFile({ attachments }: ThreadContent['messages'][number]): boolean {
  return attachments.some((file) => !file.is_inline)
}

/** What is asked of a single message: `false` is asked of the whole thread, and so are the dates. */
function positivePart(query: ThreadQuery): MessageQuery {
  const {
    latestMessageBefore: _before,
    latestMessageAfter: _after,
    earliestMessageDate: _earliest,
    unread,
    starred,
    hasAttachment,
    threadId: _thread,
    ...rest
  } = query
  return {
    ...rest,
    fields: 'standard',
    ...(unread === true ? { unread } : {}),
    ...(starred === true ? { starred } : {}),
    ...(hasAttachment === true ? { hasAttachment } : {}),
  }
}
