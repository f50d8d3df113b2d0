import { unixSeconds } from '../../kit/clock.ts'
import type { IssuedRefreshTokenRecord } from '../ports/oauth-stores.ts'
import type { TokenAnswer } from '../ports/oauth-services.ts'
import type { GrantRecord } from '../ports/records.ts'
import type { Stores } from '../ports/stores.ts'
import { requireAuthenticated, type TokenClient } from './client-authentication.ts'
import { signIdToken } from './id-token.ts'
import {
  auditRevocation,
  issueAccessToken,
  issueRefreshToken,
  requireUsable,
  tokenAnswer,
} from './issue-tokens.ts'
import { isOver, isReplay, readRefreshPolicy } from './refresh-policy.ts'
import { invalidGrant } from './refusals.ts'
import type { SigningKeys } from './signing-keys.ts'
import type { TokenDeps } from './token-deps.ts'
import { hashOf, looksLike } from './token-text.ts'

const UNKNOWN = 'The refresh token is unknown, expired, revoked, or belongs to another client.'

/**
 * Gives a new access token for a refresh token of ours (RFC 6749 section 6). The refresh token stays, unless the
 * application rotates or the client has no secret: then it is replaced, and coming again later than the grace period
 * it revokes its whole family (RFC 9700 section 2.2.2, docs/decisions/0030).
 *
 * @throws OAuthError
 */
export function createExchangeRefreshToken(deps: TokenDeps, keys: SigningKeys) {
  const { database, clock } = deps
  return async (token: string, client: TokenClient): Promise<TokenAnswer> => {
    const isPublic = looksLike('publicRefresh', token)
    if (!isPublic) requireAuthenticated(client)
    const record = await database.stores.issuedTokens.findRefresh(hashOf(token))
    if (!record || record.applicationId !== client.applicationId) throw invalidGrant(UNKNOWN)
    const application = await database.stores.applications.find(record.applicationId)
    const policy = readRefreshPolicy(application?.settings ?? {})
    const now = unixSeconds(clock)
    if (isReplay(record, now)) throw await refuseReplay(record)
    if (isOver(record, policy, now)) {
      await database.stores.issuedTokens.revokeFamily(record.familyId)
      throw invalidGrant(UNKNOWN)
    }
    const grant = requireUsable(await database.stores.grants.find(record.applicationId, record.grantId))
    const idToken = await signIdToken(deps, keys, grant)
    const rotates = isPublic || policy.rotates
    const next = await database.transaction((stores) => spend(stores, record, grant, { isPublic, rotates }))
    if (next === 'replayed') throw await refuseReplay(record)
    if (next === 'revoked') throw invalidGrant(UNKNOWN)
    return tokenAnswer(grant, { access: next.access, refresh: next.refresh ?? token, id: idToken })
  }

  /** Both ways write to the row of the token, so that a revocation comes wholly before or wholly after. */
  async function spend(
    stores: Stores,
    record: IssuedRefreshTokenRecord,
    grant: GrantRecord,
    { isPublic, rotates }: { readonly isPublic: boolean; readonly rotates: boolean },
  ) {
    const { issuedTokens } = stores
    const now = unixSeconds(clock)
    const isReplaced = rotates && (await issuedTokens.replaceRefresh(record.hash, now))
    const latest = isReplaced ? null : await issuedTokens.findRefresh(record.hash)
    if (!isReplaced && !(await issuedTokens.touchRefresh(record.hash, now))) return 'revoked' as const
    if (latest && isReplay(latest, now)) return 'replayed' as const
    const family = { id: record.familyId, issuedAt: record.familyIssuedAt, isPublic }
    // Within the grace period a replaced token gets a successor again: the first one may never have arrived.
    const hasSuccessor = isReplaced || (latest !== null && latest.replacedAt !== null)
    return {
      access: await issueAccessToken(stores, deps, grant, record.familyId),
      refresh: hasSuccessor ? await issueRefreshToken(stores, deps, grant, family) : null,
    }
  }

  async function refuseReplay(record: IssuedRefreshTokenRecord) {
    await database.transaction(async (stores) => {
      if ((await stores.issuedTokens.revokeFamily(record.familyId)) === 0) return
      await auditRevocation(stores, deps, record, 'refresh_token_reused')
    })
    deps.log.warn({ applicationId: record.applicationId, grantId: record.grantId }, 'refresh_token.reused')
    return invalidGrant(
      'The refresh token was replaced and used again: all tokens of its sign-in are revoked.',
    )
  }
}
