import type { ApplicationId, ConnectorId, CredentialId, GrantId } from '../../contract/ids.ts'
import type { CredentialType, ProviderName } from '../../contract/providers.ts'
import type { GrantReason } from '../../contract/grant.ts'
import type { Platform } from '../../contract/application.ts'
import type { JsonObject } from '../../kit/json.ts'

/*
 * The records that stores keep. Times named `…At` are Unix seconds, `…Ms` milliseconds.
 * A `sealed…` field holds text made by core/vault.
 */

export interface ApplicationRecord {
  readonly id: ApplicationId
  readonly name: string
  /** branding, hosted_authentication, idp_settings, domain, additional_settings: as on the wire */
  readonly settings: JsonObject
  readonly blocked: boolean
  readonly createdAt: number
  readonly updatedAt: number
}

export interface ApiKeyRecord {
  readonly id: string
  readonly applicationId: ApplicationId
  readonly name: string
  /** SHA-256 of the key, hex. Keys are long and random, so a plain hash is enough. */
  readonly hash: string
  readonly createdAt: number
  readonly revokedAt: number | null
}

export interface CallbackUriRecord {
  readonly id: string
  readonly applicationId: ApplicationId
  readonly url: string
  readonly platform: Platform
  readonly settings: JsonObject
  readonly createdAt: number
}

export interface ConnectorRecord {
  readonly id: ConnectorId
  readonly applicationId: ApplicationId
  readonly provider: ProviderName
  readonly name: string
  /** public settings only: google `topic_name`, microsoft `tenant` */
  readonly settings: JsonObject
  readonly scope: readonly string[]
  readonly activeCredentialId: CredentialId | null
  /** Why the provider refuses this connector's own credentials; null while it doesn't. */
  readonly alarm: ConnectorAlarm | null
  readonly createdAt: number
  readonly updatedAt: number
}

/** A fault of configuration that the operator must mend; no grant dies of it. */
export interface ConnectorAlarm {
  /** stable, for example `client_secret_expired` */
  readonly code: string
  readonly message: string
  readonly advice: string
  /** the OAuth client that was refused: one of the connector's credentials */
  readonly client_id?: string
  readonly provider_error?: JsonObject
  readonly at: number
}

export interface CredentialRecord {
  readonly id: CredentialId
  readonly applicationId: ApplicationId
  readonly connectorId: ConnectorId
  readonly provider: ProviderName
  readonly name: string
  readonly type: CredentialType
  /** `client_id`, `tenant`, `client_email`: what may be read without opening the rest */
  readonly publicData: JsonObject
  /** the whole `credential_data`, sealed as JSON */
  readonly sealedData: string
  /** keyed digest of the data: the same parameters give the same credential */
  readonly digest: string
  readonly createdAt: number
  readonly updatedAt: number
}

export interface GrantRecord {
  readonly id: GrantId
  readonly applicationId: ApplicationId
  readonly connectorId: ConnectorId
  readonly provider: ProviderName
  readonly email: string
  /** the address lower-cased in JavaScript: the key a grant is found again by */
  readonly emailKey: string
  /** who the provider says this is; null where it doesn't say */
  readonly identityKey: string | null
  readonly providerUserId: string | null
  readonly name: string | null
  readonly status: 'valid' | 'invalid'
  readonly reason: GrantReason | null
  readonly scope: readonly string[]
  readonly state: string | null
  readonly ip: string | null
  readonly userAgent: string | null
  /** public settings: hosts, ports, user names; never a secret */
  readonly settings: JsonObject
  readonly credentialId: CredentialId | null
  /** v2 account id of a migrated grant; `external:<id>` finds it */
  readonly accountId: string | null
  readonly blocked: boolean
  readonly createdAt: number
  /** last (re-)authentication */
  readonly updatedAt: number
}

/** The secret of a grant: apart from the grant row, versioned, written by compare-and-swap only. */
export interface GrantSecretRecord {
  readonly grantId: GrantId
  readonly applicationId: ApplicationId
  /** goes up by one with each stored secret */
  readonly version: number
  /** JSON of a `GrantSecret` */
  readonly sealedSecret: string
  /** the access token, or null where there is none (yet) */
  readonly sealedAccessToken: string | null
  readonly accessExpiresAt: number | null
  /** the one before the current, kept only where the provider keeps it valid */
  readonly sealedSuperseded: string | null
  readonly nextRefreshAtMs: number | null
  readonly leaseUntilMs: number | null
  /** A refresh that was sent and has no stored answer yet; null when none is open. */
  readonly attempt: RefreshAttempt | null
  /** transient failures in a row, and until when nobody asks again */
  readonly failures: number
  readonly coolDownUntilMs: number | null
  /** the database's clock when the row was read */
  readonly readAtMs: number
}

export interface RefreshAttempt {
  readonly id: string
  /** the process that sent it: `Liveness` tells whether it still lives */
  readonly holder: string
  readonly startedAtMs: number
}

/** A refresh token that reached us, known by its keyed digest only. */
export interface SeenTokenRecord {
  readonly applicationId: ApplicationId
  readonly provider: ProviderName
  readonly clientId: string
  readonly digest: string
  readonly state: SeenTokenState
  readonly readAtMs: number
}

export type SeenTokenState =
  /** sent to the provider, no answer stored: the token may be spent */
  | { readonly kind: 'attempted'; readonly attempt: RefreshAttempt; readonly tries: number }
  /** the answer is stored as a pending secret; the account is not known yet */
  | { readonly kind: 'pending'; readonly pendingId: string }
  /** belongs to a grant, as its current or a superseded token */
  | { readonly kind: 'granted'; readonly grantId: GrantId; readonly version: number }

/** What the provider answered to an exchange before the account was known. Kept for 24 hours. */
export interface PendingSecretRecord {
  readonly id: string
  readonly applicationId: ApplicationId
  readonly provider: ProviderName
  readonly clientId: string
  readonly version: number
  /** JSON of a `PendingSecret` */
  readonly sealed: string
  readonly createdAtMs: number
}

export interface DataKeyRecord {
  readonly id: string
  /** `seal` keys encrypt; the one `lookup` key makes digests and never changes, only its wrapping does */
  readonly purpose: 'seal' | 'lookup'
  /** id of the operator's key that wraps it */
  readonly wrappedBy: string
  readonly wrapped: string
  readonly createdAtMs: number
  /** seal keys: the highest is the one that seals; 0 for the lookup key */
  readonly generation: number
}

/** A data key as it stands in the database. */
export interface StoredDataKey extends DataKeyRecord {
  /** it opens, and the database refuses new values under it */
  readonly isClosed: boolean
  /** values sealed under it, counted coarsely */
  readonly seals: number
  /** since it was inserted, by the database's clock */
  readonly ageMs: number
}

/** An event of ours, written in the same transaction as the change that causes it (contract/webhooks.md 5). */
export interface OutboxEvent {
  /** the envelope's `id`: the receiver's dedupe key, the same at each attempt and destination */
  readonly id: string
  readonly applicationId: ApplicationId
  readonly grantId: GrantId
  readonly trigger: string
  /** the envelope's `source`, for example `/nylas/system` */
  readonly source: string
  /** the envelope's `data` without `application_id`: `{object}`, and `grant_id` for the triggers that have it */
  readonly data: JsonObject
  readonly createdAt: number
}

export type WebhookStatus = 'active' | 'pause' | 'failing' | 'failed'

/** A destination of an application's events. */
export interface WebhookRecord {
  readonly id: string
  readonly applicationId: ApplicationId
  readonly description: string
  /** exactly as subscribed */
  readonly triggerTypes: readonly string[]
  readonly url: string
  readonly sealedSecret: string
  readonly status: WebhookStatus
  readonly notificationEmailAddresses: readonly string[]
  readonly compressedDelivery: boolean
  readonly statusUpdatedAt: number
  readonly createdAt: number
  readonly updatedAt: number
}

export type JobKind = 'webhook.delivery'
export type JobState = 'waiting' | 'done' | 'dead'

/** A piece of work in the queue. */
export interface JobRecord {
  /** in the order of creation */
  readonly seq: number
  readonly id: string
  readonly kind: JobKind
  readonly lane: string
  readonly dedupeKey: string
  readonly applicationId: ApplicationId
  readonly payload: JsonObject
  readonly state: JobState
  /** claims so far, this one included */
  readonly attempts: number
  /** while it is claimed: the end of the lease */
  readonly dueAtMs: number
  readonly lease: string | null
  /** what the last attempt came to; null before the first */
  readonly outcome: JsonObject | null
  readonly createdAtMs: number
  readonly finishedAtMs: number | null
  /** the database's clock when the row was read */
  readonly readAtMs: number
}

export interface AuditEntry {
  readonly id: string
  readonly applicationId: ApplicationId | null
  /** `key:<id>`, `grant:<id>` (an access token of it), `system`, `cli` */
  readonly actor: string
  readonly action: string
  /** `grant:<id>`, `connector:<provider>`, `key:<id>` */
  readonly target: string
  readonly detail: JsonObject
  readonly createdAt: number
}
