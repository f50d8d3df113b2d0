import type { TokenAnswer } from './answer.ts'

const ERRORS = 'developer.yahoo.com/oauth2/guide/errors'
const TROUBLE = 'developer.yahoo.com/oauth2/guide/openid_connect/troubleshooting.html'

export const YAHOO_ANSWERS: readonly TokenAnswer[] = [
  {
    status: 400,
    body: { error_description: 'Failed to decode/encode refresh token', error: 'INVALID_REFRESH_TOKEN' },
    kind: 'grant-revoked',
    reason: 'refresh_token_refused',
    source: 'josuebrunel/yahoo-oauth#51',
  },
  {
    status: 401,
    body: { error: 'INVALID_GRANT', error_description: 'An invalid or expired token was provided.' },
    kind: 'grant-revoked',
    reason: 'refresh_token_refused',
    source: ERRORS,
  },
  {
    status: 400,
    body: { error: 'invalid_grant', error_description: 'Invalid refresh token' },
    kind: 'grant-revoked',
    reason: 'refresh_token_refused',
    source: ERRORS,
  },
  {
    status: 401,
    body: { error: 'TOKEN_EXPIRED', error_description: 'The provided refresh token has expired.' },
    kind: 'grant-revoked',
    reason: 'refresh_token_expired',
    source: ERRORS,
  },
  {
    status: 403,
    body: { error: 'ACCOUNT_NOT_AUTHORIZED', error_description: 'The user has not authorized the client.' },
    kind: 'grant-revoked',
    reason: 'access_revoked',
    source: ERRORS,
  },
  {
    status: 401,
    body: { error: 'UNDERAGE_USER', error_description: 'The user is a minor.' },
    kind: 'grant-revoked',
    reason: 'account_not_allowed',
    source: ERRORS,
  },
  {
    status: 400,
    body: { error: 'INVALID_CLIENT', error_description: 'An invalid Client ID was provided.' },
    kind: 'client-misconfigured',
    reason: 'client_refused',
    source: ERRORS,
  },
  {
    status: 401,
    body: { error: 'INVALID_CLIENT_SECRET', error_description: 'An invalid Client Secret was provided.' },
    kind: 'client-misconfigured',
    reason: 'client_refused',
    source: ERRORS,
  },
  {
    status: 400,
    body: { error: 'INVALID_INPUT', error_description: 'client id cannot be empty' },
    kind: 'client-misconfigured',
    reason: 'client_refused',
    source: 'ApacheEx/CodeIgniter-HybridAuth#13',
  },
  {
    status: 400,
    body: {
      error: {
        localizedMessage: 'client request is not acceptable or not supported',
        errorId: 'INVALID_INPUT',
        message: 'client request is not acceptable or not supported',
      },
    },
    kind: 'client-misconfigured',
    reason: 'request_refused',
    source: 'public reports of the nested shape',
  },
  {
    status: 401,
    body: { error: 'INVALID_CALLBACK', error_description: 'The redirect_uri does not match the Client ID.' },
    kind: 'client-misconfigured',
    reason: 'request_refused',
    source: ERRORS,
  },
  {
    status: 400,
    body: { error: 'PARAMETER_ABSENT', error_description: 'A required parameter is missing.' },
    kind: 'client-misconfigured',
    reason: 'request_refused',
    source: ERRORS,
  },
  {
    status: 400,
    body: {
      error_description: 'refresh token parameter cannot be empty for refresh_token grant type',
      error: 'invalid_request',
    },
    kind: 'invalid-request',
    source: TROUBLE,
  },
  {
    status: 400,
    body: { error: 'ERROR_HANDLING_REQUEST', error_description: 'Error handling request.' },
    kind: 'unavailable',
    reason: 'service_failed',
    source: TROUBLE,
  },
  {
    status: 500,
    body: { error: 'INVALID_REFRESH_TOKEN' },
    kind: 'unavailable',
    source: 'a failing service says nothing about the user',
  },
  {
    status: 999,
    body: '<html>Unable to process request at this time -- error 999</html>',
    headers: { 'content-type': 'text/html' },
    kind: 'unavailable',
    source: 'Yahoo’s own status for a blocked address; public reports',
  },
  {
    status: 400,
    body: { error: { errorId: 7, message: [] } },
    kind: 'unavailable',
    source: 'a shape nobody promised',
  },
]
