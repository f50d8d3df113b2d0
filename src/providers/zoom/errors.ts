import { isJsonObject, numberField, stringField } from '../../kit/json.ts'
import { ProviderError, type ProviderErrorKind } from '../../kit/provider-error.ts'
import type { TokenErrorAnswer } from '../../protocols/oauth2/token-request.ts'

/** One line of the table: the first whose conditions all hold judges the answer. */
export interface ZoomTokenRule {
  readonly error?: string
  readonly reason?: RegExp
  readonly kind: ProviderErrorKind
  readonly message: string
  readonly advice: string
  /** Where this is documented or was reported; checked 2026-11. */
  readonly source: string
}

const OAUTH = 'developers.zoom.us/docs/integrations/oauth'
const MESSAGES = 'developers.zoom.us/docs/integrations/oauth-error-messages'
const CLIENT =
  'Compare client id and secret with the app in the Zoom App Marketplace, and update the connector.'
const REAUTHENTICATE = 'Send the user through consent again and post the new refresh token.'

/** Errors of Zoom's token endpoint (contract/auth.md 10.3). Its words stand in `reason`. Most special first. */
export const ZOOM_TOKEN_RULES: readonly ZoomTokenRule[] = [
  {
    reason: /invalid token/i,
    kind: 'grant-revoked',
    message:
      'Zoom does not accept the refresh token: it was used before, has expired, or the app was removed.',
    advice: `A refresh token of Zoom works once: nothing but this server may use it. ${REAUTHENTICATE}`,
    source:
      'devforum.zoom.us, reports of {"reason":"Invalid Token!","error":"invalid_request"} and "invalid_grant"',
  },
  {
    reason: /token has been revoked|owner of the token does not exist/i,
    kind: 'grant-revoked',
    message: 'The refresh token was revoked, or its user is gone.',
    advice: REAUTHENTICATE,
    source: MESSAGES,
  },
  {
    reason: /app has been disabled/i,
    kind: 'client-misconfigured',
    message: 'The Zoom app is disabled.',
    advice: 'Activate it in the Zoom App Marketplace.',
    source: MESSAGES,
  },
  {
    reason:
      /invalid client(_?id or client_?secret)?|invalid client secret|client id or client secret is missing/i,
    kind: 'client-misconfigured',
    message: 'Zoom rejected the connector’s client id or secret.',
    advice: CLIENT,
    source: MESSAGES,
  },
  {
    error: 'invalid_client',
    kind: 'client-misconfigured',
    message: 'Zoom rejected the connector’s client id or secret.',
    advice: CLIENT,
    source: OAUTH,
  },
  {
    error: 'unauthorized_client',
    kind: 'client-misconfigured',
    message: 'The Zoom app may not use refresh tokens.',
    advice: 'Use a user-managed (general) OAuth app, and check that it is activated.',
    source: OAUTH,
  },
  {
    error: 'invalid_grant',
    kind: 'grant-revoked',
    message: 'Zoom does not accept the refresh token.',
    advice: REAUTHENTICATE,
    source: OAUTH,
  },
]

/** Judges an error answer of Zoom's token endpoint; a 5xx or 429 is never judged by its words. */
export function judgeZoomTokenError(answer: TokenErrorAnswer): ProviderError | undefined {
  if (answer.status >= 500 || answer.status === 429) return undefined
  const rule = ZOOM_TOKEN_RULES.find(
    (line) =>
      (line.error === undefined || line.error === answer.error) &&
      (line.reason === undefined || line.reason.test(answer.description)),
  )
  if (!rule) return undefined
  return new ProviderError(rule.kind, rule.message, {
    httpStatus: answer.status,
    providerCode: answer.error || 'invalid_grant',
    providerBody: answer.shown,
    advice: rule.advice,
    answered: true,
    ...(answer.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: answer.retryAfterSeconds }),
  })
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
