import type { CredentialType } from '../../contract/providers.ts'
import type { JsonObject } from '../../kit/json.ts'
import type { GrantSession } from './grant-session.ts'
import type { Secret } from '../../kit/secret.ts'

/** The secret of a grant: what is sealed in `grant_secrets`. */
export type GrantSecret =
  /** An OAuth refresh token; using it may spend it. */
  | { readonly kind: 'refresh-token'; readonly refreshToken: Secret }
  /** Acting for a mailbox with a credential of the connector (service account, app permissions). */
  | { readonly kind: 'impersonation'; readonly emailAddress: string; readonly scopes: readonly string[] }
  /** Mailbox user names and passwords. */
  | {
      readonly kind: 'mailbox'
      readonly imap: MailServerLogin
      readonly smtp: MailServerLogin | null
      /** Calendars and contacts, where they have a login of their own. */
      readonly dav?: { readonly username: string; readonly password: Secret }
    }
  /** Nothing to keep (virtual calendars). */
  | { readonly kind: 'none' }

export interface MailServerLogin {
  readonly host: string
  readonly port: number
  /** `implicit`: TLS from the first byte; `starttls`: upgraded before anything is said */
  readonly tls: 'implicit' | 'starttls'
  readonly username: string
  readonly password: Secret
}

/** The client a provider is asked as: a connector's credential, opened. */
export interface ProviderClient {
  readonly credentialType: CredentialType
  readonly clientId: string
  readonly clientSecret: Secret
  /** Microsoft: the tenant of the credential, else of the connector, else undefined. */
  readonly tenant?: string
  /** The rest of `credential_data` (a service account's key), each value a secret unless it is public. */
  readonly data: { readonly [name: string]: Secret }
}

/** What a token endpoint answered. `expiresAt` in Unix seconds; 3600 s are assumed where none is given. */
export interface Tokens {
  readonly accessToken: Secret
  readonly expiresAt: number
  /** Only when the provider gave a new one; then the old one may be dead: store before use. */
  readonly refreshToken?: Secret
  /** Scopes as the provider granted them, where it says. */
  readonly scope?: readonly string[]
  readonly idToken?: Secret
  /** Further public facts of the answer that `identify` reads (Yahoo's guid). */
  readonly hints?: { readonly [name: string]: string }
}

/** What `POST /v3/connect/custom` posted in `settings`, read. */
export interface GrantMaterial {
  readonly secret: GrantSecret
  /** `settings.credential_id`, where given. */
  readonly credentialId?: string
  /** The type a credential must have for this variant; undefined: no credential is used. */
  readonly credentialType?: CredentialType
  /** What to keep as the grant's public settings until `identify` knows better. */
  readonly publicSettings: JsonObject
}

export interface ExchangeCall {
  readonly client: ProviderClient
  readonly secret: GrantSecret
  /** The grant's known scopes; empty where unknown. */
  readonly scope: readonly string[]
  readonly signal: AbortSignal
}

export interface IdentifyCall {
  /** null where the provider has no OAuth client (imap, icloud, virtual-calendar) */
  readonly client: ProviderClient | null
  readonly secret: GrantSecret
  /** null where nothing was exchanged */
  readonly tokens: Tokens | null
  readonly publicSettings: JsonObject
  readonly signal: AbortSignal
}

/** Who the account is. */
export interface Account {
  /** As the provider writes it. */
  readonly email: string
  /** google `sub`, microsoft user id, `username@host` …; null where the provider doesn't say */
  readonly identityKey: string | null
  readonly providerUserId?: string
  readonly name?: string
  /** undefined: keep what was asked for */
  readonly scope?: readonly string[]
  readonly publicSettings: JsonObject
  /** The secret with what was found out while signing in (hosts, ports); undefined: unchanged. */
  readonly secret?: GrantSecret
}

/**
 * How a provider checks secrets and names the account. `exchange` and `identify` are two calls because the
 * answer of the first must be stored before anything else happens (design.md section 4).
 */
export interface Identity {
  /**
   * Reads `settings` of connect/custom: which variant it is, what is secret and what is public.
   * @throws AppError `api.invalid_request_error`, the message names the field (`settings.refresh_token is required`)
   */
  readSettings(settings: JsonObject): GrantMaterial
  /**
   * Trades the secret for an access token; each later refresh is the same call. May spend a refresh token.
   * Absent where the secret itself signs in (imap, icloud, virtual-calendar).
   * @throws ProviderError; `details.answered === false` when the request may have been carried out unseen
   */
  readonly exchange?: (call: ExchangeCall) => Promise<Tokens>
  /**
   * Asks the provider who this is; for mailboxes that is the login itself.
   * @throws ProviderError `grant-revoked` when a mailbox login is refused
   */
  identify(call: IdentifyCall): Promise<Account>
  /**
   * Names the account from its settings alone, for an import that asks nobody. Absent where only the provider can
   * tell (OAuth).
   * @throws AppError `api.invalid_request_error` where the settings leave open what only a login would find out
   */
  readonly unverified?: (material: GrantMaterial) => Account
  /** Asks the provider to forget the token; best effort when a grant is deleted. */
  readonly revoke?: (call: {
    readonly client: ProviderClient
    readonly secret: GrantSecret
    readonly signal: AbortSignal
  }) => Promise<void>
  /** Other addresses of the account, for `expose_aliases=true`. */
  readonly aliases?: (session: GrantSession) => Promise<readonly string[]>
}
