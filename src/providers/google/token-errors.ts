import { ProviderError, type ProviderErrorKind } from '../../kit/provider-error.ts'
import type { TokenErrorAnswer } from '../../protocols/oauth2/token-request.ts'

/** One line of the table: the first whose conditions all hold judges the answer. */
export interface TokenErrorRule {
  readonly error: string
  readonly subtype?: string
  readonly description?: RegExp
  readonly kind: ProviderErrorKind
  readonly message: string
  readonly advice: string
  /** Where this is documented or was reported; checked 2026-11. */
  readonly source: string
}

const OAUTH = 'developers.google.com/identity/protocols/oauth2/web-server'
const EXPIRY = 'developers.google.com/identity/protocols/oauth2#expiration'
const SERVICE = 'developers.google.com/identity/protocols/oauth2/service-account#jwt-error-codes'

const REAUTHENTICATE = 'Ask the user to sign in again and post the new refresh token.'

/** Errors of Google's token endpoint (contract/auth.md 10.3). Most special first. */
export const TOKEN_ERROR_RULES: readonly TokenErrorRule[] = [
  {
    error: 'invalid_grant',
    subtype: 'invalid_rapt',
    kind: 'grant-revoked',
    message: "The user's Workspace requires a new sign-in (session control policy).",
    advice: `${REAUTHENTICATE} To stop this from returning, the Workspace administrator marks the app as trusted and exempts it from session control.`,
    source: 'support.google.com/a/answer/9368756',
  },
  {
    error: 'invalid_grant',
    description: /jwt signature/i,
    kind: 'client-misconfigured',
    message: "Google does not accept the service account's signature.",
    advice: 'The private key of the service account was deleted or replaced: store a current JSON key.',
    source: SERVICE,
  },
  {
    error: 'invalid_grant',
    description: /reasonable timeframe|short-lived token/i,
    kind: 'client-misconfigured',
    message: "Google does not accept the time in the service account's token.",
    advice: "Set this server's clock (NTP).",
    source: SERVICE,
  },
  {
    error: 'invalid_grant',
    description: /account not found/i,
    kind: 'client-misconfigured',
    message: 'The service account does not exist any more.',
    advice: 'Create the service account again, or store the key of one that exists.',
    source: SERVICE,
  },
  {
    error: 'invalid_grant',
    description: /invalid email or user id|not a valid email/i,
    kind: 'grant-revoked',
    message: 'The mailbox does not exist in the Workspace of the service account.',
    advice: 'Check the email address; the user may have been deleted or suspended.',
    source: SERVICE,
  },
  {
    error: 'invalid_grant',
    description: /account has been (deleted|disabled)/i,
    kind: 'grant-revoked',
    message: "The user's Google account was deleted or disabled.",
    advice: 'The account must be restored before the user can sign in again.',
    source: OAUTH,
  },
  {
    error: 'invalid_grant',
    description: /expired or revoked/i,
    kind: 'grant-revoked',
    message: 'The refresh token was revoked or has expired.',
    advice: `${REAUTHENTICATE} Usual causes: access removed in the Google account, password changed while Gmail scopes are held, six months without use, more than 100 tokens for the same account and client, or an app in publishing status "Testing" (tokens end after 7 days).`,
    source: EXPIRY,
  },
  {
    error: 'invalid_grant',
    kind: 'grant-revoked',
    message: 'Google does not accept the refresh token.',
    advice: `The token is cut short, mistyped, or was issued to another client id. ${REAUTHENTICATE}`,
    source: OAUTH,
  },
  {
    error: 'admin_policy_enforced',
    kind: 'grant-revoked',
    message: 'A policy of the Workspace administrator forbids these scopes.',
    advice: 'The administrator must allow the app under API controls; then the user signs in again.',
    source: OAUTH,
  },
  {
    error: 'unauthorized_client',
    description: /using this method|any of the scopes|jwt/i,
    kind: 'client-misconfigured',
    message: 'The service account may not act for users of this Workspace with these scopes.',
    advice:
      'Add its client id and exactly these scopes under Admin console, API controls, domain-wide delegation.',
    source: SERVICE,
  },
  {
    error: 'unauthorized_client',
    kind: 'grant-revoked',
    message: 'The refresh token belongs to another client id.',
    advice: 'Give the connector the client id that the token was issued to, or let the user sign in again.',
    source: OAUTH,
  },
  {
    error: 'invalid_client',
    kind: 'client-misconfigured',
    message: "Google rejected the connector's client id or secret.",
    advice: 'Compare client id and secret with the Google Cloud console and update the connector.',
    source: OAUTH,
  },
  {
    error: 'deleted_client',
    kind: 'client-misconfigured',
    message: 'The OAuth client was deleted.',
    advice:
      'Restore it in the Google Cloud console (possible for 30 days), or create a new one; then users sign in again.',
    source: OAUTH,
  },
  {
    error: 'disabled_client',
    kind: 'client-misconfigured',
    message: 'The OAuth client is disabled.',
    advice: 'Enable it in the Google Cloud console; check for a notice about a policy violation.',
    source: OAUTH,
  },
  {
    error: 'org_internal',
    kind: 'client-misconfigured',
    message: 'The OAuth client serves users of its own organization only.',
    advice: 'Set the user type of the app to External, or use accounts of the organization.',
    source: OAUTH,
  },
  {
    error: 'access_denied',
    kind: 'client-misconfigured',
    message: 'Google denied the client access to these scopes.',
    advice:
      'For a service account: wait up to 24 h after adding it to domain-wide delegation, and check its scopes.',
    source: SERVICE,
  },
  {
    error: 'invalid_scope',
    kind: 'client-misconfigured',
    message: 'A requested scope does not exist or was left empty.',
    advice: "Check the scopes of the connector and the grant's settings.scopes.",
    source: SERVICE,
  },
  {
    error: 'rate_limit_exceeded',
    kind: 'rate-limited',
    message: 'The token endpoint is throttling.',
    advice: 'Nothing to do; it is tried again.',
    source: 'developers.google.com/identity/protocols/oauth2/production-readiness',
  },
  {
    error: 'internal_failure',
    kind: 'unavailable',
    message: 'The token endpoint failed.',
    advice: 'Nothing to do; it is tried again.',
    source: 'reported publicly with status 500; no page of its own',
  },
]

/**
 * Judges an error answer of Google's token endpoint by the table; `undefined` leaves it to the common rules.
 * A 5xx or 429 is never judged by its words: a failing service says nothing about the user.
 */
export function judgeGoogleTokenError(answer: TokenErrorAnswer): ProviderError | undefined {
  if (answer.status >= 500 || answer.status === 429) return undefined
  const subtype = answer.body?.['error_subtype']
  const rule = TOKEN_ERROR_RULES.find(
    (line) =>
      line.error === answer.error &&
      (line.subtype === undefined || line.subtype === subtype) &&
      (line.description === undefined || line.description.test(answer.description)),
  )
  if (!rule) return undefined
  return new ProviderError(rule.kind, rule.message, {
    httpStatus: answer.status,
    providerCode: answer.error,
    providerBody: answer.shown,
    advice: rule.advice,
    answered: true,
    ...(answer.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: answer.retryAfterSeconds }),
  })
}
