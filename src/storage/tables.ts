import type { Generated } from 'kysely'
import type { Platform } from '../contract/application.ts'
import type { ApplicationId, ConnectorId, CredentialId, GrantId } from '../contract/ids.ts'
import type { CredentialType, ProviderName } from '../contract/providers.ts'
import type { GrantTrigger } from '../contract/triggers.ts'

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
}

interface OutboxRow {
  /** Goes up with each event: seconds can't tell which of two came first. */
  readonly seq: Generated<number>
  readonly id: string
  readonly application_id: ApplicationId
  readonly grant_id: GrantId
  readonly trigger: GrantTrigger
  readonly payload: string
  readonly created_at: number
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

interface SchemaMigrationRow {
  readonly name: string
  readonly applied_at_ms: number
}

/** Every table, as Kysely wants it. */
export interface Tables {
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
  readonly audit_log: AuditRow
  readonly schema_migrations: SchemaMigrationRow
}
