import assert from 'node:assert/strict'
import { test } from 'node:test'
import { API_ERROR_RULES, googleApiError } from '../../src/providers/google/errors.ts'
import { judgeGoogleTokenError, TOKEN_ERROR_RULES } from '../../src/providers/google/token-errors.ts'

// error, error_subtype, error_description → kind; one line per line of the table, in its order.
const TOKEN_LINES: readonly [string, string | undefined, string, string][] = [
  ['invalid_grant', 'invalid_rapt', 'reauth related error (invalid_rapt)', 'grant-revoked'],
  ['invalid_grant', undefined, 'Invalid JWT Signature.', 'client-misconfigured'],
  [
    'invalid_grant',
    undefined,
    'Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.',
    'client-misconfigured',
  ],
  ['invalid_grant', undefined, 'Invalid JWT: Failed audience check.', 'client-misconfigured'],
  ['invalid_grant', undefined, 'Invalid grant: account not found', 'client-misconfigured'],
  ['invalid_grant', undefined, 'Invalid email or User ID', 'grant-revoked'],
  ['invalid_grant', undefined, 'Account has been deleted', 'grant-revoked'],
  ['invalid_grant', undefined, 'Token has been expired or revoked.', 'grant-revoked'],
  ['invalid_grant', undefined, 'Bad Request', 'grant-revoked'],
  ['admin_policy_enforced', undefined, '', 'grant-revoked'],
  [
    'unauthorized_client',
    undefined,
    'Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested.',
    'client-misconfigured',
  ],
  ['unauthorized_client', undefined, 'Unauthorized', 'grant-revoked'],
  ['invalid_client', undefined, 'The OAuth client was not found.', 'client-misconfigured'],
  ['deleted_client', undefined, '', 'client-misconfigured'],
  ['disabled_client', undefined, '', 'client-misconfigured'],
  ['org_internal', undefined, '', 'client-misconfigured'],
  ['access_denied', undefined, 'Requested client not authorized.', 'client-misconfigured'],
  ['invalid_scope', undefined, 'Empty or missing scope not allowed.', 'client-misconfigured'],
  ['rate_limit_exceeded', undefined, '', 'rate-limited'],
  ['internal_failure', undefined, '', 'unavailable'],
]

test('every line of the token table judges its own answer', () => {
  assert.equal(TOKEN_LINES.length, TOKEN_ERROR_RULES.length)
  for (const [index, [error, subtype, description, kind]] of TOKEN_LINES.entries()) {
    const body = {
      error,
      error_description: description,
      ...(subtype === undefined ? {} : { error_subtype: subtype }),
    }
    const judged = judgeGoogleTokenError({
      status: 400,
      error,
      description,
      body,
      shown: body,
      retryAfterSeconds: undefined,
    })
    assert.equal(judged?.kind, kind, `${error} ${description}`)
    assert.equal(judged.message, TOKEN_ERROR_RULES[index]!.message, `${error} ${description}`)
    assert.equal(judged.details.advice, TOKEN_ERROR_RULES[index]!.advice)
    assert.match(TOKEN_ERROR_RULES[index]!.source, /\w/)
  }
})

test('a failing service never judges the user, whatever it says', () => {
  for (const status of [429, 500, 503]) {
    const shown = { error: 'invalid_grant' }
    assert.equal(
      judgeGoogleTokenError({
        status,
        error: 'invalid_grant',
        description: '',
        body: shown,
        shown,
        retryAfterSeconds: undefined,
      }),
      undefined,
    )
  }
})

// status, reason, message → kind; one line per line of the table, in its order.
const API_LINES: readonly [number, string, string, string][] = [
  [
    400,
    'failedPrecondition',
    'Sync token is expired. Clear local cache and retry call without the sync token.',
    'not-found',
  ],
  [400, 'failedPrecondition', 'Mail service not enabled', 'invalid-request'],
  [400, 'invalidArgument', 'Invalid To header', 'rejected'],
  [400, 'invalidArgument', 'Invalid label: x', 'invalid-request'],
  [401, 'authError', 'Invalid Credentials', 'access-refused'],
  [403, 'quotaExceeded', 'Quota exceeded', 'quota-exhausted'],
  [403, 'userRateLimitExceeded', 'User Rate Limit Exceeded', 'rate-limited'],
  [403, 'accessNotConfigured', 'Gmail API has not been used in project', 'client-misconfigured'],
  [403, 'domainPolicy', 'The domain administrators have disabled Gmail apps.', 'access-refused'],
  [403, 'insufficientPermissions', 'Insufficient Permission', 'scope-missing'],
  [403, 'forbidden', "Metadata scope does not support 'q' parameter", 'scope-missing'],
  [403, 'requiredAccessLevel', 'You need to have writer access to this calendar.', 'invalid-request'],
  [403, 'forbidden', 'Delegation denied for ada@sandbox.example', 'access-refused'],
  [404, 'notFound', 'Requested entity was not found.', 'not-found'],
  [409, 'duplicate', 'The requested identifier already exists.', 'conflict'],
  [410, 'fullSyncRequired', 'Sync token is no longer valid', 'not-found'],
  [412, 'conditionNotMet', 'Precondition Failed', 'conflict'],
  [413, 'uploadTooLarge', 'too large', 'too-large'],
  [429, 'dailyLimitExceeded', 'Daily Limit Exceeded', 'quota-exhausted'],
  [429, 'rateLimitExceeded', 'Too many concurrent requests for user', 'rate-limited'],
]

test('every line of the API table judges its own answer', () => {
  assert.equal(API_LINES.length, API_ERROR_RULES.length)
  for (const [index, [status, reason, message, kind]] of API_LINES.entries()) {
    const error = {
      code: status,
      message,
      errors: [{ domain: 'global', reason, message, secret: 'x' }],
      extra: 1,
    }
    const judged = googleApiError({ status, text: JSON.stringify({ error }), nowMs: 0 })
    assert.equal(judged.kind, kind, `${status} ${reason}`)
    assert.equal(judged.message, API_ERROR_RULES[index]!.text, `${status} ${reason} ${message}`)
    assert.deepEqual(judged.details.providerBody, {
      code: status,
      message,
      errors: [{ domain: 'global', reason, message }],
    })
  }
})

test('reasons of ErrorInfo count as those of errors[]', () => {
  const text = JSON.stringify({
    error: {
      code: 403,
      message: 'm',
      status: 'PERMISSION_DENIED',
      details: [{ reason: 'SERVICE_DISABLED' }],
    },
  })
  assert.equal(googleApiError({ status: 403, text, nowMs: 0 }).kind, 'client-misconfigured')
})

test('a sending limit tells its end in words', () => {
  const text = JSON.stringify({
    error: { code: 429, message: 'User-rate limit exceeded.  Retry after 2026-11-24T09:00:30.500Z' },
  })
  const judged = googleApiError({ status: 429, text, nowMs: Date.parse('2026-11-24T09:00:00Z') })
  assert.equal(judged.details.retryAfterSeconds, 31)
})

test('answers without Google’s JSON are judged by their status', () => {
  const kinds = [302, 403, 418, 502].map(
    (status) => googleApiError({ status, text: '<html>', nowMs: 0 }).kind,
  )
  assert.deepEqual(kinds, ['malformed-response', 'access-refused', 'invalid-request', 'unavailable'])
})
