import type { ApplicationId, ConnectorId, GrantId } from '../../contract/ids.ts'
import type { GrantSecretRecord } from './records.ts'

/** What a refresh or a new authentication puts in place of the stored secret. */
export interface StoredTokens {
  readonly sealedSecret: string
  readonly sealedAccessToken: string | null
  readonly accessExpiresAt: number | null
  readonly sealedSuperseded: string | null
  readonly nextRefreshAtMs: number | null
}

export interface GrantSecretStore {
  find(grantId: GrantId): Promise<GrantSecretRecord | null>
  /** Version 1 of a new grant. */
  insert(grantId: GrantId, applicationId: ApplicationId, tokens: StoredTokens): Promise<void>
  /**
   * Takes the lease: one conditional update on version, on a lease that is free or over (database clock)
   * and on the open attempt being `expectedAttempt` (null: none open). Records the new attempt.
   * Committed when it returns.
   */
  takeLease(request: {
    readonly grantId: GrantId
    readonly version: number
    readonly expectedAttempt: string | null
    readonly attempt: { readonly id: string; readonly holder: string }
    readonly leaseMs: number
    /** The holder of `expectedAttempt` is known to be dead: its lease need not run out. */
    readonly holderIsGone?: boolean
  }): Promise<boolean>
  /**
   * Compare-and-swap on version and attempt: stores, closes the attempt, frees the lease, version + 1.
   * @param unasked  nobody asked for this refresh, so it is no use of the grant; where nobody has used the grant
   *                 within `inUseMs`, the next refresh is due at `idleRefreshAtMs`. Without it: the grant is used now
   */
  store(
    grantId: GrantId,
    version: number,
    attemptId: string,
    tokens: StoredTokens,
    unasked?: { readonly inUseMs: number; readonly idleRefreshAtMs: number },
  ): Promise<boolean>
  /** Closes an attempt that got a definite answer and no tokens; frees the lease, notes the cool-down. */
  closeAttempt(grantId: GrantId, attemptId: string, outcome: AttemptOutcome): Promise<boolean>
  /** Frees the lease but keeps the attempt open: no answer came, the token may be spent. */
  freeLease(grantId: GrantId, attemptId: string, outcome: AttemptOutcome): Promise<boolean>
  /** A new authentication: stores whatever stands there, closes any attempt, version + 1, no cool-down. */
  replace(grantId: GrantId, tokens: StoredTokens): Promise<number>
  /** How long the refresh that is due longest has been due; null when none is. It never walks the secrets. */
  oldestDueRefreshMs(): Promise<number | null>
  /** Connectors after `afterId` (in order of their ids) that have a refresh due. It never walks the secrets. */
  dueConnectors(afterId: string, limit: number): Promise<readonly ConnectorId[]>
  /**
   * Claims due refreshes of a connector, oldest due first, by moving them `holdMs` from now: no other process takes
   * them meanwhile, and what a dead one claimed is due again by itself.
   */
  claimDue(request: {
    readonly connectorId: ConnectorId
    readonly limit: number
    readonly holdMs: number
  }): Promise<readonly DueRefresh[]>
  /**
   * Takes grants out of the schedule, until a new authentication or a refresh puts them back.
   * @param version  only secrets at this version: a newer one came with a new authentication
   */
  unschedule(grantIds: readonly GrantId[], version?: number): Promise<void>
  /** Notes that grants are in use, and brings the next refresh of those that were idle forward. In one transaction. */
  noteUses(uses: readonly GrantUse[]): Promise<void>
}

/** How an attempt without new tokens ended. */
export interface AttemptOutcome {
  readonly failures: number
  readonly coolDownMs: number
  /** when a scheduled grant is next refreshed in the background; not given: as it was */
  readonly nextRefreshInMs?: number
}

export interface DueRefresh {
  readonly grantId: GrantId
  readonly applicationId: ApplicationId
  /** of the secret that was due: once it moved, somebody has refreshed it */
  readonly version: number
}

export interface GrantUse {
  readonly grantId: GrantId
  /** of the access token that was used, and when that one is due ahead of its end */
  readonly version: number
  readonly refreshDueMs: number
}
