import type { ApplicationId, GrantId } from '../../contract/ids.ts'
import type { ProviderName } from '../../contract/providers.ts'
import type { JsonObject } from '../../kit/json.ts'
import type { Caller, RequestContext } from './services.ts'
import type { Stores } from './stores.ts'

/** What `/v3/connect/token` answers, flat (contract/auth.md 4.1). */
export interface TokenAnswer {
  readonly access_token: string
  readonly token_type: 'Bearer'
  readonly expires_in: number
  readonly refresh_token?: string
  readonly id_token?: string
  readonly scope: string
  readonly grant_id: string
  readonly email: string
  /** left out where SDKs' enums don't know it */
  readonly provider?: string
}

export interface TokenInfo {
  readonly iss: string
  readonly aud: string
  readonly sub: string
  readonly email: string
  readonly iat: number
  readonly exp: number
}

/** The codes and tokens this server issues. Errors are `OAuthError`s: they have a body of their own. */
export interface TokenService {
  /**
   * Makes a code for a grant, in the caller's transaction; single use, a few minutes long.
   * @param request  as sent to `/v3/connect/auth`: the exchange must match it
   */
  issueCode(
    stores: Stores,
    request: {
      readonly applicationId: ApplicationId
      readonly grantId: GrantId
      readonly redirectUri: string
      readonly challenge: string | null
      readonly challengeMethod: 'plain' | 'S256' | null
      readonly offline: boolean
    },
  ): Promise<string>
  /**
   * `POST /v3/connect/token`.
   * @param form    JSON or form fields, text only
   * @param bearer  of the Authorization header (the password of Basic), null where there is none
   */
  exchange(
    form: { readonly [name: string]: string },
    bearer: string | null,
    context: RequestContext & { readonly ip?: string },
  ): Promise<TokenAnswer>
  /** `GET /v3/connect/tokeninfo` */
  info(token: { readonly idToken?: string; readonly accessToken?: string }): Promise<TokenInfo>
  /** `POST /v3/connect/revoke`: the token, its siblings and its parent refresh token; never the grant. */
  revoke(token: string): Promise<void>
  /** Finds the caller of an access token of ours; null for anything else. */
  authenticate(bearer: string): Promise<Caller | null>
  /** Public keys of id tokens (RFC 7517), as an extension. */
  jwks(): Promise<{ readonly keys: readonly JsonObject[] }>
}

export interface ProviderChoice {
  readonly provider: ProviderName
  readonly displayName: string
}

export interface FormField {
  readonly name: string
  readonly label: string
  readonly type: 'email' | 'password' | 'text' | 'number'
  readonly value: string
  readonly required: boolean
  /** shown only after "advanced" was opened, unless it has an error */
  readonly advanced: boolean
  readonly hint?: string
  readonly error?: string
}

/** What the browser is to see next. */
export type HostedStep =
  | {
      readonly kind: 'choose'
      /** which panels, in this order */
      readonly panels: readonly ('providers' | 'detect')[]
      readonly providers: readonly ProviderChoice[]
      readonly loginHint: string
      readonly error?: string
    }
  | {
      readonly kind: 'form'
      readonly provider: ProviderChoice
      readonly fields: readonly FormField[]
      /** what went wrong with the last submission, in plain words */
      readonly error?: string
      /** other choices exist: a way back is offered */
      readonly canGoBack: boolean
    }
  /** to the provider's page, or back to the application */
  | { readonly kind: 'redirect'; readonly url: string }
  /** nothing more can be done in this session: what happened, and what the user can do */
  | { readonly kind: 'stop'; readonly status: number; readonly type: string; readonly message: string }

/** How the pages of an application look (its `branding` and `hosted_authentication`), checked. */
export interface Branding {
  readonly name: string
  readonly title: string
  readonly subtitle: string
  readonly iconUrl: string | null
  readonly alignment: 'left' | 'center' | 'right'
  readonly colorPrimary: string | null
  readonly colorSecondary: string | null
  readonly backgroundColor: string | null
  readonly backgroundImageUrl: string | null
  readonly spacing: number
  readonly termsOfServiceUrl: string | null
  readonly privacyPolicyUrl: string | null
}

/** A session as the browser holds it: the id from the address, the secret from the cookie. */
export interface SessionHandle {
  readonly id: string
  readonly browserSecret: string
}

export interface HostedClient {
  readonly ip: string
  readonly userAgent: string | null
  /** `start` only: the secret in the browser's cookie, where it has one. All sessions of a browser share it. */
  readonly browserSecret?: string | null
}

/**
 * Hosted authentication (contract/auth.md 3). Every method answers a step; it throws only for faults of ours.
 * A session of another browser is answered like one that does not exist.
 */
export interface HostedService {
  /** `GET /v3/connect/auth`. `session` is null when nothing was opened (a stop, or a redirect with an error). */
  start(
    query: { readonly [name: string]: string },
    client: HostedClient,
    context: RequestContext,
  ): Promise<{
    readonly step: HostedStep
    readonly session: SessionHandle | null
    readonly branding: Branding | null
  }>
  show(session: SessionHandle): Promise<{ readonly step: HostedStep; readonly branding: Branding | null }>
  /** The user picked a provider; `''` goes back to the choice. */
  choose(
    session: SessionHandle,
    provider: string,
  ): Promise<{ readonly step: HostedStep; readonly branding: Branding | null }>
  /** The user typed an address: which provider is it? */
  detect(
    session: SessionHandle,
    email: string,
    context: RequestContext,
  ): Promise<{ readonly step: HostedStep; readonly branding: Branding | null }>
  /** The user sent a form with credentials. */
  submit(
    session: SessionHandle,
    fields: { readonly [name: string]: string },
    client: HostedClient,
    context: RequestContext,
  ): Promise<{ readonly step: HostedStep; readonly branding: Branding | null }>
  /** The user gave up: back to the application with `access_denied`. */
  cancel(session: SessionHandle): Promise<{ readonly step: HostedStep; readonly branding: Branding | null }>
  /** `GET /v3/connect/callback`, from the provider. One browser may have several sessions: `state` tells which. */
  callback(
    query: { readonly [name: string]: string },
    browserSecret: string | null,
    client: HostedClient,
    context: RequestContext,
  ): Promise<{ readonly step: HostedStep; readonly branding: Branding | null }>
}
