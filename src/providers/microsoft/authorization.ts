import type { AuthorizeCall, Authorization, CodeExchangeCall } from '../../core/ports/authorization.ts'
import type { Tokens } from '../../core/ports/identity.ts'
import { buildAuthorizeUrl } from '../../protocols/oauth2/authorize-url.ts'
import { type CodeFault, exchangeAuthorizationCode } from '../../protocols/oauth2/exchange-code.ts'
import type { TokenErrorAnswer } from '../../protocols/oauth2/token-request.ts'
import { forTenant, graphResource, isOwnTenant } from './endpoints.ts'
import { toTokens } from './exchange.ts'
import type { MicrosoftDeps } from './graph-call.ts'
import { signInScope } from './scopes.ts'
import { judgeMicrosoftTokenError } from './token-errors.ts'

/**
 * Microsoft's consent page and back. No `issuer`: the parameter of RFC 9207 is not documented, and for `common` it
 * would be another one for each tenant.
 *
 * @see learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow (checked 2026-11)
 */
export function createMicrosoftAuthorization(deps: MicrosoftDeps): Authorization {
  return {
    authorizeUrl: (call) => authorizeUrl(deps, call),
    exchangeCode: (call) => exchangeCode(deps, call),
    adminConsentUrl: (call) => adminConsentUrl(deps, call),
    // A token is for one resource: consent for others (`https://outlook.office.com/…`) is not told with it.
    namesGranted: (scope) => !scope.includes('://'),
  }
}

/** The tenant of the credential or connector goes into the address; without one it is `common`, as on refresh. */
function authorizeUrl({ endpoints }: MicrosoftDeps, call: AuthorizeCall): string {
  return buildAuthorizeUrl(forTenant(endpoints.authorizeUrl, call.client.tenant ?? 'common'), {
    response_type: 'code',
    response_mode: 'query',
    client_id: call.client.clientId,
    redirect_uri: call.redirectUri,
    scope: signInScope(graphResource(endpoints), call.scope, 'authorize'),
    state: call.state,
    code_challenge: call.codeChallenge,
    code_challenge_method: 'S256',
    // Missing consent is asked for without being told, and `offline_access` gives a refresh token each time. With
    // `consent` a user whom an administrator has consented for would be sent to the administrator again (AADSTS90094).
    // Without a hint the account in session would be taken silently: so the user chooses.
    prompt: call.loginHint === undefined ? 'select_account' : undefined,
    login_hint: call.loginHint,
  })
}

async function exchangeCode(
  { endpoints, http, clock }: MicrosoftDeps,
  call: CodeExchangeCall,
): Promise<Tokens> {
  const { client, code, redirectUri, codeVerifier, signal } = call
  return toTokens(
    await exchangeAuthorizationCode(http, {
      url: forTenant(endpoints.tokenUrl, client.tenant ?? 'common'),
      client,
      clientAuthentication: 'body',
      code,
      redirectUri,
      codeVerifier,
      scope: signInScope(graphResource(endpoints), call.scope, 'token'),
      signal,
      faultOf,
      judge: (answer) => judgeMicrosoftTokenError(answer),
      nowMs: clock.nowMs(),
    }),
  )
}

/** 50011, 500112 and 500113: redirect URI not registered, not that of the code, none registered. */
const REDIRECT_CODES = /AADSTS(?:50011|500112|500113)\b/
/**
 * 54005 spent, 70008 expired, 70000 not valid, 700005 of another tenant, 501481 other verifier (reference-error-codes;
 * 501481 as reported publicly; checked 2026-11). Other numbers are the table's.
 */
const CODE_CODES = /AADSTS(?:54005|70008|70000|700005|501481)\b/
const ANY_CODE = /AADSTS\d/

function faultOf({ error, description }: TokenErrorAnswer): CodeFault | undefined {
  if (REDIRECT_CODES.test(description)) return 'redirect-uri'
  if (CODE_CODES.test(description)) return 'code'
  return error === 'invalid_grant' && !ANY_CODE.test(description) ? 'code' : undefined
}

/**
 * Where an administrator consents: v2.0 with a tenant of its own, else v1. Both ask for all that is registered with the
 * app; v2.0 by the scope `.default`, whatever was asked for: app permissions, which are what such a credential acts by,
 * can be consented to in no other way. Personal accounts can't consent for an organization, so `common` becomes
 * `organizations`.
 * @see learn.microsoft.com/entra/identity-platform/v2-admin-consent (checked 2026-11)
 */
function adminConsentUrl(
  { endpoints }: MicrosoftDeps,
  call: Parameters<NonNullable<Authorization['adminConsentUrl']>>[0],
): string {
  const { tenant } = call.client
  const own = tenant !== undefined && isOwnTenant(tenant) ? tenant : undefined
  const template = own === undefined ? endpoints.adminConsentUrl : versionTwo(endpoints.adminConsentUrl)
  return buildAuthorizeUrl(forTenant(template, own ?? 'organizations'), {
    client_id: call.client.clientId,
    redirect_uri: call.redirectUri,
    state: call.state,
    scope: template.includes('/v2.0/') ? `${graphResource(endpoints)}/.default` : undefined,
  })
}

/** `…/{tenant}/adminconsent` → `…/{tenant}/v2.0/adminconsent`; an address of another form stays as it is. */
function versionTwo(template: string): string {
  return template.replace(/(?<!\/v2\.0)\/adminconsent(?=[?#]|$)/, '/v2.0/adminconsent')
}
