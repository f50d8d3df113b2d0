import { patientDeadline } from '../../kit/deadline.ts'
import { Secret } from '../../kit/secret.ts'
import { createAuthenticateByCode } from '../grants/authenticate-by-code.ts'
import type { Authorization } from '../ports/authorization.ts'
import type { HostedClient, HostedStep } from '../ports/oauth-services.ts'
import type { RequestContext } from '../ports/services.ts'
import type { Option } from './choices.ts'
import { refusalFor, sendHome } from './finish.ts'
import { mayTake, requireSameAccount, requireScopes } from './guard.ts'
import { callbackUrl, HOSTED_ACTOR, type HostedDeps } from './hosted-deps.ts'
import type { Query } from './read-parameters.ts'
import { redirectRefused } from './redirect.ts'
import { invalidParameter, type Refusal } from './refusal.ts'
import { type OpenSession, openVerifier } from './sessions.ts'
import { boundGrant, openTarget, scopeToAskFor } from './trip.ts'

/** A token call is never hung up on early (design.md section 4, step 4). */
const EXCHANGE_DEADLINE_MS = 15_000
/** Microsoft's codes have about 2,000 characters. */
const MOST_CODE = 8192
const MOST_DESCRIPTION = 500

/**
 * Takes what a provider sent back with the browser, for a session that is ended already: whatever comes of it, the same
 * answer never comes through twice.
 */
export function createTakeCode(deps: HostedDeps) {
  const authenticateByCode = createAuthenticateByCode(deps)

  return async function takeCode(
    session: OpenSession,
    option: Option & { readonly authorization: Authorization },
    query: Query,
    client: HostedClient,
    context: RequestContext,
  ): Promise<HostedStep> {
    const { request } = session
    const refused = providerRefusal(query)
    if (refused) return redirectRefused(request, refused)
    try {
      return await connect(session, option, readCode(query, option.authorization), client, context)
    } catch (error) {
      return redirectRefused(request, await refusalFor(deps, session, error))
    }
  }

  async function connect(
    session: OpenSession,
    option: Option & { readonly authorization: Authorization },
    code: Secret,
    client: HostedClient,
    context: RequestContext,
  ): Promise<HostedStep> {
    const { record, request } = session
    const target = await openTarget(deps, option, request)
    const bound = await boundGrant(deps, record, option.module.id, request)
    const scope = scopeToAskFor(target, request, bound)
    const codeVerifier = await openVerifier(deps.vault, record)
    const grant = await authenticateByCode({
      caller: { applicationId: record.applicationId, actor: HOSTED_ACTOR },
      target,
      scope,
      state: request.state,
      ip: client.ip,
      userAgent: client.userAgent,
      mayTake: mayTake(false),
      ...(bound ? { onto: bound } : {}),
      exchange: () =>
        option.authorization.exchangeCode({
          client: target.client,
          code,
          redirectUri: callbackUrl(deps),
          codeVerifier,
          scope,
          signal: patientDeadline(EXCHANGE_DEADLINE_MS),
        }),
      check(account, acquired) {
        requireSameAccount(bound, account, acquired)
        requireScopes(option.module, scope, account.scope ?? acquired.tokens?.scope)
      },
    })
    deps.log.info(
      { requestId: context.requestId, grantId: grant.id, provider: grant.provider },
      'hosted.connected',
    )
    return deps.database.transaction((stores) => sendHome(deps, stores, session, grant))
  }

  /** @throws AppError where the answer is another provider's (RFC 9207), or none */
  function readCode(query: Query, { issuer }: Authorization): Secret {
    const named = query['iss'] ?? ''
    if (named !== '' && issuer !== undefined && named !== issuer) {
      throw invalidParameter(
        'The answer came from another provider than the one that was asked.',
        'server_error',
      )
    }
    const code = query['code'] ?? ''
    if (code === '' || code.length > MOST_CODE) {
      throw invalidParameter('The provider sent no code.', 'server_error')
    }
    return new Secret(code)
  }
}

/** What the provider says instead of a code: its own error where it is written as one. */
export function providerRefusal(query: Query): Refusal | null {
  const error = query['error'] ?? ''
  if (error === '') return null
  const description = (query['error_description'] ?? '').replaceAll(/\p{Cc}+/gu, ' ').trim()
  return {
    error: /^[A-Za-z0-9_.-]{1,64}$/.test(error) ? error : 'server_error',
    description: description.slice(0, MOST_DESCRIPTION) || 'The provider did not give access.',
    code: error === 'access_denied' ? 403 : 400,
  }
}
