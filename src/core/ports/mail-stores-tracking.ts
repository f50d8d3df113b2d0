import type { ApplicationId, GrantId } from '../../contract/ids.ts'
import type { TrackingRequest } from '../../contract/outgoing.ts'

/** Who opened or clicked, as much of it as the configuration lets be kept. */
export interface TrackingVisitor {
  /** `''` where nothing is kept */
  readonly ip: string
  readonly userAgent: string
}

/** One open or click that is remembered. */
export interface TrackingRecent extends TrackingVisitor {
  /** counted from 0 */
  readonly id: number
  /** Unix seconds */
  readonly at: number
}

/** What recipients did with a message. */
export interface TrackingActivity {
  readonly opens: number
  /** Unix milliseconds of the last open that counted */
  readonly lastOpenMs: number
  readonly clicks: number
  /** Links that were clicked, in the order of their first click; `link` is the index in the message. */
  readonly links: readonly { readonly link: number; readonly count: number }[]
  /** the newest, oldest first */
  readonly recentOpens: readonly TrackingRecent[]
  /** `position` is the place in `links` */
  readonly recentClicks: readonly (TrackingRecent & { readonly position: number })[]
}

/** A message whose image and links are ours. */
export interface TrackedBody {
  readonly id: string
  readonly applicationId: ApplicationId
  readonly grantId: GrantId
  readonly options: TrackingRequest
  /** JSON list of the links in the order of their index, sealed */
  readonly sealedLinks: string
}

/** One that has been sent. */
export interface TrackedMessage extends TrackedBody {
  readonly messageId: string
  /** null before the first open or click, and once it is too old */
  readonly activity: TrackingActivity | null
}

/** Tracked messages (contract/email.md 5.4). They go with their grant. Times are the database's clock. */
export interface TrackingStore {
  /** Keeps the links before the message leaves, so that none of them is ever dead. Idempotent. */
  insert(body: TrackedBody): Promise<void>
  /** Notes which message carries it; makes the row where there is none. Idempotent. */
  markSent(body: TrackedBody, messageId: string): Promise<void>
  findLinks(id: string): Promise<Pick<TrackedBody, 'applicationId' | 'sealedLinks'> | null>
  /** Options by message id; messages without tracking are left out. */
  optionsOf(grantId: GrantId, messageIds: readonly string[]): Promise<ReadonlyMap<string, TrackingRequest>>
  /**
   * Finds messages that were sent, at most `maxAgeMs` ago, and keeps others from counting them until the transaction
   * ends.
   */
  lockSent(ids: readonly string[], maxAgeMs: number): Promise<readonly TrackedMessage[]>
  putActivity(id: string, activity: TrackingActivity): Promise<void>
  /** Forgets what recipients did with messages that are older. @returns how many, at most `limit` */
  clearActivity(ageMs: number, limit: number): Promise<number>
  /** Deletes messages that are older. @returns how many, at most `limit` */
  deleteOlderThan(ageMs: number, limit: number): Promise<number>
  /** The same of those that were never sent. */
  deleteUnsent(ageMs: number, limit: number): Promise<number>
}

/** A thread whose replies are told (`thread_replies`). */
export interface ReplyWatch {
  /** that of the tracked message */
  readonly id: string
  readonly applicationId: ApplicationId
  readonly grantId: GrantId
  readonly threadId: string
  /** the message that was sent */
  readonly messageId: string
  /** Unix seconds */
  readonly sentAt: number
  readonly label: string
  readonly replies: number
}

/** A watch as it was claimed. */
export interface DueWatch extends ReplyWatch {
  /** since it began, or since the last reply */
  readonly quietMs: number
  readonly ageMs: number
}

/** Threads that are watched for replies. They go with their grant. Times are the database's clock. */
export interface ReplyWatchStore {
  /** Begins. @param dueInMs  when to look first. @returns false when it has begun already */
  insert(watch: Omit<ReplyWatch, 'replies'>, dueInMs: number): Promise<boolean>
  /** Claims due watches, by moving them `holdMs` from now: no other process takes them meanwhile. */
  claimDue(limit: number, holdMs: number): Promise<readonly DueWatch[]>
  /** Watches of a thread, kept from others until the transaction ends. */
  lockThread(grantId: GrantId, threadId: string): Promise<readonly ReplyWatch[]>
  /** Notes a reply. @returns how many there are now; null where it was known */
  addReply(watchId: string, messageId: string): Promise<number | null>
  /** Looks again then. */
  defer(ids: readonly string[], dueInMs: number): Promise<void>
  delete(ids: readonly string[]): Promise<void>
}
