import type { ApplicationId, GrantId } from '../../contract/ids.ts'
import type { TrackingRequest } from '../../contract/outgoing.ts'

/** The first request with an `Idempotency-Key`. */
export interface IdempotencyClaim {
  /** digest of grant and key */
  readonly id: string
  readonly applicationId: ApplicationId
  readonly grantId: GrantId
  /** which attempt holds the key */
  readonly attemptId: string
  /** digest of what was asked for */
  readonly payloadHash: string
}

/** A key as it stands. */
export interface IdempotencyRecord {
  readonly payloadHash: string
  /** null while the first request has no answer */
  readonly sealedAnswer: string | null
  /** since the first request, by the database's clock */
  readonly ageMs: number
}

/** Keys of requests that are carried out once (contract/email.md 5.5). They go with their grant. */
export interface IdempotencyStore {
  /**
   * Takes a key for a first request; one that is older than `lifeMs` counts as never used.
   * @returns null when it was taken, else the key as it stands
   */
  claim(claim: IdempotencyClaim, lifeMs: number): Promise<IdempotencyRecord | null>
  /** Stores the answer. @returns false when the attempt holds the key no more */
  finish(id: string, attemptId: string, sealedAnswer: string): Promise<boolean>
  /** Gives a key free whose request did nothing. Idempotent. */
  release(id: string, attemptId: string): Promise<void>
  /** @returns how many were deleted, at most `limit` */
  deleteOlderThan(ageMs: number, limit: number): Promise<number>
}

/** How drafts are to be tracked once they are sent. It goes with its grant. */
export interface DraftTrackingStore {
  /** Options by draft id; drafts without any are left out. */
  find(grantId: GrantId, draftIds: readonly string[]): Promise<ReadonlyMap<string, TrackingRequest>>
  /** Replaces the options of a draft, or removes them. Idempotent. */
  put(
    grant: { readonly id: GrantId; readonly applicationId: ApplicationId },
    draftId: string,
    options: TrackingRequest | null,
  ): Promise<void>
}
