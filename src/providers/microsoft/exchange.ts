import type { ExchangeCall, Tokens } from '../../core/ports/identity.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import type { Secret } from '../../kit/secret.ts'
import { refreshAccessToken } from '../../protocols/oauth2/refresh.ts'
import { requestToken, type TokenAnswer } from '../../protocols/oauth2/token-request.ts'
import { forTenant, graphResource, isOwnTenant } from './endpoints.ts'
import type { MicrosoftDeps } from './graph-call.ts'
import { defaultScope, normalizeScopes, refreshScope } from './scopes.ts'
import { isScopeRefusal, judgeMicrosoftTokenError } from './token-errors.ts'

/** Trades a refresh token, or (with app permissions) the client itself, for an access token. */
export function exchangeMicrosoft(deps: MicrosoftDeps, call: ExchangeCall): Promise<Tokens> {
  const { secret } = call
  switch (secret.kind) {
    case 'refresh-token':
      return refreshWithScope(deps, call, secret.refreshToken)
    case 'impersonation':
      return clientCredentials(deps, call)
    case 'mailbox':
    case 'none':
      throw new ProviderError('invalid-request', 'Microsoft takes a refresh token or an admin consent.')
  }
}

/**
 * Refreshes with the grant's scopes. Where Microsoft refuses those (they may be the connector's, or what the client
 * guessed), the token itself may be fine: it is tried once more for whatever was consented to. A refresh token of
 * Microsoft stays valid after use, so sending it twice loses nothing (contract/auth.md 10.2, 10.3).
 */
async function refreshWithScope(
  deps: MicrosoftDeps,
  call: ExchangeCall,
  refreshToken: Secret,
): Promise<Tokens> {
  const resource = graphResource(deps.endpoints)
  const everything = defaultScope(resource)
  const scope = refreshScope(resource, call.scope)
  const isOurs = scope === everything
  let scopeRefused = false
  try {
    return await refresh(deps, call, refreshToken, {
      scope,
      isOurs,
      onRefusal: () => {
        scopeRefused = true
      },
    })
  } catch (error) {
    if (!scopeRefused || isOurs) throw error
    // A consent that is missing for the grant's own scopes as well was withdrawn: that is the user's.
    const isWithdrawn = error instanceof ProviderError && error.details.reason === 'consent_missing'
    return refresh(deps, call, refreshToken, { scope: everything, isOurs: !isWithdrawn })
  }
}

async function refresh(
  deps: MicrosoftDeps,
  call: ExchangeCall,
  refreshToken: Secret,
  asked: {
    readonly scope: string
    /** nobody named it: the scope is this server's choice */
    readonly isOurs: boolean
    readonly onRefusal?: () => void
  },
): Promise<Tokens> {
  const answer = await refreshAccessToken(deps.http, {
    url: forTenant(deps.endpoints.tokenUrl, call.client.tenant ?? 'common'),
    client: call.client,
    clientAuthentication: 'body',
    refreshToken,
    scope: asked.scope,
    signal: call.signal,
    nowMs: deps.clock.nowMs(),
    judge: (refusal) => {
      if (isScopeRefusal(refusal)) asked.onRefusal?.()
      return judgeMicrosoftTokenError(refusal, asked.isOurs)
    },
  })
  return toTokens(answer)
}

async function clientCredentials(deps: MicrosoftDeps, call: ExchangeCall): Promise<Tokens> {
  const { client } = call
  const { tenant } = client
  if (tenant === undefined || !isOwnTenant(tenant)) {
    throw new ProviderError('client-misconfigured', 'App permissions need the tenant of the organization.', {
      advice:
        'Give the adminconsent credential the tenant (directory id) in which the administrator consented.',
      answered: true,
    })
  }
  const answer = await requestToken(deps.http, {
    url: forTenant(deps.endpoints.tokenUrl, tenant),
    client,
    clientAuthentication: 'body',
    form: { grant_type: 'client_credentials', scope: `${graphResource(deps.endpoints)}/.default` },
    signal: call.signal,
    nowMs: deps.clock.nowMs(),
    judge: (refusal) => judgeMicrosoftTokenError(refusal),
  })
  const { refreshToken: _none, ...tokens } = toTokens(answer)
  return tokens
}

/** Reads what the token endpoint answered, for whatever it was asked. */
export function toTokens({ accessToken, expiresAt, refreshToken, scope, idToken }: TokenAnswer): Tokens {
  const granted = normalizeScopes(scope ?? [])
  return {
    accessToken,
    expiresAt,
    ...(refreshToken ? { refreshToken } : {}),
    ...(granted.length > 0 ? { scope: granted } : {}),
    ...(idToken ? { idToken } : {}),
  }
}
