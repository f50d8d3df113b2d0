import type { JsonObject } from '../../kit/json.ts'
import type { Secret } from '../../kit/secret.ts'
import type { ProviderClient, Tokens } from './identity.ts'

/** A user's trip to the provider's consent page and back (RFC 6749 section 4.1). */
export interface AuthorizeCall {
  readonly client: ProviderClient
  /** where the provider sends the browser back to: this server's callback */
  readonly redirectUri: string
  /** unguessable; names the session */
  readonly state: string
  /** S256 challenge of a verifier of ours (RFC 7636); left out where the provider has no PKCE */
  readonly codeChallenge: string
  /** what the application asks for, in the connector's form; the provider adds what identifying needs */
  readonly scope: readonly string[]
  readonly loginHint?: string
  /** the scopes that were granted before are asked for again with the new ones */
  readonly includeGrantedScopes: boolean
}

export interface CodeExchangeCall {
  readonly client: ProviderClient
  /** single use */
  readonly code: Secret
  readonly redirectUri: string
  readonly codeVerifier: Secret
  readonly scope: readonly string[]
  readonly signal: AbortSignal
}

/** Hosted authentication as one provider does it. Absent on providers whose credentials are typed into a form. */
export interface Authorization {
  /** Makes the address of the consent page, so that a refresh token comes of it. Pure. */
  authorizeUrl(call: AuthorizeCall): string
  /**
   * Trades the code of the callback for tokens.
   * @throws ProviderError; `grant-revoked` for a code that is spent, expired or another client's
   */
  exchangeCode(call: CodeExchangeCall): Promise<Tokens>
  /** `iss` of the callback where the provider sends one (RFC 9207): another value is refused. */
  readonly issuer?: string
  /**
   * Whether the answer names this scope where it was granted; absent: each but those of OpenID Connect. What it doesn't
   * name can't be missed.
   */
  readonly namesGranted?: (scope: string) => boolean
  /** Makes the address where an administrator consents for a whole tenant (Microsoft). Pure. */
  readonly adminConsentUrl?: (call: {
    readonly client: ProviderClient
    readonly redirectUri: string
    readonly state: string
    readonly scope: readonly string[]
  }) => string
}

/**
 * A page where the user types the credentials of his mailbox, for providers without a consent page. What is typed is
 * posted to `Identity.readSettings` as it stands in the fields; blank fields are left out.
 */
export interface CredentialForm {
  readonly fields: readonly CredentialField[]
  /** the field that holds the address: prefilled with `login_hint` */
  readonly addressField: string
  /**
   * The field that names the server, where the user may: left blank, the server is found by the autoconfiguration of
   * the address's own domain.
   */
  readonly hostField?: string
  /** Makes the settings ask for sending too (`options=smtp_required`). Absent where sending is always checked. */
  readonly withSending?: (settings: JsonObject) => JsonObject
}

export interface CredentialField {
  /** of the setting of connect/custom */
  readonly name: string
  readonly label: string
  readonly type: 'email' | 'password' | 'text' | 'number'
  readonly required: boolean
  /** seldom needed: shown on demand */
  readonly advanced: boolean
  readonly hint?: string
}
