import { isKnownToSdks } from '../../contract/oauth.ts'
import { unixSeconds } from '../../kit/clock.ts'
import type { TokenAnswer } from '../ports/oauth-services.ts'
import type { GrantRecord } from '../ports/records.ts'
import type { Stores } from '../ports/stores.ts'
import { invalidGrant } from './refusals.ts'
import type { TokenClient } from './client-authentication.ts'
import type { TokenDeps } from './token-deps.ts'
import { hashOf, newToken } from './token-text.ts'

/** Life of access tokens and id tokens, in seconds (contract/auth.md 4.1). */
export const TOKEN_LIFE_SECONDS = 3_600

/** Writes down a new access token of a family, in the caller's transaction. @returns the token */
export async function issueAccessToken(
  stores: Stores,
  { ids, clock }: Pick<TokenDeps, 'ids' | 'clock'>,
  grant: GrantRecord,
  familyId: string,
): Promise<string> {
  const token = newToken(ids, 'access')
  const issuedAt = unixSeconds(clock)
  await stores.issuedTokens.insertAccess({
    hash: hashOf(token),
    familyId,
    applicationId: grant.applicationId,
    grantId: grant.id,
    issuedAt,
    expiresAt: issuedAt + TOKEN_LIFE_SECONDS,
  })
  return token
}

/**
 * Writes down a new refresh token of a family, in the caller's transaction.
 *
 * @param familyIssuedAt  when the first of the family was issued; null: this is it
 */
export async function issueRefreshToken(
  stores: Stores,
  { ids, clock }: Pick<TokenDeps, 'ids' | 'clock'>,
  grant: GrantRecord,
  family: { readonly id: string; readonly issuedAt: number | null; readonly isPublic: boolean },
): Promise<string> {
  const token = newToken(ids, family.isPublic ? 'publicRefresh' : 'refresh')
  const now = unixSeconds(clock)
  await stores.issuedTokens.insertRefresh({
    hash: hashOf(token),
    familyId: family.id,
    applicationId: grant.applicationId,
    grantId: grant.id,
    familyIssuedAt: family.issuedAt ?? now,
    lastUsedAt: now,
    replacedAt: null,
  })
  return token
}

/** Makes the answer of `connect/token`. */
export function tokenAnswer(
  grant: GrantRecord,
  tokens: { readonly access: string; readonly refresh?: string | null; readonly id?: string },
): TokenAnswer {
  return {
    access_token: tokens.access,
    token_type: 'Bearer',
    expires_in: TOKEN_LIFE_SECONDS,
    ...(tokens.refresh ? { refresh_token: tokens.refresh } : {}),
    ...(tokens.id === undefined ? {} : { id_token: tokens.id }),
    scope: grant.scope.join(' '),
    grant_id: grant.id,
    email: grant.email,
    ...(isKnownToSdks(grant.provider) ? { provider: grant.provider } : {}),
  }
}

/**
 * Refuses tokens for a grant that nothing can be done with, and says why.
 * @throws OAuthError `invalid_grant`
 */
export function requireUsable(grant: GrantRecord | null): GrantRecord {
  if (!grant) throw invalidGrant('The grant is unknown or deleted.')
  if (grant.blocked) throw invalidGrant('The grant is blocked.')
  if (grant.status === 'invalid') {
    const because = grant.reason ? ` (${printable(grant.reason.code)})` : ''
    throw invalidGrant(`The grant is invalid${because}: the user has to authenticate again.`)
  }
  return grant
}

/** Writes down that the tokens of a family were revoked, in the transaction that did it. */
export function auditRevocation(
  stores: Stores,
  { ids, clock }: Pick<TokenDeps, 'ids' | 'clock'>,
  of: { readonly applicationId: TokenClient['applicationId']; readonly grantId: GrantRecord['id'] },
  because: 'code_replayed' | 'refresh_token_reused' | 'revoked',
): Promise<void> {
  return stores.audit.insert({
    id: ids.uuid(),
    applicationId: of.applicationId,
    // Whoever holds a token of the grant may revoke it; a replay is noticed by the server itself.
    actor: because === 'revoked' ? `grant:${of.grantId}` : 'system',
    action: 'tokens.revoked',
    target: `grant:${of.grantId}`,
    detail: { because },
    createdAt: unixSeconds(clock),
  })
}

/** Characters that `error_description` may have (RFC 6749 section 5.2). */
function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, '')
}
