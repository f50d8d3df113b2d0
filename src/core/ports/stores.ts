import type { ApplicationId, ConnectorId, CredentialId, GrantId } from '../../contract/ids.ts'
import type { GrantReason } from '../../contract/grant.ts'
import type { ProviderName } from '../../contract/providers.ts'
import type { AuditStore, JobStore, OutboxStore, RateStore, WebhookStore } from './event-stores.ts'
import type { GrantSecretStore } from './grant-secret-store.ts'
import type { ImportStore } from './import.ts'
import type { SignatureStore, TemplateStore } from './mail-stores-texts.ts'
import type { ContentStore, UploadStore } from './mail-stores-content.ts'
import type { ImapIndexStore } from './mail-stores-imap-index.ts'
import type { MetadataStore } from './mail-stores-metadata.ts'
import type { ScheduledSendStore } from './mail-stores-scheduled.ts'
import type { DraftTrackingStore, IdempotencyStore } from './mail-stores-sending.ts'
import type { ReplyWatchStore, TrackingStore } from './mail-stores-tracking.ts'
import type {
  AuthorizationCodeStore,
  IssuedTokenStore,
  OAuthSessionStore,
  SigningKeyStore,
} from './oauth-stores.ts'
import type {
  ApiKeyRecord,
  ApplicationRecord,
  CallbackUriRecord,
  ConnectorAlarm,
  ConnectorRecord,
  CredentialRecord,
  DataKeyRecord,
  GrantRecord,
  PendingSecretRecord,
  RefreshAttempt,
  SeenTokenRecord,
  StoredDataKey,
} from './records.ts'
import type { SealedStore } from './sealed.ts'

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
  /** Those of browser applications (platform `js`), of every application. */
  listBrowser(): Promise<readonly CallbackUriRecord[]>
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
  /**
   * Reads a grant and keeps everyone else from changing it until the transaction ends: what is written back then undoes
   * nothing that another has written meanwhile, a death least of all.
   */
  findLocked(applicationId: ApplicationId, id: GrantId): Promise<GrantRecord | null>
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
   * Fills in who a grant is; a name or scope that is undefined stays.
   * @returns false when that is known already, or the grant is gone
   */
  noteIdentity(
    applicationId: ApplicationId,
    id: GrantId,
    identity: Pick<GrantRecord, 'identityKey' | 'providerUserId' | 'updatedAt'> & {
      readonly name: string | undefined
      readonly scope: readonly string[] | undefined
    },
  ): Promise<boolean>
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
  /**
   * Keeps the grant from being deleted until the transaction ends. Before anything of it is written: whoever deletes
   * it locks the grant first and what hangs on it after.
   * @returns false when it is gone
   */
  hold(id: GrantId): Promise<boolean>
  /** Deletes the grant, its secret and its seen tokens. */
  delete(applicationId: ApplicationId, id: GrantId): Promise<boolean>
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
  /** Finds the grant that a token of this digest belongs to, current or superseded, whatever the client. */
  findGrantByDigest(applicationId: ApplicationId, digest: string): Promise<GrantId | null>
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
  /** All that are not deleted, oldest generation first. */
  list(): Promise<readonly StoredDataKey[]>
  /** @returns false when the purpose is `lookup` and there is one already, or the id or generation is taken */
  insert(record: DataKeyRecord): Promise<boolean>
  /** Puts another wrapping in place of `before`. @returns false when it is another one by now */
  rewrap(
    id: string,
    before: string,
    after: { readonly wrappedBy: string; readonly wrapped: string },
  ): Promise<boolean>
  addSeals(id: string, count: number): Promise<void>
  /**
   * Closes seal keys, never the newest: when it returns, every write that was let in under them is committed, and
   * the database refuses later ones with `api.unavailable`. Idempotent.
   * @throws AppError `api.unavailable` when a write under way takes too long; nothing is changed
   */
  close(ids: readonly string[]): Promise<void>
  /** Forgets closed keys for ever; their ids stay refused. @returns how many were still there */
  destroy(ids: readonly string[]): Promise<number>
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
  readonly sealed: SealedStore
  readonly outbox: OutboxStore
  readonly jobs: JobStore
  readonly webhooks: WebhookStore
  readonly rates: RateStore
  readonly audit: AuditStore
  readonly oauthSessions: OAuthSessionStore
  readonly authorizationCodes: AuthorizationCodeStore
  readonly issuedTokens: IssuedTokenStore
  readonly signingKeys: SigningKeyStore
  readonly imports: ImportStore
  readonly signatures: SignatureStore
  readonly templates: TemplateStore
  readonly metadata: MetadataStore
  readonly idempotency: IdempotencyStore
  readonly imapIndex: ImapIndexStore
  readonly draftTracking: DraftTrackingStore
  readonly tracking: TrackingStore
  readonly replyWatches: ReplyWatchStore
  readonly scheduledSends: ScheduledSendStore
  readonly contents: ContentStore
  readonly uploads: UploadStore
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
  /**
   * Whether an answer to what that attempt sent may still come. On PostgreSQL not before a lease's time has passed
   * too: a process may live and have lost only the connection that shows it.
   */
  mayAnswer(attempt: Pick<RefreshAttempt, 'holder' | 'startedAtMs'>): Promise<boolean>
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
