import type { TrackingActivity, TrackedMessage } from '../../ports/mail-stores-tracking.ts'
import type { ReplyWatch } from '../../ports/mail-stores-tracking.ts'
import type { OutboxEvent } from '../../ports/records.ts'
import type { JsonObject } from '../../../kit/json.ts'
import type { Ids } from '../../../kit/ids.ts'

const SOURCE = '/com/nylas/tracking'

/** `message.opened` (contract/webhooks.md 6). @param at  Unix seconds of the open */
export function openedEvent(
  ids: Ids,
  message: TrackedMessage,
  activity: TrackingActivity,
  at: number,
): OutboxEvent {
  return eventOf(ids, message, 'message.opened', at, {
    ...aboutMessage(message, at),
    message_data: { count: activity.opens, timestamp: at },
    recents: activity.recentOpens.map((recent) => ({
      opened_id: recent.id,
      ip: recent.ip,
      user_agent: recent.userAgent,
      timestamp: recent.at,
    })),
  })
}

/** `message.link_clicked`. @param links  those of the message, by their index */
export function clickedEvent(
  ids: Ids,
  message: TrackedMessage,
  activity: TrackingActivity,
  at: number,
  links: readonly string[],
): OutboxEvent {
  return eventOf(ids, message, 'message.link_clicked', at, {
    ...aboutMessage(message, at),
    link_data: activity.links.map(({ link, count }) => ({ url: links[link] ?? '', count })),
    recents: activity.recentClicks.map((recent) => ({
      click_id: recent.id,
      // The place in link_data, as text (contract/webhooks.md 6).
      link_index: String(recent.position),
      ip: recent.ip,
      user_agent: recent.userAgent,
      timestamp: recent.at,
    })),
  })
}

/** What is told of a reply. */
export interface Reply {
  readonly messageId: string
  /** the message it answers, where that is known */
  readonly repliesTo: string | undefined
  readonly isFromSelf: boolean
  /** Unix seconds */
  readonly date: number
}

/** `thread.replied`. @param count  replies so far, this one included */
export function repliedEvent(
  ids: Ids,
  watch: ReplyWatch,
  reply: Reply,
  count: number,
  at: number,
): OutboxEvent {
  return eventOf(ids, watch, 'thread.replied', at, {
    object: 'thread',
    grant_id: watch.grantId,
    message_id: reply.messageId,
    root_message_id: watch.messageId,
    reply_to_message_id: reply.repliesTo ?? watch.messageId,
    reply_data: { count },
    from_self: reply.isFromSelf,
    thread_id: watch.threadId,
    label: watch.label,
    sender_app_id: watch.applicationId,
    timestamp: reply.date,
  })
}

function aboutMessage(
  { grantId, messageId, options, applicationId }: TrackedMessage,
  at: number,
): JsonObject {
  return {
    object: 'message',
    grant_id: grantId,
    message_id: messageId,
    label: options.label ?? '',
    sender_app_id: applicationId,
    timestamp: at,
  }
}

function eventOf(
  ids: Ids,
  { applicationId, grantId }: Pick<TrackedMessage, 'applicationId' | 'grantId'>,
  trigger: string,
  createdAt: number,
  object: JsonObject,
): OutboxEvent {
  return {
    id: ids.uuid(),
    applicationId,
    grantId,
    trigger,
    source: SOURCE,
    data: { grant_id: grantId, object },
    createdAt,
  }
}
