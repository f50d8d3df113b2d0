import type { Generated } from 'kysely'
import type { Platform } from '../contract/application.ts'
import type { ApplicationId, ConnectorId, CredentialId, GrantId } from '../contract/ids.ts'
import type { CredentialType, ProviderName } from '../contract/providers.ts'
import type { JobKind, JobState, WebhookStatus } from '../core/ports/records.ts'
import type { MailTables } from './mail-tables.ts'

/*
 * The rows as they stand in the database (migrations/ makes them). Times named `…_at` are Unix seconds,
 * `…_ms` milliseconds; booleans are 0 and 1; JSON is text. Only repositories/ reads and writes these.
 */

export interface ApplicationRow {
  readonly id: ApplicationId
  readonly name: string
  readonly settings: string
  readonly blocked: number
  readonly created_at: number
  readonly updated_at: number
}

export interface ApiKeyRow {
  readonly id: string
  readonly application_id: ApplicationId
  readonly name: string
  readonly hash: string
  readonly created_at: number
  readonly revoked_at: number | null
}

export interface CallbackUriRow {
  readonly id: string
  readonly application_id: ApplicationId
  readonly url: string
  /** SHA-256 of the URL, hex: an address may be longer than a PostgreSQL index entry can be. */
  readonly url_hash: string
  readonly platform: Platform
  readonly settings: string
  readonly created_at: number
}

export interface ConnectorRow {
  readonly id: ConnectorId
  readonly application_id: ApplicationId
  readonly provider: ProviderName
  readonly name: string
  readonly settings: string
  readonly scope: string
  readonly active_credential_id: CredentialId | null
  readonly alarm: string | null
  readonly created_at: number
  readonly updated_at: number
}

export interface CredentialRow {
  readonly id: CredentialId
  readonly application_id: ApplicationId
  readonly connector_id: ConnectorId
  readonly provider: ProviderName
  readonly name: string
  readonly type: CredentialType
  readonly public_data: string
  readonly sealed_data: string
  readonly digest: string
  readonly created_at: number
  readonly updated_at: number
}

export interface GrantRow {
  readonly id: GrantId
  readonly application_id: ApplicationId
  readonly connector_id: ConnectorId
  readonly provider: ProviderName
  readonly email: string
  readonly email_key: string
  readonly identity_key: string | null
  readonly provider_user_id: string | null
  readonly name: string | null
  readonly status: 'valid' | 'invalid'
  readonly reason: string | null
  readonly reason_code: string | null
  readonly scope: string
  readonly state: string | null
  readonly ip: string | null
  readonly user_agent: string | null
  readonly settings: string
  readonly credential_id: CredentialId | null
  readonly account_id: string | null
  readonly blocked: number
  readonly created_at: number
  readonly updated_at: number
}

export interface GrantSecretRow {
  readonly grant_id: GrantId
  readonly application_id: ApplicationId
  readonly version: number
  readonly sealed_secret: string
  readonly sealed_access_token: string | null
  readonly access_expires_at: number | null
  readonly sealed_superseded: string | null
  readonly next_refresh_at_ms: number | null
  readonly lease_until_ms: number | null
  readonly attempt_id: string | null
  readonly attempt_holder: string | null
  readonly attempt_started_at_ms: number | null
  readonly failures: number
  readonly cool_down_until_ms: number | null
  /** the grant's connector: refreshes ahead are claimed and limited per connector */
  readonly connector_id: ConnectorId | null
  /** coarse: when somebody last used the grant, within an hour or so */
  readonly last_used_at_ms: number | null
}

export interface SeenTokenRow {
  readonly application_id: ApplicationId
  readonly provider: ProviderName
  readonly client_id: string
  readonly digest: string
  readonly state: 'attempted' | 'pending' | 'granted'
  readonly attempt_id: string | null
  readonly attempt_holder: string | null
  readonly attempt_started_at_ms: number | null
  readonly tries: number
  readonly pending_id: string | null
  readonly grant_id: GrantId | null
  readonly version: number | null
}

export interface PendingSecretRow {
  readonly id: string
  readonly application_id: ApplicationId
  readonly provider: ProviderName
  readonly client_id: string
  readonly version: number
  readonly sealed: string
  readonly created_at_ms: number
}

interface DataKeyRow {
  readonly id: string
  readonly purpose: 'seal' | 'lookup'
  readonly wrapped_by: string
  readonly wrapped: string
  readonly created_at_ms: number
  /** `open`: seals and opens; `closed`: opens only; `deleted`: the id alone is left */
  readonly state: 'open' | 'closed' | 'deleted'
  /** seal keys: the highest is the one that seals; 0 for the lookup key */
  readonly generation: number
  /** values sealed under it, counted coarsely */
  readonly seals: number
  /** the database's clock */
  readonly inserted_at_ms: number
}

interface OutboxRow {
  /** Goes up with each event: seconds can't tell which of two came first. */
  readonly seq: Generated<number>
  readonly id: string
  readonly application_id: ApplicationId
  readonly grant_id: GrantId
  readonly trigger: string
  readonly source: string
  readonly payload: string
  readonly created_at: number
  /** 1 once its deliveries are enqueued */
  readonly fanned_out: number
}

export interface WebhookRow {
  readonly id: string
  readonly application_id: ApplicationId
  readonly description: string
  readonly trigger_types: string
  readonly url: string
  readonly sealed_secret: string
  readonly status: WebhookStatus
  /** the status that the notification addresses were last told of */
  readonly told_status: WebhookStatus | null
  readonly notification_email_addresses: string
  readonly compressed_delivery: number
  readonly status_updated_at: number
  readonly created_at: number
  readonly updated_at: number
}

interface WebhookCountRow {
  readonly webhook_id: string
  /** minutes since the Unix epoch, of the database's clock */
  readonly minute: number
  readonly succeeded: number
  readonly failed: number
}

interface JobRow {
  readonly seq: Generated<number>
  readonly id: string
  readonly kind: JobKind
  readonly lane: string
  readonly dedupe_key: string
  readonly application_id: ApplicationId
  readonly payload: string
  readonly state: JobState
  readonly attempts: number
  readonly due_at_ms: number
  readonly lease: string | null
  readonly holder: string | null
  readonly outcome: string | null
  readonly created_at_ms: number
  readonly finished_at_ms: number | null
}

interface RateWindowRow {
  readonly key: string
  readonly window_start_ms: number
  readonly used: number
}

interface AuditRow {
  readonly seq: Generated<number>
  readonly id: string
  readonly application_id: ApplicationId | null
  readonly actor: string
  readonly action: string
  readonly target: string
  readonly detail: string
  readonly created_at: number
}

export interface OAuthSessionRow {
  readonly id: string
  readonly application_id: ApplicationId
  readonly browser_hash: string
  readonly state_hash: string | null
  readonly provider: ProviderName | null
  readonly sealed_verifier: string | null
  readonly request: string
  readonly attempts: number
  readonly status: 'open' | 'finished'
  readonly created_at_ms: number
  readonly expires_at_ms: number
}

interface AuthorizationCodeRow {
  readonly hash: string
  readonly application_id: ApplicationId
  readonly grant_id: GrantId
  readonly redirect_uri: string
  readonly challenge: string | null
  readonly challenge_method: 'plain' | 'S256' | null
  readonly offline: number
  readonly family_id: string
  readonly used_at_ms: number | null
  readonly expires_at_ms: number
}

interface AccessTokenRow {
  readonly hash: string
  readonly family_id: string
  readonly application_id: ApplicationId
  readonly grant_id: GrantId
  readonly issued_at: number
  readonly expires_at: number
}

interface RefreshTokenRow {
  readonly hash: string
  readonly family_id: string
  readonly application_id: ApplicationId
  readonly grant_id: GrantId
  readonly family_issued_at: number
  readonly last_used_at: number
  readonly replaced_at: number | null
}

interface SigningKeyRow {
  readonly kid: string
  readonly application_id: Generated<ApplicationId>
  readonly public_jwk: string
  readonly sealed_private: string
  readonly created_at_ms: number
  readonly retired_at_ms: number | null
}

interface SchemaMigrationRow {
  readonly name: string
  readonly applied_at_ms: number
}

/** Every table, as Kysely wants it. */
export interface Tables extends MailTables {
  readonly applications: ApplicationRow
  readonly api_keys: ApiKeyRow
  readonly callback_uris: CallbackUriRow
  readonly connectors: ConnectorRow
  readonly credentials: CredentialRow
  readonly grants: GrantRow
  readonly grant_secrets: GrantSecretRow
  readonly seen_tokens: SeenTokenRow
  readonly pending_secrets: PendingSecretRow
  readonly data_keys: DataKeyRow
  readonly outbox: OutboxRow
  readonly webhooks: WebhookRow
  readonly webhook_counts: WebhookCountRow
  readonly jobs: JobRow
  readonly rate_windows: RateWindowRow
  readonly audit_log: AuditRow
  readonly oauth_sessions: OAuthSessionRow
  readonly authorization_codes: AuthorizationCodeRow
  readonly access_tokens: AccessTokenRow
  readonly refresh_tokens: RefreshTokenRow
  readonly signing_keys: SigningKeyRow
  readonly schema_migrations: SchemaMigrationRow
}
