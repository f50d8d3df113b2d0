import { isJsonObject, numberField, stringField } from '../../kit/json.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import type { TokenErrorAnswer } from '../../protocols/oauth2/token-request.ts'
import { adviceOf, judgeByRules, type TokenErrorRule } from '../../protocols/oauth2/token-verdict.ts'

const OAUTH = 'developers.zoom.us/docs/integrations/oauth'
const MESSAGES = 'developers.zoom.us/docs/integrations/oauth-error-messages'
const CLIENT =
  'Compare client id and secret with the app in the Zoom App Marketplace, and update the connector.'
const REAUTHENTICATE = 'Send the user through consent again and post the new refresh token.'

const CLIENT_REFUSED = {
  kind: 'client-misconfigured',
  reason: 'client_refused',
  message: 'Zoom rejected the connector’s client id or secret.',
  advice: CLIENT,
  source: MESSAGES,
} as const satisfies TokenErrorRule

/** Errors of Zoom's token endpoint (contract/auth.md 10.3). Its words stand in `reason`. Most special first. */
export const ZOOM_TOKEN_RULES: readonly TokenErrorRule[] = [
  {
    words: /invalid token/i,
    kind: 'grant-revoked',
    reason: 'refresh_token_spent',
    message:
      'Zoom does not accept the refresh token: it was used before, has expired, or the app was removed.',
    advice: `A refresh token of Zoom works once: nothing but this server may use it. ${REAUTHENTICATE}`,
    source:
      'public reports of {"reason":"Invalid Token!"} with error invalid_grant (raycast/extensions#10896) and invalid_request',
  },
  {
    words: /token has been revoked/i,
    kind: 'grant-revoked',
    reason: 'access_revoked',
    message: 'The refresh token was revoked.',
    advice: `The user or an administrator removed the app. ${REAUTHENTICATE}`,
    source: MESSAGES,
  },
  {
    words: /owner of the token does not exist/i,
    kind: 'grant-revoked',
    reason: 'account_gone',
    message: 'The user of the refresh token does not exist any more.',
    advice: 'The Zoom account was deleted or left the organization: connect the user’s present account.',
    source: MESSAGES,
  },
  {
    // A change of the app would otherwise end every grant at once.
    words: /refresh token invalid/i,
    kind: 'client-misconfigured',
    reason: 'scopes_changed',
    message: 'The scopes of the Zoom app are not those its users consented to.',
    advice: 'Give the app back the scopes it had, or send the users through consent again.',
    source: `${MESSAGES}, code 4711`,
  },
  {
    words: /app has been disabled/i,
    kind: 'client-misconfigured',
    reason: 'client_disabled',
    message: 'The Zoom app is disabled.',
    advice: 'Activate it in the Zoom App Marketplace.',
    source: MESSAGES,
  },
  {
    words: /invalid client|client id or client secret is missing|client id does not match/i,
    ...CLIENT_REFUSED,
  },
  {
    words: /redirect uri mismatch/i,
    kind: 'client-misconfigured',
    reason: 'request_refused',
    message: 'Zoom refused the request itself.',
    advice: 'Compare the redirect URL of the app with this server’s.',
    source: `${MESSAGES}, code 4709`,
  },
  { error: 'invalid_client', ...CLIENT_REFUSED, source: OAUTH },
  {
    error: 'unauthorized_client',
    kind: 'client-misconfigured',
    reason: 'client_not_allowed',
    message: 'The Zoom app may not use refresh tokens.',
    advice: 'Use a user-managed (general) OAuth app, and check that it is activated.',
    source: OAUTH,
  },
  {
    error: 'invalid_grant',
    kind: 'grant-revoked',
    reason: 'refresh_token_refused',
    message: 'Zoom does not accept the refresh token.',
    advice: REAUTHENTICATE,
    source: OAUTH,
  },
]

/** Judges an error answer of Zoom's token endpoint; a 5xx or 429 is never judged by its words. */
export function judgeZoomTokenError(answer: TokenErrorAnswer): ProviderError | undefined {
  return judgeByRules(ZOOM_TOKEN_RULES, answer)
}

/** Advises on a reason for which a grant died. */
export function adviseOnZoomRefusal(reason: string): string | undefined {
  return adviceOf(ZOOM_TOKEN_RULES, reason)
}

/** Codes of Zoom's API in error answers: `{"code":4711,"message":"…"}` (developers.zoom.us/docs/api/errors, checked 2026-11). */
const MISSING_SCOPE = new Set([4711, 104])

/** Makes the error of an API answer that is not a success. */
export function zoomApiError(status: number, body: unknown, retryAfter: number | undefined): ProviderError {
  const object = isJsonObject(body) ? body : {}
  const code = numberField(object, 'code')
  const message = stringField(object, 'message')?.slice(0, 2000)
  const details = {
    httpStatus: status,
    providerCode: String(code ?? status),
    providerBody: { code: code ?? status, message: message ?? `HTTP ${status}` },
    answered: true,
    ...(retryAfter === undefined ? {} : { retryAfterSeconds: retryAfter }),
  }
  if (status === 429) return new ProviderError('rate-limited', 'Zoom is throttling this account.', details)
  if (status >= 500) return new ProviderError('unavailable', `Zoom failed (${status}).`, details)
  if ((code !== undefined && MISSING_SCOPE.has(code)) || /does not contain scopes/i.test(message ?? '')) {
    return new ProviderError('scope-missing', 'The Zoom app lacks a scope.', {
      ...details,
      advice: 'Add the scope user:read:user to the app and let the user consent again.',
    })
  }
  if (status === 401 || status === 403) {
    return new ProviderError('access-refused', 'Zoom refused the access token.', details)
  }
  if (status === 404) return new ProviderError('not-found', 'The object does not exist at Zoom.', details)
  return new ProviderError('invalid-request', `Zoom refused the request (${status}).`, details)
}
