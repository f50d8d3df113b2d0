import { appError } from '../../contract/errors.ts'
import { unixSeconds } from '../../kit/clock.ts'
import { OAuthError } from '../../kit/oauth-error.ts'
import type { TokenAnswer, TokenInfo, TokenService } from '../ports/oauth-services.ts'
import type { IssuedAccessTokenRecord } from '../ports/oauth-stores.ts'
import { authenticateClient } from './client-authentication.ts'
import { createClientCredentials } from './client-credentials.ts'
import { createExchangeCode } from './exchange-code.ts'
import { createExchangeProviderToken } from './exchange-provider-token.ts'
import { createExchangeRefreshToken } from './exchange-refresh-token.ts'
import { readIdToken } from './id-token.ts'
import { auditRevocation } from './issue-tokens.ts'
import { invalidRequest, invalidToken, requiredField } from './refusals.ts'
import { createSigningKeys } from './signing-keys.ts'
import type { TokenDeps } from './token-deps.ts'
import { hashOf, looksLike, newToken } from './token-text.ts'

/** Codes are traded at once by a redirect; RFC 6749 section 4.1.2 allows ten minutes. */
const CODE_LIFE_MS = 5 * 60 * 1000

/** Makes the use-cases of the codes and tokens of ours. */
export function createTokenService(deps: TokenDeps): TokenService {
  const { database, clock, ids } = deps
  const keys = createSigningKeys(deps)
  const exchangeCode = createExchangeCode(deps, keys)
  const exchangeRefreshToken = createExchangeRefreshToken(deps, keys)
  const exchangeProviderToken = createExchangeProviderToken(deps)
  const clientCredentials = createClientCredentials(deps)

  return {
    async issueCode(stores, request) {
      const code = newToken(ids, 'code')
      await stores.authorizationCodes.insert(
        { ...request, hash: hashOf(code), familyId: ids.uuid() },
        CODE_LIFE_MS,
      )
      return code
    },

    async exchange(form, bearer, context) {
      const attempt = { clientId: form['client_id'] ?? '', ip: context.ip ?? null }
      await deps.attempts?.admit(attempt)
      try {
        return await exchange(form, bearer)
      } catch (error) {
        if (error instanceof OAuthError && error.status < 500) await deps.attempts?.refused(attempt)
        throw error
      }
    },

    async info({ idToken, accessToken }) {
      if (idToken !== undefined && accessToken !== undefined) {
        throw invalidRequest('Either id_token or access_token, not both.')
      }
      if (idToken === undefined && accessToken === undefined) {
        throw invalidRequest('id_token or access_token is required.')
      }
      const info =
        idToken === undefined
          ? await accessTokenInfo(accessToken ?? '')
          : await readIdToken(deps, keys, idToken)
      if (!info) throw invalidToken()
      return info
    },

    async revoke(token) {
      const { issuedTokens } = database.stores
      const found =
        (await findLive(token)) ??
        (looksLike('refresh', token) ? await issuedTokens.findRefresh(hashOf(token)) : null)
      if (!found) throw invalidToken()
      await database.transaction(async (stores) => {
        await stores.issuedTokens.revokeFamily(found.familyId)
        await auditRevocation(stores, deps, found, 'revoked')
      })
    },

    async authenticate(bearer) {
      const found = await findLive(bearer)
      if (!found) return null
      const application = await database.stores.applications.find(found.applicationId)
      if (application?.blocked) throw appError('api.resource_blocked', 'The application is blocked.')
      return { applicationId: found.applicationId, actor: `grant:${found.grantId}`, grantId: found.grantId }
    },

    async jwks() {
      return { keys: await keys.published() }
    },
  }

  function exchange(form: { readonly [name: string]: string }, bearer: string | null): Promise<TokenAnswer> {
    const authenticate = () => authenticateClient(deps, form, bearer)
    const grantType = requiredField(form, 'grant_type')
    switch (grantType) {
      case 'authorization_code':
        return exchangeCode(form, authenticate)
      case 'refresh_token':
        return refresh(requiredField(form, 'refresh_token'))
      case 'client_credentials':
        return authenticate().then((client) => clientCredentials(form, client))
      default:
        throw new OAuthError(
          'unsupported_grant_type',
          400,
          'grant_type must be authorization_code, refresh_token or client_credentials.',
        )
    }

    async function refresh(token: string): Promise<TokenAnswer> {
      const client = await authenticate()
      return looksLike('refresh', token)
        ? exchangeRefreshToken(token, client)
        : exchangeProviderToken(token, client)
    }
  }

  /** An access token that is neither revoked nor over; what doesn't look like one is not looked up. */
  async function findLive(token: string): Promise<IssuedAccessTokenRecord | null> {
    if (!looksLike('access', token)) return null
    const found = await database.stores.issuedTokens.findAccess(hashOf(token))
    return found && found.expiresAt > unixSeconds(clock) ? found : null
  }

  async function accessTokenInfo(token: string): Promise<TokenInfo | null> {
    const found = await findLive(token)
    const grant = found && (await database.stores.grants.find(found.applicationId, found.grantId))
    if (!found || !grant) return null
    return {
      iss: deps.issuer(),
      aud: found.applicationId,
      sub: found.grantId,
      email: grant.email,
      iat: found.issuedAt,
      exp: found.expiresAt,
    }
  }
}
