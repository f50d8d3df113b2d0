import { OAuthError } from '../../kit/oauth-error.ts'
import type { AuthorizationCodeRecord, AuthorizationCodeStore } from '../ports/oauth-stores.ts'
import type { TokenAnswer } from '../ports/oauth-services.ts'
import type { Stores } from '../ports/stores.ts'
import type { TokenClient } from './client-authentication.ts'
import { signIdToken } from './id-token.ts'
import {
  auditRevocation,
  issueAccessToken,
  issueRefreshToken,
  requireUsable,
  tokenAnswer,
} from './issue-tokens.ts'
import { verifierFits } from './pkce.ts'
import { invalidClient, invalidGrant, requiredField } from './refusals.ts'
import type { SigningKeys } from './signing-keys.ts'
import type { TokenDeps } from './token-deps.ts'
import { hashOf, looksLike } from './token-text.ts'

/** One text for all of these, so that guessing tells nothing. */
const UNKNOWN = 'The code is unknown, expired, already used, or belongs to another client.'

type Form = { readonly [name: string]: string }

/**
 * Trades a code for tokens. A code is used up by the first exchange that names it, whatever comes of it; one that
 * comes again revokes the tokens it gave (RFC 6749 section 4.1.2).
 *
 * @param authenticate  finds the client; its refusal uses the code up too
 * @throws OAuthError
 */
export function createExchangeCode(deps: TokenDeps, keys: SigningKeys) {
  const { database } = deps
  return async (form: Form, authenticate: () => Promise<TokenClient>): Promise<TokenAnswer> => {
    const code = requiredField(form, 'code')
    const redirectUri = requiredField(form, 'redirect_uri')
    const hash = hashOf(code)
    const isCode = looksLike('code', code)
    const client = await authenticate().catch(async (error: unknown) => {
      if (isCode && error instanceof OAuthError) await database.stores.authorizationCodes.use(hash)
      throw error
    })
    const record = isCode ? await database.stores.authorizationCodes.find(hash) : null
    if (!record) throw invalidGrant(UNKNOWN)
    if (record.usedAtMs !== null) throw await refuseReplay(record, client)
    const grant = await database.stores.grants.find(record.applicationId, record.grantId)
    const usable = await usedUpUnless(database.stores.authorizationCodes, hash, () => {
      requireFitting(record, client, redirectUri, form['code_verifier'] ?? '')
      return requireUsable(grant)
    })
    // Signed before the transaction, which awaits nothing but its own queries.
    const idToken = await signIdToken(deps, keys, usable)
    const tokens = await database.transaction(async (stores) => {
      if (!(await stores.authorizationCodes.use(hash))) return null
      const access = await issueAccessToken(stores, deps, usable, record.familyId)
      const family = { id: record.familyId, issuedAt: null, isPublic: !client.isAuthenticated }
      const refresh = record.offline ? await issueRefreshToken(stores, deps, usable, family) : null
      return { access, refresh }
    })
    // Another exchange of the same code was faster.
    if (!tokens) throw await refuseReplay(record, client)
    return tokenAnswer(usable, { ...tokens, id: idToken })
  }

  async function refuseReplay(record: AuthorizationCodeRecord, client: TokenClient): Promise<OAuthError> {
    // Old codes lie about in browser histories: whoever can't pass for the client must not sign its users out.
    const mayRevoke = client.isAuthenticated || record.challenge !== null
    if (mayRevoke && client.applicationId === record.applicationId) {
      await database.transaction((stores) => revokeReplayed(stores, record))
    }
    return invalidGrant(UNKNOWN)
  }

  async function revokeReplayed(stores: Stores, record: AuthorizationCodeRecord): Promise<void> {
    if ((await stores.issuedTokens.revokeFamily(record.familyId)) === 0) return
    await auditRevocation(stores, deps, record, 'code_replayed')
    deps.log.warn({ applicationId: record.applicationId, grantId: record.grantId }, 'code.replayed')
  }
}

/** @throws OAuthError where the request is not the one this code was made for */
function requireFitting(
  record: AuthorizationCodeRecord,
  client: TokenClient,
  redirectUri: string,
  verifier: string,
): void {
  if (record.applicationId !== client.applicationId) throw invalidGrant(UNKNOWN)
  if (record.expiresAtMs <= record.readAtMs) throw invalidGrant(UNKNOWN)
  if (record.redirectUri !== redirectUri) {
    throw invalidGrant('redirect_uri is not the one the code was asked for with.')
  }
  if (record.challenge === null) {
    // A verifier without a challenge is ignored: samples of the documentation send one (contract/auth.md 4.1).
    if (client.isAuthenticated) return
    throw invalidClient(
      'Without PKCE an API key is required, as client_secret or in the Authorization header.',
    )
  }
  if (verifier === '')
    throw invalidGrant('The code was asked for with a code_challenge: code_verifier is required.')
  if (!verifierFits(verifier, record.challenge, record.challengeMethod ?? 'plain')) {
    throw invalidGrant('code_verifier does not belong to the code_challenge.')
  }
}

/** Uses the code up where the work refuses. */
async function usedUpUnless<T>(codes: AuthorizationCodeStore, hash: string, work: () => T): Promise<T> {
  try {
    return work()
  } catch (error) {
    await codes.use(hash)
    throw error
  }
}
