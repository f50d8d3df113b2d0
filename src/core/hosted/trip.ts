import { credentialId } from '../../contract/ids.ts'
import type { ProviderName } from '../../contract/providers.ts'
import { scopeOf } from '../grants/connect-custom.ts'
import type { CodeAuthentication } from '../grants/authenticate-by-code.ts'
import { emailKeyOf } from '../grants/upsert-grant.ts'
import type { Authorization } from '../ports/authorization.ts'
import type { GrantRecord } from '../ports/records.ts'
import type { OAuthSessionRecord } from '../ports/oauth-stores.ts'
import { type Option, noConnector } from './choices.ts'
import { callbackUrl, type HostedDeps } from './hosted-deps.ts'
import type { HostedRequest } from './hosted-request.ts'
import { type Choice, newTrip } from './sessions.ts'

type Session = Pick<OAuthSessionRecord, 'id' | 'applicationId'>

/** The client a user is sent to the provider as; the grant stays with its credential. */
export type Target = CodeAuthentication['target']

/**
 * Opens the client for a provider.
 * @throws AppError for the application: no connector (any more), or a credential that is not one of its
 */
export async function openTarget(
  deps: HostedDeps,
  { module, connector }: Option,
  request: Pick<HostedRequest, 'credentialId' | 'providers'>,
): Promise<Target> {
  const client = await deps.clients.open(connector, request.credentialId, 'connector')
  if (!client) throw noConnector(request)
  const bound =
    request.credentialId === null ? connector.activeCredentialId : credentialId(request.credentialId)
  return { module, connector, client, credentialId: bound }
}

/** The grant that is being renewed: the one that `login_hint` names, of the chosen provider. */
export async function boundGrant(
  deps: HostedDeps,
  { applicationId }: Session,
  provider: ProviderName,
  { loginHint }: Pick<HostedRequest, 'loginHint'>,
): Promise<GrantRecord | null> {
  if (loginHint === '') return null
  return deps.database.stores.grants.findByMailbox(applicationId, provider, emailKeyOf(loginHint))
}

/** What is asked for: the request's scopes, else the connector's; with those of the grant where that was wanted. */
export function scopeToAskFor(
  target: Target,
  request: Pick<HostedRequest, 'scope' | 'includeGrantScopes'>,
  bound: GrantRecord | null,
): readonly string[] {
  const asked = scopeOf(target, request.scope ?? undefined)
  return request.includeGrantScopes && bound ? [...new Set([...asked, ...bound.scope])] : asked
}

/**
 * Sends the user to a provider's page, with a new state and verifier: those of an earlier trip are worth nothing now.
 * @param loginHint  the address the user typed, else the request's
 */
export async function planTrip(
  deps: HostedDeps,
  session: Session,
  option: Option,
  authorization: Authorization,
  request: HostedRequest,
  loginHint: string = request.loginHint,
): Promise<{ readonly choice: Choice; readonly url: string }> {
  const target = await openTarget(deps, option, request)
  const bound = await boundGrant(deps, session, option.module.id, request)
  const { state, codeChallenge, ...kept } = newTrip(deps, session)
  const url = authorization.authorizeUrl({
    client: target.client,
    redirectUri: callbackUrl(deps),
    state,
    codeChallenge,
    scope: scopeToAskFor(target, request, bound),
    ...(loginHint === '' ? {} : { loginHint }),
    includeGrantedScopes: request.includeGrantScopes && !request.excludeGrantedScopes,
  })
  return { choice: { provider: option.module.id, ...kept }, url }
}
