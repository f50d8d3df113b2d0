import type { TSchema } from 'typebox'
import type { CredentialType, ProviderName } from '../../contract/providers.ts'
import type { Authorization, CredentialForm } from './authorization.ts'
import type { Identity } from './identity.ts'
import type { Mail } from './mail.ts'

/** Differences between providers that core needs to know, as facts; core never compares provider names. */
export interface ProviderFacts {
  /** A refresh token is dead once it was used and a new one issued (Zoom, and whatever is not known). */
  readonly rotatesStrictly: boolean
  /** The token before the current one still works (Google, Microsoft). */
  readonly supersededTokenStaysValid: boolean
}

/**
 * What one provider brings. A capability that is absent is an absent property; core turns that into the
 * documented error once.
 */
export interface ProviderModule {
  readonly id: ProviderName
  /** For default connector names and texts: "Google". */
  readonly displayName: string
  readonly facts: ProviderFacts
  readonly connector: ConnectorSpec
  readonly identity: Identity
  /** Hosted authentication by the provider's consent page. */
  readonly authorization?: Authorization
  /** Hosted authentication by a form of ours. */
  readonly credentialForm?: CredentialForm
  /**
   * Says in plain words what to do about a reason for which a grant died (`details.reason` of the refusal).
   * @param ageSeconds  from the last authentication to the death; null where it is not about one grant
   * @returns undefined: the refusal's own advice is all there is
   */
  readonly advise?: (reason: string, ageSeconds: number | null) => string | undefined
  readonly mail?: Mail
}

/** What a connector of this provider holds (contract/auth.md 5.1 and 5.2). */
export interface ConnectorSpec {
  /** Schema of `settings` at creation. `client_id`/`client_secret` go to the primary credential, sealed. */
  readonly settings: TSchema
  /** Names of settings that may be shown again, for example `topic_name`. */
  readonly publicSettings: readonly string[]
  /** Whether a connector is an OAuth client: then creating one makes a primary credential. */
  readonly isOAuthClient: boolean
  /** Whether `scope` is kept (not for zoom, imap, icloud, virtual-calendar). */
  readonly takesScope: boolean
  /** Schema of `credential_data` per credential type this provider takes. */
  readonly credentials: { readonly [T in CredentialType]?: CredentialSpec }
  /** Brings a scope to the form that is stored and returned (Microsoft: short names). */
  readonly normalizeScope?: (scope: string) => string
}

export interface CredentialSpec {
  readonly data: TSchema
  /** Names of data that may be read without opening the seal (`client_id`, `tenant`, `client_email`). */
  readonly publicData: readonly string[]
}
