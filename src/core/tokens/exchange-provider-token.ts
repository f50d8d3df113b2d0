import type { TokenAnswer } from '../ports/oauth-services.ts'
import { requireAuthenticated, type TokenClient } from './client-authentication.ts'
import { issueAccessToken, requireUsable, tokenAnswer } from './issue-tokens.ts'
import { invalidGrant } from './refusals.ts'
import type { TokenDeps } from './token-deps.ts'

/**
 * Gives an access token of ours for a refresh token of a *provider* that belongs to a grant of the application, as those
 * send it who follow the "Bring Your Own Authentication" page to the letter (contract/auth.md 8.1). It is found by its
 * digest, so a superseded one finds its grant as well; nothing is asked of the provider and no grant is ever made.
 *
 * @throws OAuthError `invalid_client` without an API key, `invalid_grant` for a token that no grant has
 */
export function createExchangeProviderToken(deps: TokenDeps) {
  const { database, vault, ids } = deps
  return async (refreshToken: string, client: TokenClient): Promise<TokenAnswer> => {
    requireAuthenticated(client)
    const digest = vault.digest('refresh-token', refreshToken)
    const found = await database.stores.seenTokens.findGrantByDigest(client.applicationId, digest)
    if (found === null) throw invalidGrant('The refresh token is unknown.')
    const grant = requireUsable(await database.stores.grants.find(client.applicationId, found))
    const access = await database.transaction((stores) => issueAccessToken(stores, deps, grant, ids.uuid()))
    return tokenAnswer(grant, { access })
  }
}
