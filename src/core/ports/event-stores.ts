import type { ApplicationId } from '../../contract/ids.ts'
import type { JsonObject } from '../../kit/json.ts'
import type {
  AuditEntry,
  JobKind,
  JobRecord,
  JobState,
  OutboxEvent,
  WebhookRecord,
  WebhookStatus,
} from './records.ts'

/** Events of ours, written in the transaction of the change that causes them; kept for replay. */
export interface OutboxStore {
  insert(event: OutboxEvent): Promise<void>
  /** Oldest first. */
  list(applicationId: ApplicationId, limit: number): Promise<readonly OutboxEvent[]>
  /**
   * Takes the oldest events that have not been fanned out to destinations, and marks them. Call it inside the
   * transaction that enqueues their deliveries: rolled back together, taken by one process only.
   */
  takeUnsent(limit: number): Promise<readonly OutboxEvent[]>
  find(ids: readonly string[]): Promise<readonly OutboxEvent[]>
  /** Age of the oldest event that has not been fanned out; null when there is none. */
  oldestUnsentSeconds(): Promise<number | null>
  /** Events of these triggers created in [since, until], oldest first, after `afterSeq`. */
  listRange(
    applicationId: ApplicationId,
    range: {
      readonly triggers: readonly string[]
      readonly since: number
      readonly until: number
      readonly afterSeq: number
      readonly limit: number
    },
  ): Promise<readonly (OutboxEvent & { readonly seq: number })[]>
  /** Deletes fanned out events older than `ageSeconds`, at most `limit` of them. @returns how many */
  deleteOlderThan(ageSeconds: number, limit: number): Promise<number>
}

export interface NewJob {
  readonly kind: JobKind
  /** What shares a concurrency limit: one slow lane never holds up another (a destination's id) */
  readonly lane: string
  /** Of two jobs of a kind with the same key only the first is kept. */
  readonly dedupeKey: string
  readonly applicationId: ApplicationId
  readonly payload: JsonObject
  /** default: due at once */
  readonly delayMs?: number
}

export interface JobOutcome {
  readonly id: string
  /** the claim this is the outcome of: one that was taken over since changes nothing */
  readonly lease: string
  readonly result:
    | { readonly kind: 'done'; readonly outcome: JsonObject }
    | { readonly kind: 'retry'; readonly afterMs: number; readonly outcome: JsonObject }
    | { readonly kind: 'dead'; readonly outcome: JsonObject }
}

/**
 * The queue (design.md D11): due times, leases, attempts, dedupe keys, dead letters. All times are the
 * database's clock. A claim moves the due time to the end of its lease, so a job whose worker died is due
 * again by itself.
 */
export interface JobStore {
  /** Enqueues, in the caller's transaction. Jobs whose dedupe key is known are left out. @returns how many are new */
  enqueue(jobs: readonly NewJob[]): Promise<number>
  /** Lanes that have a due job, after `afterLane` in order of their names. */
  dueLanes(kind: JobKind, afterLane: string, limit: number): Promise<readonly string[]>
  /**
   * Claims due jobs of a lane, oldest due first; each claim counts as an attempt. Two callers never get the
   * same job.
   * @param request.holder  the process (`Liveness.self`): what a dead one holds can be released early
   */
  claim(request: {
    readonly kind: JobKind
    readonly lane: string
    readonly limit: number
    readonly holder: string
    readonly leaseMs: number
  }): Promise<readonly JobRecord[]>
  /** Writes down what came of claimed jobs, in one transaction. @returns how many were still these claims */
  settle(outcomes: readonly JobOutcome[]): Promise<number>
  /** Processes that hold a lease. */
  leaseHolders(): Promise<readonly string[]>
  /** Makes every job that this (dead) process holds due at once. */
  releaseHolder(holder: string): Promise<number>
  /** Makes dead letters of the waiting jobs of a lane, at most `limit`. @returns how many */
  buryLane(kind: JobKind, lane: string, outcome: JsonObject, limit: number): Promise<number>
  find(kind: JobKind, lane: string, id: string): Promise<JobRecord | null>
  findByKeys(kind: JobKind, dedupeKeys: readonly string[]): Promise<readonly JobRecord[]>
  /** Newest first, before `beforeSeq`. `since` and `until` are Unix milliseconds of creation, inclusive. */
  list(request: {
    readonly kind: JobKind
    readonly lane: string
    readonly state?: JobState
    readonly sinceMs?: number
    readonly untilMs?: number
    readonly beforeSeq?: number
    readonly limit: number
  }): Promise<readonly JobRecord[]>
  /** Makes finished (done or dead) jobs wait again, due at once, as on their first attempt. @returns how many */
  requeue(kind: JobKind, lane: string, ids: readonly string[]): Promise<number>
  /** How long the oldest due job has been waiting; null when none is due. */
  oldestDueMs(kind: JobKind): Promise<number | null>
  /** @param states  only these: finished jobs are many, and a count walks them */
  countByState(
    kind: JobKind,
    states?: readonly JobState[],
  ): Promise<readonly { readonly state: JobState; readonly count: number }[]>
  deleteLane(kind: JobKind, lane: string): Promise<void>
  /** Deletes jobs that were finished longer ago, at most `limit`. @returns how many */
  deleteFinished(kind: JobKind, state: 'done' | 'dead', ageMs: number, limit: number): Promise<number>
}

/** Successes and failures of a destination in a span of time. */
export interface DeliveryCount {
  readonly succeeded: number
  readonly failed: number
}

/** Fields of a destination to change. */
export type WebhookChange = Partial<Omit<WebhookRecord, 'id' | 'applicationId' | 'createdAt'>>

export interface WebhookStore {
  find(applicationId: ApplicationId, id: string): Promise<WebhookRecord | null>
  /** By id alone: for jobs, which act for every application. */
  findMany(ids: readonly string[]): Promise<readonly WebhookRecord[]>
  /** Oldest first. */
  list(applicationId: ApplicationId): Promise<readonly WebhookRecord[]>
  /** Destinations of these applications that take deliveries (active or failing). */
  listReceiving(applicationIds: readonly ApplicationId[]): Promise<readonly WebhookRecord[]>
  insert(record: WebhookRecord): Promise<void>
  /**
   * Changes the given fields only, so that it undoes nothing that is changed at the same time.
   * @returns false when it is gone
   */
  update(applicationId: ApplicationId, id: string, change: WebhookChange): Promise<boolean>
  delete(applicationId: ApplicationId, id: string): Promise<boolean>
  /**
   * Moves a destination from one status to another.
   * @returns true only for the call that changed it
   */
  changeStatus(id: string, from: WebhookStatus, to: WebhookStatus, at: number): Promise<boolean>
  /** Adds to the counts of the current minute (database's clock). */
  countDeliveries(counts: readonly (DeliveryCount & { readonly webhookId: string })[]): Promise<void>
  /** Sums of each destination that was counted in the last `minutes`. */
  deliveriesOf(minutes: number): Promise<readonly (DeliveryCount & { readonly webhookId: string })[]>
  deleteCountsOlderThan(minutes: number): Promise<number>
  /** Destinations in any of these statuses, of every application. */
  listByStatus(statuses: readonly WebhookStatus[]): Promise<readonly WebhookRecord[]>
  /** Over every application; a status that no destination has is left out. */
  countByStatus(): Promise<readonly { readonly status: WebhookStatus; readonly count: number }[]>
  /** Failing or failed destinations with addresses to tell, whose present status nobody has been told. */
  listUntold(limit: number): Promise<readonly WebhookRecord[]>
  /** Notes that the addresses were told of this status. @returns true only for the call that noted it */
  markTold(id: string, status: WebhookStatus): Promise<boolean>
}

/** Limits that all processes share: a fixed window per key, in the database's clock. */
export interface RateStore {
  /**
   * Takes up to `want` of what is left of the key's current window.
   * @returns how many were granted, and when the window ends
   */
  take(
    key: string,
    limit: number,
    windowMs: number,
    want: number,
  ): Promise<{ readonly granted: number; readonly windowEndsInMs: number }>
  /** Deletes windows that are over since `ageMs`. */
  deleteOlderThan(ageMs: number): Promise<number>
}

export interface AuditFilter {
  /** null: entries of every application and of none (for the operator's command) */
  readonly applicationId: ApplicationId | null
  readonly actor?: string
  readonly action?: string
  readonly target?: string
  /** `createdAt` bounds, inclusive */
  readonly since?: number
  readonly until?: number
}

/** Append-only: the database itself refuses to change or delete a row. */
export interface AuditStore {
  insert(entry: AuditEntry): Promise<void>
  /** Newest first, before `beforeSeq`. */
  list(
    filter: AuditFilter,
    page: { readonly beforeSeq?: number; readonly limit: number },
  ): Promise<readonly (AuditEntry & { readonly seq: number })[]>
}
