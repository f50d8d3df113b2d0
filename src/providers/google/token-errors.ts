import type { ProviderError } from '../../kit/provider-error.ts'
import type { TokenErrorAnswer } from '../../protocols/oauth2/token-request.ts'
import { adviceOf, judgeByRules, type TokenErrorRule } from '../../protocols/oauth2/token-verdict.ts'

const OAUTH = 'developers.google.com/identity/protocols/oauth2/web-server'
const EXPIRY = 'developers.google.com/identity/protocols/oauth2#expiration'
const SERVICE = 'developers.google.com/identity/protocols/oauth2/service-account#jwt-error-codes'

const REAUTHENTICATE = 'Ask the user to sign in again and post the new refresh token.'
const TESTING =
  'The Google app is in publishing status "Testing": its refresh tokens live 7 days. Set it to "In production" in the Google Cloud console under Audience (or the user type to Internal).'
const OTHER_CAUSES =
  'access removed in the Google account, password changed while Gmail scopes are held, six months without use, more than 100 live tokens of one account and client, a session policy of the Workspace administrator'

const REVOKED = 'access_revoked'
const ACCESS_REVOKED_ADVICE = `${REAUTHENTICATE} Usual causes: ${OTHER_CAUSES}, or an app in publishing status "Testing", whose tokens live 7 days.`

/** Errors of Google's token endpoint (contract/auth.md 10.3). Most special first. */
export const TOKEN_ERROR_RULES: readonly TokenErrorRule[] = [
  {
    error: 'invalid_grant',
    subtype: 'invalid_rapt',
    kind: 'grant-revoked',
    reason: 'reauth_policy',
    message: "The user's Workspace requires a new sign-in (session control policy).",
    advice: `${REAUTHENTICATE} To stop this from returning, the Workspace administrator marks the app as trusted and exempts it from session control.`,
    source: 'support.google.com/a/answer/9368756',
  },
  {
    error: 'invalid_grant',
    words: /jwt signature/i,
    kind: 'client-misconfigured',
    reason: 'service_account_key_refused',
    message: "Google does not accept the service account's signature.",
    advice: 'The private key of the service account was deleted or replaced: store a current JSON key.',
    source: SERVICE,
  },
  {
    error: 'invalid_grant',
    words: /reasonable timeframe|short-lived token/i,
    kind: 'client-misconfigured',
    reason: 'clock_wrong',
    message: "Google does not accept the time in the service account's token.",
    advice: "Set this server's clock (NTP).",
    source: SERVICE,
  },
  {
    error: 'invalid_grant',
    words: /audience check/i,
    kind: 'client-misconfigured',
    reason: 'token_url_wrong',
    message: "Google does not accept the address in the service account's token.",
    advice: "Set GRANTWAY_GOOGLE_TOKEN_URL to Google's own address.",
    source: SERVICE,
  },
  {
    error: 'invalid_grant',
    words: /account not found/i,
    kind: 'client-misconfigured',
    reason: 'service_account_missing',
    message: 'The service account does not exist any more.',
    advice: 'Create the service account again, or store the key of one that exists.',
    source: SERVICE,
  },
  {
    error: 'invalid_grant',
    words: /invalid email or user id|not a valid email/i,
    kind: 'grant-revoked',
    reason: 'mailbox_missing',
    message: 'The mailbox does not exist in the Workspace of the service account.',
    advice: 'Check the email address; the user may have been deleted or suspended.',
    source: SERVICE,
  },
  {
    error: 'invalid_grant',
    words: /account has been (deleted|disabled)/i,
    kind: 'grant-revoked',
    reason: 'account_gone',
    message: "The user's Google account was deleted or disabled.",
    advice: 'The account must be restored before the user can sign in again.',
    source: OAUTH,
  },
  {
    error: 'invalid_grant',
    words: /expired or revoked/i,
    kind: 'grant-revoked',
    reason: REVOKED,
    message: 'The refresh token was revoked or has expired.',
    advice: ACCESS_REVOKED_ADVICE,
    source: EXPIRY,
  },
  {
    error: 'invalid_grant',
    kind: 'grant-revoked',
    reason: 'refresh_token_refused',
    message: 'Google does not accept the refresh token.',
    advice: `The token is cut short, mistyped, or was issued to another client id; Google also words a revoked token this way. ${REAUTHENTICATE}`,
    source: OAUTH,
  },
  {
    error: 'admin_policy_enforced',
    kind: 'grant-revoked',
    reason: 'admin_policy',
    message: 'A policy of the Workspace administrator forbids these scopes.',
    advice: 'The administrator must allow the app under API controls; then the user signs in again.',
    source: OAUTH,
  },
  {
    error: 'unauthorized_client',
    words: /using this method|any of the scopes|jwt/i,
    kind: 'client-misconfigured',
    reason: 'delegation_missing',
    message: 'The service account may not act for users of this Workspace with these scopes.',
    advice:
      'Add its client id and exactly these scopes under Admin console, API controls, domain-wide delegation.',
    source: SERVICE,
  },
  {
    error: 'unauthorized_client',
    kind: 'grant-revoked',
    reason: 'token_of_another_client',
    message: 'The refresh token belongs to another client id.',
    advice: 'Give the connector the client id that the token was issued to, or let the user sign in again.',
    source: OAUTH,
  },
  {
    error: 'invalid_client',
    kind: 'client-misconfigured',
    reason: 'client_refused',
    message: "Google rejected the connector's client id or secret.",
    advice: 'Compare client id and secret with the Google Cloud console and update the connector.',
    source: OAUTH,
  },
  {
    error: 'deleted_client',
    kind: 'client-misconfigured',
    reason: 'client_deleted',
    message: 'The OAuth client was deleted.',
    advice:
      'Restore it in the Google Cloud console (possible for 30 days), or create a new one; then users sign in again.',
    source: OAUTH,
  },
  {
    error: 'disabled_client',
    kind: 'client-misconfigured',
    reason: 'client_disabled',
    message: 'The OAuth client is disabled.',
    advice: 'Enable it in the Google Cloud console; check for a notice about a policy violation.',
    source: OAUTH,
  },
  {
    error: 'org_internal',
    kind: 'client-misconfigured',
    reason: 'client_internal_only',
    message: 'The OAuth client serves users of its own organization only.',
    advice: 'Set the user type of the app to External, or use accounts of the organization.',
    source: OAUTH,
  },
  {
    error: 'access_denied',
    kind: 'client-misconfigured',
    reason: 'client_denied',
    message: 'Google denied the client access to these scopes.',
    advice:
      'For a service account: wait up to 24 h after adding it to domain-wide delegation, and check its scopes.',
    source: SERVICE,
  },
  {
    error: 'invalid_scope',
    kind: 'client-misconfigured',
    reason: 'scope_unknown',
    message: 'A requested scope does not exist or was left empty.',
    advice: "Check the scopes of the connector and the grant's settings.scopes.",
    source: SERVICE,
  },
  {
    error: 'rate_limit_exceeded',
    kind: 'rate-limited',
    reason: 'throttled',
    message: 'The token endpoint is throttling.',
    advice: 'Nothing to do; it is tried again.',
    source: 'developers.google.com/identity/protocols/oauth2/production-readiness',
  },
  {
    error: 'internal_failure',
    kind: 'unavailable',
    reason: 'service_failed',
    message: 'The token endpoint failed.',
    advice: 'Nothing to do; it is tried again.',
    source: 'reported publicly with status 500; no page of its own',
  },
]

const DAY_S = 86_400

/** Judges an error answer of Google's token endpoint by the table; `undefined` leaves it to the common rules. */
export function judgeGoogleTokenError(answer: TokenErrorAnswer): ProviderError | undefined {
  return judgeByRules(TOKEN_ERROR_RULES, answer)
}

/**
 * Advises on a reason for which a grant died. Google does not say that an app is in Testing: a token that ends
 * about 7 days after the sign-in tells.
 *
 * @param ageSeconds  from the last authentication to the death; null where it is not about one grant
 */
export function adviseOnGoogleRefusal(reason: string, ageSeconds: number | null): string | undefined {
  const isTestingAge = ageSeconds !== null && ageSeconds >= 6 * DAY_S && ageSeconds <= 8 * DAY_S
  if (reason === REVOKED && isTestingAge) {
    return `Most likely: ${TESTING} Then ask the user to sign in again and post the new refresh token. Other causes: ${OTHER_CAUSES}.`
  }
  return adviceOf(TOKEN_ERROR_RULES, reason)
}
