import type { ApplicationId, GrantId } from '../../contract/ids.ts'
import type { ProviderName } from '../../contract/providers.ts'
import type { JsonObject } from '../../kit/json.ts'

/*
 * What hosted authentication keeps. Codes and tokens of ours are known by their SHA-256 (hex) only: they are long
 * and random. Times named `…At` are Unix seconds, `…Ms` milliseconds.
 */

/** A user's way through hosted authentication, from `/v3/connect/auth` to the code; a few minutes long. */
export interface OAuthSessionRecord {
  /** stands in the addresses of the pages; worth nothing without the browser's cookie */
  readonly id: string
  readonly applicationId: ApplicationId
  /** SHA-256 of the cookie that binds the session to one browser */
  readonly browserHash: string
  /** SHA-256 of the `state` sent to the provider; null before a provider is chosen */
  readonly stateHash: string | null
  readonly provider: ProviderName | null
  /** the PKCE verifier for the provider */
  readonly sealedVerifier: string | null
  /** the checked parameters of `/v3/connect/auth` (core/hosted) */
  readonly request: JsonObject
  /** password attempts so far */
  readonly attempts: number
  readonly status: 'open' | 'finished'
  readonly createdAtMs: number
  readonly expiresAtMs: number
}

export interface OAuthSessionStore {
  insert(record: Omit<OAuthSessionRecord, 'createdAtMs' | 'expiresAtMs'>, lifeMs: number): Promise<void>
  /** Finds an open session whose time is not over. */
  findOpen(id: string): Promise<OAuthSessionRecord | null>
  findOpenByState(stateHash: string): Promise<OAuthSessionRecord | null>
  /**
   * Notes the choice; null: none yet, or not any more.
   * @returns false when the session is not open any more
   */
  chooseProvider(
    id: string,
    chosen: {
      readonly provider: ProviderName | null
      readonly stateHash: string | null
      readonly sealedVerifier: string | null
    },
  ): Promise<boolean>
  /** Counts an attempt. @returns how many there have been, this one included; null when it is not open any more */
  countAttempt(id: string): Promise<number | null>
  /** @returns true only for the call that finished it */
  finish(id: string): Promise<boolean>
  /** Deletes those whose time is over. @returns how many */
  deleteExpired(limit: number): Promise<number>
}

/** A code of ours: traded once at `/v3/connect/token`. */
export interface AuthorizationCodeRecord {
  readonly hash: string
  readonly applicationId: ApplicationId
  readonly grantId: GrantId
  /** byte for byte as in the request for it */
  readonly redirectUri: string
  readonly challenge: string | null
  readonly challengeMethod: 'plain' | 'S256' | null
  /** whether a refresh token goes with it (`access_type=offline`) */
  readonly offline: boolean
  /** what its tokens will belong to: replayed, all of them are revoked */
  readonly familyId: string
  readonly usedAtMs: number | null
  readonly expiresAtMs: number
  readonly readAtMs: number
}

export interface AuthorizationCodeStore {
  insert(
    record: Omit<AuthorizationCodeRecord, 'usedAtMs' | 'expiresAtMs' | 'readAtMs'>,
    lifeMs: number,
  ): Promise<void>
  find(hash: string): Promise<AuthorizationCodeRecord | null>
  /** @returns true only for the call that used it up */
  use(hash: string): Promise<boolean>
  /** Deletes those that ended longer ago than a replay is worth noticing. @returns how many */
  deleteExpired(ageMs: number, limit: number): Promise<number>
}

/** An access token of ours: one grant, one hour. Dies with the grant. */
export interface IssuedAccessTokenRecord {
  readonly hash: string
  readonly familyId: string
  readonly applicationId: ApplicationId
  readonly grantId: GrantId
  readonly issuedAt: number
  readonly expiresAt: number
}

/** A refresh token of ours. */
export interface IssuedRefreshTokenRecord {
  readonly hash: string
  readonly familyId: string
  readonly applicationId: ApplicationId
  readonly grantId: GrantId
  /** of the first of its family: absolute expiry counts from here */
  readonly familyIssuedAt: number
  readonly lastUsedAt: number
  /** replaced by a newer one of the family; null for the newest */
  readonly replacedAt: number | null
}

export interface IssuedTokenStore {
  insertAccess(record: IssuedAccessTokenRecord): Promise<void>
  insertRefresh(record: IssuedRefreshTokenRecord): Promise<void>
  /** Finds one that is not revoked, whatever its time. */
  findAccess(hash: string): Promise<IssuedAccessTokenRecord | null>
  /** Finds one that is not revoked, replaced or not, whatever its time. */
  findRefresh(hash: string): Promise<IssuedRefreshTokenRecord | null>
  /** @returns false when it was revoked */
  touchRefresh(hash: string, usedAt: number): Promise<boolean>
  /** @returns true only for the call that replaced it */
  replaceRefresh(hash: string, replacedAt: number): Promise<boolean>
  /** Deletes every token of a family. @returns how many access and refresh tokens there were */
  revokeFamily(familyId: string): Promise<number>
  /** Deletes every token of a grant. */
  revokeGrant(grantId: GrantId): Promise<number>
  deleteExpiredAccess(beforeAt: number, limit: number): Promise<number>
  /** Deletes refresh tokens that were replaced before then. @returns how many */
  deleteReplacedRefresh(beforeAt: number, limit: number): Promise<number>
}

/** A key that signs id tokens. */
export interface SigningKeyRecord {
  readonly kid: string
  /** public JWK, for the JWKS */
  readonly publicJwk: JsonObject
  /** private JWK as JSON */
  readonly sealedPrivate: string
  readonly createdAtMs: number
  /** signs no more from here on; its public half stays published until its last token is over */
  readonly retiredAtMs: number | null
}

export interface SigningKeyStore {
  /** Newest first. */
  list(): Promise<readonly SigningKeyRecord[]>
  insert(record: Omit<SigningKeyRecord, 'createdAtMs' | 'retiredAtMs'>): Promise<void>
  /** Retires every key but this one. */
  retireOthers(kid: string): Promise<void>
  deleteRetiredBefore(ageMs: number): Promise<number>
}
