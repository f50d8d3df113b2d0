import type { ApplicationId, ConnectorId, CredentialId, GrantId } from '../../contract/ids.ts'
import type { GrantReason } from '../../contract/grant.ts'
import type { ProviderName } from '../../contract/providers.ts'
import type { AuditStore, JobStore, OutboxStore, RateStore, WebhookStore } from './event-stores.ts'
import type {
  ApiKeyRecord,
  ApplicationRecord,
  CallbackUriRecord,
  ConnectorAlarm,
  ConnectorRecord,
  CredentialRecord,
  DataKeyRecord,
  GrantRecord,
  GrantSecretRecord,
  PendingSecretRecord,
  SeenTokenRecord,
} from './records.ts'

/** A page of an admin list, by offset. */
export interface OffsetPage {
  readonly limit: number
  readonly offset: number
}

export interface SortOrder {
  readonly by: 'created_at' | 'updated_at'
  readonly order: 'asc' | 'desc'
}

export interface ApplicationStore {
  find(id: ApplicationId): Promise<ApplicationRecord | null>
  list(): Promise<readonly ApplicationRecord[]>
  insert(record: ApplicationRecord): Promise<void>
  /** Replaces name, settings, blocked and updatedAt. */
  update(record: ApplicationRecord): Promise<void>
}

export interface ApiKeyStore {
  /** Finds a key that is not revoked by its hash. */
  findLive(hash: string): Promise<ApiKeyRecord | null>
  list(applicationId: ApplicationId | null): Promise<readonly ApiKeyRecord[]>
  insert(record: ApiKeyRecord): Promise<void>
  /** @returns false when there is no such live key */
  revoke(id: string, revokedAt: number): Promise<boolean>
}

export interface CallbackUriStore {
  find(applicationId: ApplicationId, id: string): Promise<CallbackUriRecord | null>
  /** All of an application, oldest first. */
  list(applicationId: ApplicationId): Promise<readonly CallbackUriRecord[]>
  /** @returns false when the application has that URL already (byte for byte) */
  insert(record: CallbackUriRecord): Promise<boolean>
  /** @returns false when another row of the application has that URL */
  update(record: CallbackUriRecord): Promise<boolean>
  delete(applicationId: ApplicationId, id: string): Promise<boolean>
}

export interface ConnectorStore {
  find(applicationId: ApplicationId, provider: ProviderName): Promise<ConnectorRecord | null>
  /** All, or a page of them, oldest first. */
  list(applicationId: ApplicationId, page?: OffsetPage): Promise<readonly ConnectorRecord[]>
  /** @returns false when the application has a connector of that provider */
  insert(record: ConnectorRecord): Promise<boolean>
  /** Replaces name, settings, scope, activeCredentialId and updatedAt; clears the alarm. */
  update(record: ConnectorRecord): Promise<void>
  /** Raises or clears (null) the alarm; `updatedAt` stays. */
  setAlarm(applicationId: ApplicationId, provider: ProviderName, alarm: ConnectorAlarm | null): Promise<void>
  /** Connectors with an alarm, of every application. */
  listAlarmed(limit: number): Promise<readonly ConnectorRecord[]>
  /** Deletes the connector and its credentials. Its grants stay: the caller invalidates them. */
  delete(applicationId: ApplicationId, provider: ProviderName): Promise<boolean>
}

export interface CredentialStore {
  find(applicationId: ApplicationId, id: CredentialId): Promise<CredentialRecord | null>
  findByDigest(connectorId: ConnectorId, digest: string): Promise<CredentialRecord | null>
  list(connectorId: ConnectorId, page: OffsetPage & SortOrder): Promise<readonly CredentialRecord[]>
  /** @returns false when the connector has a credential of that name */
  insert(record: CredentialRecord): Promise<boolean>
  /** @returns false when another credential of the connector has that name */
  update(record: CredentialRecord): Promise<boolean>
  delete(applicationId: ApplicationId, id: CredentialId): Promise<boolean>
}

export interface GrantFilter {
  readonly email?: string
  readonly provider?: string
  readonly status?: 'valid' | 'invalid'
  readonly ip?: string
  readonly accountIds?: readonly string[]
  /** `createdAt` bounds, inclusive */
  readonly since?: number
  readonly before?: number
}

export interface GrantCount {
  readonly provider: ProviderName
  readonly status: 'valid' | 'invalid'
  /** null for valid grants */
  readonly reasonCode: string | null
  readonly count: number
}

export interface GrantStore {
  find(applicationId: ApplicationId, id: GrantId): Promise<GrantRecord | null>
  findByMailbox(
    applicationId: ApplicationId,
    provider: ProviderName,
    emailKey: string,
  ): Promise<GrantRecord | null>
  /** Every grant of that address, whatever the provider; the caller chooses. */
  listByEmail(applicationId: ApplicationId, emailKey: string): Promise<readonly GrantRecord[]>
  /**
   * Whether another grant of the installation, whatever its application, is of the same account at the
   * provider. False where the provider doesn't say who the account is.
   */
  sharesAccount(grant: GrantRecord): Promise<boolean>
  findByAccountId(applicationId: ApplicationId, accountId: string): Promise<GrantRecord | null>
  /** A page; ties of the sort time are broken by id, so that pages neither overlap nor skip. */
  list(
    applicationId: ApplicationId,
    filter: GrantFilter,
    page: OffsetPage & SortOrder,
  ): Promise<readonly GrantRecord[]>
  /** @returns false when (application, provider, emailKey), the id or the accountId is taken */
  insert(record: GrantRecord): Promise<boolean>
  /** Replaces everything but id, application, provider and createdAt. @returns false when it is gone */
  update(record: GrantRecord): Promise<boolean>
  /**
   * Makes a valid grant invalid.
   * @returns true only for the call that changed it, so that its event is written once
   */
  markInvalid(applicationId: ApplicationId, id: GrantId, reason: GrantReason): Promise<boolean>
  /** The next valid grants of a connector (or of one of its credentials) after `afterId`, by id. */
  listValidOf(
    of: { readonly connectorId: ConnectorId } | { readonly credentialId: CredentialId },
    afterId: GrantId | null,
    limit: number,
  ): Promise<readonly GrantRecord[]>
  /** Counts by provider, status and reason code over every application. A walk over an index: not for hot paths. */
  countByStatus(): Promise<readonly GrantCount[]>
  /** Deletes the grant, its secret and its seen tokens. */
  delete(applicationId: ApplicationId, id: GrantId): Promise<boolean>
}

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
  /** Compare-and-swap on version and attempt: stores, closes the attempt, frees the lease, version + 1. */
  store(grantId: GrantId, version: number, attemptId: string, tokens: StoredTokens): Promise<boolean>
  /** Closes an attempt that got a definite answer and no tokens; frees the lease, notes the cool-down. */
  closeAttempt(
    grantId: GrantId,
    attemptId: string,
    outcome: { readonly failures: number; readonly coolDownMs: number },
  ): Promise<boolean>
  /** Frees the lease but keeps the attempt open: no answer came, the token may be spent. */
  freeLease(
    grantId: GrantId,
    attemptId: string,
    outcome: { readonly failures: number; readonly coolDownMs: number },
  ): Promise<boolean>
  /** A new authentication: stores whatever stands there, closes any attempt, version + 1, no cool-down. */
  replace(grantId: GrantId, tokens: StoredTokens): Promise<number>
}

export interface SeenTokenKey {
  readonly applicationId: ApplicationId
  readonly provider: ProviderName
  readonly clientId: string
  readonly digest: string
}

export interface SeenTokenStore {
  find(key: SeenTokenKey): Promise<SeenTokenRecord | null>
  /** Inserts an attempted row. @returns false when the token is known already */
  insertAttempt(
    key: SeenTokenKey,
    attempt: { readonly id: string; readonly holder: string },
  ): Promise<boolean>
  /** Takes over an attempt whose holder is gone or gave up; `tries` + 1. @returns false when it moved */
  retakeAttempt(
    key: SeenTokenKey,
    expectedAttempt: string,
    attempt: { readonly id: string; readonly holder: string },
  ): Promise<boolean>
  /** Points the row (made when missing) at a pending secret. */
  setPending(key: SeenTokenKey, pendingId: string): Promise<void>
  /** Points the row (made when missing) at a grant. */
  setGranted(key: SeenTokenKey, grantId: GrantId, version: number): Promise<void>
  /** Points every row of a pending secret at a grant. */
  grantPending(pendingId: string, grantId: GrantId, version: number): Promise<void>
  /** Deletes the row if it is still that attempt. */
  deleteAttempt(key: SeenTokenKey, attemptId: string): Promise<boolean>
  /** Marks an attempt whose process gave up without an answer, so that the next request may retry at once. */
  abandonAttempt(key: SeenTokenKey, attemptId: string): Promise<void>
  deleteOfPending(pendingId: string): Promise<void>
}

export interface PendingSecretStore {
  find(id: string): Promise<PendingSecretRecord | null>
  insert(record: Omit<PendingSecretRecord, 'version' | 'createdAtMs'>): Promise<void>
  /** Compare-and-swap on version. */
  update(id: string, version: number, sealed: string): Promise<boolean>
  /**
   * Deletes it, whatever its version where none is given.
   * @returns false when it is gone or its version moved
   */
  delete(id: string, version?: number): Promise<boolean>
  /** Deletes those older than `ageMs`, with their seen tokens. @returns how many */
  deleteOlderThan(ageMs: number): Promise<number>
}

export interface DataKeyStore {
  list(): Promise<readonly DataKeyRecord[]>
  /** @returns false when the purpose is `lookup` and there is one already, or the id is taken */
  insert(record: DataKeyRecord): Promise<boolean>
}

/** All stores over one connection or one transaction. */
export interface Stores {
  readonly applications: ApplicationStore
  readonly apiKeys: ApiKeyStore
  readonly callbackUris: CallbackUriStore
  readonly connectors: ConnectorStore
  readonly credentials: CredentialStore
  readonly grants: GrantStore
  readonly secrets: GrantSecretStore
  readonly seenTokens: SeenTokenStore
  readonly pendingSecrets: PendingSecretStore
  readonly dataKeys: DataKeyStore
  readonly outbox: OutboxStore
  readonly jobs: JobStore
  readonly webhooks: WebhookStore
  readonly rates: RateStore
  readonly audit: AuditStore
}

/** Tells which process of the installation still lives. */
export interface Liveness {
  /** This process, a new id at each start. */
  readonly self: string
  /**
   * Whether that process may still be running. On PostgreSQL a session advisory lock tells (it falls with
   * the process or its connection, not with a pause); on SQLite only this process can be.
   */
  isAlive(holder: string): Promise<boolean>
}

/** The database: stores, transactions and life cycle. */
export interface Database {
  readonly stores: Stores
  readonly liveness: Liveness
  /**
   * Runs `work` in one transaction: committed (durable) when the promise resolves, rolled back when it
   * rejects. `work` awaits nothing but its own queries.
   */
  transaction<T>(work: (stores: Stores) => Promise<T>): Promise<T>
  /** Applies the missing migrations, under a lock so that two processes don't both do. @returns their names */
  migrate(): Promise<readonly string[]>
  /** Names of migrations that are not applied. */
  pendingMigrations(): Promise<readonly string[]>
  /** Rejects when the database can't be reached. */
  ping(): Promise<void>
  close(): Promise<void>
}
