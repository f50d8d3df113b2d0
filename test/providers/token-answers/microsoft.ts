import type { ProviderErrorKind } from '../../../src/kit/provider-error.ts'
import { aadsts } from '../../support/fake-graph/token-endpoint.ts'
import type { TokenAnswer } from './answer.ts'

const CODES = 'learn.microsoft.com/entra/identity-platform/reference-error-codes'
const REPORTS = 'public reports'
const SCOPE = ['Mail.Read']

type Line = readonly [error: string, code: number, words: string, status?: number]

/** Bodies of one meaning, in the shape that Microsoft's page shows (error, description, codes, timestamp, ids, uri). */
function answers(kind: ProviderErrorKind, reason: string, lines: readonly Line[]): readonly TokenAnswer[] {
  return lines.map(([error, code, words, status = 400]) => ({
    status,
    body: aadsts(error, code, words),
    headers: { 'content-type': 'application/json; charset=utf-8' },
    scope: SCOPE,
    kind,
    reason,
    source: CODES,
  }))
}

const PERMANENT: readonly TokenAnswer[] = [
  ...answers('grant-revoked', 'refresh_token_refused', [
    ['invalid_grant', 70000, 'Authentication failed: Refresh Token is malformed or invalid.'],
    [
      'invalid_grant',
      70000,
      'The user could not be authenticated or user interaction is required. The user must sign in again and if needed grant the client application access to the requested scope.',
    ],
  ]),
  ...answers('grant-revoked', 'refresh_token_idle', [
    [
      'invalid_grant',
      70008,
      'The provided authorization code or refresh token has expired due to inactivity.',
    ],
    [
      'invalid_grant',
      700082,
      'The refresh token has expired due to inactivity. The token was issued on 2026-08-01T08:00:00.0000000Z and was inactive for 90.00:00:00.',
    ],
  ]),
  ...answers('grant-revoked', 'refresh_token_of_spa', [
    [
      'invalid_grant',
      700084,
      'The refresh token was issued to a single page app (SPA), and therefore has a fixed, limited lifetime of 1.00:00:00, which cannot be extended.',
    ],
  ]),
  ...answers('grant-revoked', 'refresh_token_expired', [
    ['invalid_grant', 700081, 'The refresh token has expired due to maximum lifetime.'],
  ]),
  ...answers('grant-revoked', 'sign_in_frequency', [
    [
      'invalid_grant',
      70043,
      'The refresh token has expired or is invalid due to sign-in frequency checks by conditional access.',
    ],
  ]),
  ...answers('grant-revoked', 'access_revoked', [
    [
      'invalid_grant',
      50173,
      'The provided grant has expired due to it being revoked, a fresh auth token is needed.',
    ],
    ['invalid_grant', 50133, 'Session is invalid due to expiration or recent password change.'],
    [
      'invalid_grant',
      50132,
      'The session is not valid due to password expiration or recent password change.',
    ],
  ]),
  ...answers('grant-revoked', 'account_disabled', [
    ['invalid_grant', 50057, 'The user account is disabled.'],
  ]),
  ...answers('grant-revoked', 'account_gone', [
    ['invalid_grant', 50034, 'The user account does not exist in the directory.'],
  ]),
  ...answers('grant-revoked', 'password_expired', [
    ['invalid_grant', 50055, 'The password is expired.'],
    ['interaction_required', 50125, 'Sign-in was interrupted due to a password reset or registration entry.'],
  ]),
  ...answers('grant-revoked', 'consent_missing', [
    [
      'invalid_grant',
      65001,
      "The user or administrator has not consented to use the application with ID 'app'. Send an interactive authorization request for this user and resource.",
    ],
    ['access_denied', 65004, 'User declined to consent to access the app.'],
    ['consent_required', 90094, 'Administrator consent is required.'],
  ]),
  ...answers('grant-revoked', 'user_not_assigned', [
    [
      'interaction_required',
      50105,
      'Your administrator has configured the application to block users unless they are specifically granted access.',
    ],
  ]),
  ...answers('grant-revoked', 'second_factor_required', [
    [
      'interaction_required',
      50076,
      "Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication to access '00000003-0000-0000-c000-000000000000'.",
    ],
    ['interaction_required', 50079, 'The user is required to use multi-factor authentication.'],
    ['interaction_required', 50078, 'Presented multi-factor authentication has expired due to policies.'],
    ['interaction_required', 50074, 'Strong Authentication is required.'],
    ['interaction_required', 50158, 'External security challenge not satisfied.'],
  ]),
  ...answers('grant-revoked', 'conditional_access', [
    ['invalid_grant', 53003, 'Access has been blocked by Conditional Access policies.'],
    ['invalid_grant', 530003, 'Your device is required to be managed to access this resource.'],
    ['interaction_required', 53000, 'Device is not in required device state: compliant.'],
    ['interaction_required', 53001, 'Device is not in required device state: domain_joined.'],
    ['interaction_required', 50097, 'Device authentication is required.'],
  ]),
  ...answers('grant-revoked', 'wrong_tenant', [
    [
      'invalid_grant',
      50020,
      "User account 'ada@contoso.example' from identity provider 'live.com' does not exist in tenant 'Contoso' and cannot access the application.",
    ],
    [
      'interaction_required',
      90072,
      "User account from external identity provider does not exist in tenant 'Contoso'.",
    ],
  ]),
  {
    status: 400,
    body: {
      error: 'interaction_required',
      error_description: 'AADSTS50076: MFA. Trace ID: t Correlation ID: c Timestamp: 2026-11-24 09:00:00Z',
      error_codes: [50076],
      suberror: 'basic_action',
      claims: '{"access_token":{"capolids":{"essential":true,"values":["policy"]}}}',
    },
    kind: 'grant-revoked',
    reason: 'second_factor_required',
    source: 'learn.microsoft.com/entra/identity-platform/v2-conditional-access-dev-guide',
  },
  {
    status: 400,
    body: aadsts('invalid_grant', 987654, 'A number nobody has written down.'),
    kind: 'grant-revoked',
    reason: 'refresh_token_refused',
    source: 'an unknown number under invalid_grant is an invalid_grant still (contract/auth.md 10.3)',
  },
  {
    status: 400,
    body: { error: 'invalid_grant', error_description: 'AADSTS700082: Expired.' },
    kind: 'grant-revoked',
    reason: 'refresh_token_idle',
    source: 'national clouds answer without error_codes; public reports',
  },
]

const CONFIGURATION: readonly TokenAnswer[] = [
  ...answers('client-misconfigured', 'client_secret_refused', [
    [
      'invalid_client',
      7000215,
      "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app 'app'.",
      401,
    ],
    ['invalid_client', 70002, 'Error validating credentials.', 401],
  ]),
  ...answers('client-misconfigured', 'client_secret_expired', [
    ['invalid_client', 7000222, "The provided client secret keys for app 'app' are expired.", 401],
  ]),
  ...answers('client-misconfigured', 'client_secret_missing', [
    [
      'invalid_client',
      7000218,
      "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
      401,
    ],
  ]),
  ...answers('client-misconfigured', 'client_is_public', [
    [
      'invalid_client',
      700025,
      "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.",
      401,
    ],
  ]),
  ...answers('client-misconfigured', 'client_is_spa', [
    [
      'invalid_request',
      9002327,
      "Tokens issued for the 'Single-Page Application' client-type may only be redeemed via cross-origin requests.",
    ],
  ]),
  ...answers('client-misconfigured', 'client_not_in_tenant', [
    [
      'unauthorized_client',
      700016,
      "Application with identifier 'app' was not found in the directory 'Contoso'.",
    ],
  ]),
  ...answers('client-misconfigured', 'client_disabled', [
    ['unauthorized_client', 7000112, "Application 'app'(Mailer) is disabled."],
  ]),
  ...answers('client-misconfigured', 'client_single_tenant', [
    [
      'invalid_request',
      50194,
      "Application 'app'(Mailer) is not configured as a multi-tenant application. Usage of the /common endpoint is not supported for such apps created after '10/15/2018'.",
    ],
  ]),
  ...answers('client-misconfigured', 'redirect_uri_unknown', [
    ['invalid_request', 50011, 'The redirect URI specified in the request does not match.'],
  ]),
  ...answers('client-misconfigured', 'tenant_unknown', [
    ['invalid_request', 90002, "Tenant 'contoso.example' not found."],
    ['invalid_request', 50128, 'Invalid domain name - No tenant-identifying information found.'],
  ]),
  ...answers('client-misconfigured', 'account_kind_not_served', [
    [
      'unauthorized_client',
      9002332,
      "Application 'app'(Mailer) is configured for use by Azure Active Directory users only. Please do not use the /consumers endpoint to serve this request.",
    ],
  ]),
  ...answers('client-misconfigured', 'scope_unknown', [
    ['invalid_scope', 70011, "The provided value for the input parameter 'scope' is not valid."],
    [
      'invalid_client',
      650057,
      'Invalid resource. The client has requested access to a resource which is not listed.',
    ],
  ]),
  ...answers('client-misconfigured', 'request_refused', [
    ['invalid_request', 900144, "The request body must contain the following parameter: 'scope'."],
    ['invalid_request', 90009, 'Application is requesting a token for itself.'],
    ['invalid_grant', 9002313, 'Invalid request. Request is malformed or invalid.'],
  ]),
  {
    status: 400,
    body: aadsts(
      'invalid_grant',
      65001,
      'The user or administrator has not consented to use the application.',
    ),
    kind: 'client-misconfigured',
    reason: 'consent_unknown',
    source: 'contract/auth.md 10.2: after a scope of our choosing it ends no grant',
  },
  {
    status: 400,
    body: aadsts('invalid_request', 987654, 'A number nobody has written down.'),
    kind: 'invalid-request',
    source: 'an unknown code ends no grant (design.md 2.2)',
  },
  {
    status: 401,
    body: { error: 'invalid_client' },
    kind: 'client-misconfigured',
    reason: 'client_refused',
    source: 'RFC 6749 section 5.2',
  },
]

const TRANSIENT: readonly TokenAnswer[] = [
  ...answers('rate-limited', 'throttled', [
    [
      'invalid_request',
      50196,
      'The server terminated an operation because it encountered a client request loop.',
    ],
    ['invalid_request', 90055, 'There are too many incoming requests.'],
  ]),
  ...answers('unavailable', 'service_failed', [
    ['temporarily_unavailable', 90033, 'A transient error has occurred. Please try again.'],
    ['invalid_request', 90006, 'The service is temporarily unavailable. Please retry later.'],
    ['invalid_grant', 70012, 'A server error occurred while authenticating an MSA (consumer) user.'],
  ]),
  ...answers('unavailable', 'not_authorized_in_tenant', [
    ['unauthorized_client', 90099, "The application 'app'(Mailer) has not been authorized in the tenant."],
  ]),
  ...answers('unavailable', 'account_locked', [
    [
      'invalid_grant',
      50053,
      'The account is locked, you have tried to sign in too many times with an incorrect user ID or password.',
    ],
  ]),
  {
    status: 429,
    body: aadsts('invalid_grant', 700082, 'x'),
    headers: { 'retry-after': '120' },
    kind: 'rate-limited',
    retryAfterSeconds: 120,
    source: 'a throttling service says nothing about the user',
  },
  {
    status: 503,
    body: aadsts('temporarily_unavailable', 90033, 'The service is temporarily unavailable.'),
    kind: 'unavailable',
    source: REPORTS,
  },
  {
    status: 500,
    body: { error: 'server_error', error_description: 'AADSTS50000: There was an error issuing a token.' },
    kind: 'unavailable',
    source: CODES,
  },
  {
    status: 400,
    body: { error: 'temporarily_unavailable', error_description: 'Try again.' },
    kind: 'unavailable',
    source: 'RFC 6749 section 4.1.2.1, as Microsoft’s page lists it',
  },
  {
    status: 503,
    body: '<html><body>Our services aren’t available right now</body></html>',
    headers: { 'content-type': 'text/html' },
    kind: 'unavailable',
    source: 'the front door’s page',
  },
]

export const MICROSOFT_ANSWERS: readonly TokenAnswer[] = [...PERMANENT, ...CONFIGURATION, ...TRANSIENT]
