import type { ApplicationId, ConnectorId, GrantId } from '../../contract/ids.ts'

/** A message that waits to be sent (contract/email.md 5.1), as clients see it. */
export interface ScheduledSend {
  readonly id: string
  /** `sending`: given to the provider, or about to be */
  readonly state: 'waiting' | 'sending' | 'success' | 'failed'
  /** what became of it, or of the last try */
  readonly description: string
  /** Unix seconds */
  readonly sendAt: number
  /** Unix seconds */
  readonly closedAt: number | null
}

/** What a schedule begins as. */
export interface NewScheduledSend {
  readonly id: string
  readonly applicationId: ApplicationId
  readonly grantId: GrantId
  readonly sendAt: number
  readonly useDraft: boolean
  readonly sealedMessage: string
}

/** A due message that one process works on. */
export interface ClaimedSend extends NewScheduledSend {
  readonly lease: string
  /** since it was claimed for the first time */
  readonly triedForMs: number
  /** counted from 1 */
  readonly attempts: number
}

/** A message that was being sent by a process that may be gone. */
export interface SendUnderWay extends NewScheduledSend {
  readonly lease: string
  readonly sendingAtMs: number
}

/** Messages that wait to be sent. All times are the database's own. They go with their grant. */
export interface ScheduledSendStore {
  insert(send: NewScheduledSend): Promise<void>
  /** @param keptMs  closed ones are found that long */
  find(grantId: GrantId, id: string, keptMs: number): Promise<ScheduledSend | null>
  /** The soonest first. */
  list(grantId: GrantId, keptMs: number, limit: number): Promise<readonly ScheduledSend[]>
  /** Removes one that waits and is due no sooner than in `marginMs`. @returns false when it is too late */
  stop(grantId: GrantId, id: string, marginMs: number): Promise<boolean>
  /** Drafts that wait and are to be sent within `marginMs`, or are being sent. */
  leavingDrafts(grantId: GrantId, marginMs: number): Promise<readonly NewScheduledSend[]>
  /** Grants that have something due, the longest due first, without those named. */
  dueGrants(
    busy: readonly GrantId[],
    limit: number,
  ): Promise<readonly { readonly grantId: GrantId; readonly connectorId: ConnectorId }[]>
  /** Claims what a grant has due. After `holdMs` it is due again by itself, unless `begin` was called. */
  claim(request: {
    readonly grantId: GrantId
    readonly limit: number
    readonly holder: string
    readonly holdMs: number
  }): Promise<readonly ClaimedSend[]>
  /** From now on nobody else takes it: the provider may have it. @returns false when the claim is over */
  begin(id: string, lease: string): Promise<boolean>
  /** It surely was not sent: due again. @returns false when the claim is over */
  retry(
    id: string,
    lease: string,
    again: { readonly afterMs: number; readonly description: string },
  ): Promise<boolean>
  /**
   * Closes one, and lets its message go. A success also corrects what was taken for lost meanwhile.
   * @returns false when it is closed already, or gone
   */
  close(
    id: string,
    lease: string,
    outcome: { readonly state: 'success' | 'failed'; readonly description: string },
  ): Promise<boolean>
  /** Processes that hold something. */
  holders(): Promise<readonly string[]>
  /** Makes due at once what a process that is gone had claimed and not begun. @returns how many */
  release(holder: string): Promise<number>
  /** What a process was sending. */
  underWay(holder: string): Promise<readonly SendUnderWay[]>
  /** When the next one is due, 0 for now; null when none waits. */
  nextDueInMs(): Promise<number | null>
  /** How many wait, and how long the one that is due longest has been due (null: none is). */
  backlog(): Promise<{ readonly waiting: number; readonly oldestDueMs: number | null }>
  /** Deletes those closed that long ago. @returns how many, at most `limit` */
  deleteClosed(ageMs: number, limit: number): Promise<number>
}
