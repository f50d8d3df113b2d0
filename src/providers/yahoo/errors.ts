import { isJsonObject, stringField } from '../../kit/json.ts'
import type { ProviderError } from '../../kit/provider-error.ts'
import type { TokenErrorAnswer } from '../../protocols/oauth2/token-request.ts'
import { adviceOf, judgeByRules, type TokenErrorRule } from '../../protocols/oauth2/token-verdict.ts'

const ERRORS = 'developer.yahoo.com/oauth2/guide/errors'
const TROUBLE = 'developer.yahoo.com/oauth2/guide/openid_connect/troubleshooting.html'
const CLIENT =
  'Compare client id and secret with the app at developer.yahoo.com/apps, and update the connector.'
const REAUTHENTICATE = 'Ask the user to sign in again and post the new refresh token.'

const REFUSED = {
  kind: 'grant-revoked',
  reason: 'refresh_token_refused',
  message: 'Yahoo rejected the refresh token.',
  advice: `${REAUTHENTICATE} Usual causes: the user removed the app from the account, or changed the password; or the token was issued to another client id.`,
  source: ERRORS,
} as const satisfies TokenErrorRule
const CLIENT_REFUSED = {
  kind: 'client-misconfigured',
  reason: 'client_refused',
  message: 'Yahoo rejected the client id or secret.',
  advice: CLIENT,
  source: ERRORS,
} as const satisfies TokenErrorRule
const MALFORMED = {
  kind: 'client-misconfigured',
  reason: 'request_refused',
  message: 'Yahoo refused the request itself.',
  advice: `${CLIENT} If they are right, this is a fault of Grantway: report it with provider_error.`,
  source: ERRORS,
} as const satisfies TokenErrorRule

/** Errors of Yahoo's token endpoint; it writes its codes in capitals or not. Most special first. */
export const YAHOO_TOKEN_RULES: readonly TokenErrorRule[] = [
  { error: 'invalid_grant', ...REFUSED },
  { error: 'invalid_refresh_token', ...REFUSED },
  {
    error: 'token_expired',
    kind: 'grant-revoked',
    reason: 'refresh_token_expired',
    message: 'The refresh token has expired.',
    advice: REAUTHENTICATE,
    source: ERRORS,
  },
  {
    error: 'account_not_authorized',
    kind: 'grant-revoked',
    reason: 'access_revoked',
    message: 'The user has not authorized the app (any more).',
    advice: REAUTHENTICATE,
    source: ERRORS,
  },
  {
    error: 'underage_user',
    kind: 'grant-revoked',
    reason: 'account_not_allowed',
    message: 'The user is a minor and may not authorize access.',
    advice: 'Yahoo lets no app into this account.',
    source: ERRORS,
  },
  { error: 'invalid_client', ...CLIENT_REFUSED },
  { error: 'invalid_client_secret', ...CLIENT_REFUSED },
  { error: 'invalid_consumer_key', ...CLIENT_REFUSED },
  { error: 'invalid_consumer_secret', ...CLIENT_REFUSED },
  { error: 'unauthorized_client', ...CLIENT_REFUSED },
  { error: 'invalid_input', words: /client.?(id|secret)/i, ...CLIENT_REFUSED, source: TROUBLE },
  {
    error: 'deleted_consumer_key',
    kind: 'client-misconfigured',
    reason: 'client_deleted',
    message: 'The Yahoo app was deleted.',
    advice: 'Create a new app and update the connector; then users sign in again.',
    source: ERRORS,
  },
  {
    error: 'disabled_consumer_key',
    kind: 'client-misconfigured',
    reason: 'client_disabled',
    message: 'The Yahoo app is disabled.',
    advice: 'Look at the app at developer.yahoo.com/apps, or ask Yahoo.',
    source: ERRORS,
  },
  {
    error: 'invalid_scope',
    kind: 'client-misconfigured',
    reason: 'scope_unknown',
    message: 'A scope of the app does not exist.',
    advice: 'Compare the scopes of the connector with the API permissions of the app.',
    source: ERRORS,
  },
  { error: 'invalid_callback', ...MALFORMED },
  { error: 'invalid_redirect_uri', ...MALFORMED },
  { error: 'invalid_input', ...MALFORMED, source: TROUBLE },
  { error: 'parameter_absent', ...MALFORMED },
  { error: 'parameter_rejected', ...MALFORMED },
  { error: 'unsupported_over_http', ...MALFORMED },
  {
    error: 'error_handling_request',
    kind: 'unavailable',
    reason: 'service_failed',
    message: 'Yahoo failed to handle the request.',
    advice: 'Nothing to do; it is tried again.',
    source: TROUBLE,
  },
]

/** Judges an error of Yahoo's token endpoint; undefined leaves it to the common rules. */
export function judgeYahooTokenError(answer: TokenErrorAnswer): ProviderError | undefined {
  return judgeByRules(YAHOO_TOKEN_RULES, unwrapped(answer))
}

/** Advises on a reason for which a grant died. */
export function adviseOnYahooRefusal(reason: string): string | undefined {
  return adviceOf(YAHOO_TOKEN_RULES, reason)
}

/** Some answers hold an object where the code belongs: `{"error":{"errorId":"INVALID_INPUT","message":"…"}}` (reports, 2026-11). */
function unwrapped(answer: TokenErrorAnswer): TokenErrorAnswer {
  const inner = answer.body?.['error']
  if (!isJsonObject(inner)) return answer
  const error = stringField(inner, 'errorId') ?? ''
  const description = stringField(inner, 'message')?.slice(0, 2000) ?? ''
  return error === ''
    ? answer
    : { ...answer, error, description, shown: { error, error_description: description } }
}
