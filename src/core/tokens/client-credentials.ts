import { grantId } from '../../contract/ids.ts'
import type { TokenAnswer } from '../ports/oauth-services.ts'
import { requireAuthenticated, type TokenClient } from './client-authentication.ts'
import { issueAccessToken, requireUsable, tokenAnswer } from './issue-tokens.ts'
import { requiredField } from './refusals.ts'
import type { TokenDeps } from './token-deps.ts'

/**
 * Gives the holder of an API key an access token of one grant (contract/auth.md 4.1), no refresh token.
 * @throws OAuthError
 */
export function createClientCredentials(deps: TokenDeps) {
  const { database, ids } = deps
  return async (form: { readonly [name: string]: string }, client: TokenClient): Promise<TokenAnswer> => {
    requireAuthenticated(client)
    const id = grantId(requiredField(form, 'grant_id').toLowerCase())
    const grant = requireUsable(await database.stores.grants.find(client.applicationId, id))
    const access = await database.transaction((stores) => issueAccessToken(stores, deps, grant, ids.uuid()))
    return tokenAnswer(grant, { access })
  }
}
