import type { TokenVerdict } from '../../protocols/oauth2/token-verdict.ts'
import { type AadstsRule, CODES, REPORTS } from './aadsts-rule.ts'
import { CONFIGURATION } from './token-configuration-rules.ts'

const LIFETIMES = 'learn.microsoft.com/entra/identity-platform/refresh-tokens'

const REAUTHENTICATE = 'Ask the user to sign in again and post the new refresh token.'
const WAIT = 'Nothing to do; it is tried again.'

const CONDITIONAL_ACCESS = {
  kind: 'grant-revoked',
  reason: 'conditional_access',
  message: 'A Conditional Access policy of the organization blocks this access.',
  advice:
    'The administrator sees the policy in the sign-in log, and must allow the app, this server’s address or the device; then the user signs in again.',
} as const

/** The user's reasons: the grant is over. */
const PERMANENT: readonly AadstsRule[] = [
  {
    codes: [70000],
    kind: 'grant-revoked',
    reason: 'refresh_token_refused',
    message: 'The refresh token is not valid: malformed, revoked, or issued to another app.',
    advice: `Give the connector the client id that the token was issued to. ${REAUTHENTICATE}`,
    source: CODES,
  },
  {
    codes: [70008, 700082],
    kind: 'grant-revoked',
    reason: 'refresh_token_idle',
    message: 'The refresh token has expired because it was not used.',
    advice: `${REAUTHENTICATE} Tokens end after 90 days without use.`,
    source: LIFETIMES,
  },
  {
    codes: [700084],
    kind: 'grant-revoked',
    reason: 'refresh_token_of_spa',
    message: 'The refresh token was issued to a single-page app and has ended after 24 hours.',
    advice:
      'Register the redirect URI as platform Web instead of Single-page application; then the user signs in again.',
    source: CODES,
  },
  {
    codes: [700081],
    kind: 'grant-revoked',
    reason: 'refresh_token_expired',
    message: 'The refresh token has reached the end of its longest life.',
    advice: REAUTHENTICATE,
    source: REPORTS,
  },
  {
    codes: [70043],
    kind: 'grant-revoked',
    reason: 'sign_in_frequency',
    message: 'The refresh token has ended: the organization requires a new sign-in after some time.',
    advice: `${REAUTHENTICATE} The administrator can exempt the app from the sign-in frequency of Conditional Access.`,
    source: CODES,
  },
  {
    codes: [50173, 50133, 50132, 50089, 50085, 50139],
    kind: 'grant-revoked',
    reason: 'access_revoked',
    message: 'The refresh token was revoked: sessions revoked, or password changed.',
    advice: REAUTHENTICATE,
    source: CODES,
  },
  {
    codes: [50057],
    kind: 'grant-revoked',
    reason: 'account_disabled',
    message: 'The user account is disabled.',
    advice: 'An administrator must enable the account; then the user signs in again.',
    source: CODES,
  },
  {
    codes: [50034, 51004, 16003],
    kind: 'grant-revoked',
    reason: 'account_gone',
    message: 'The user account does not exist in this organization (any more).',
    advice: 'Check the tenant of the connector; the account may have been deleted.',
    source: CODES,
  },
  {
    codes: [50055, 50144, 50056, 50125, 50135],
    kind: 'grant-revoked',
    reason: 'password_expired',
    message: 'The password of the user has expired or must be set anew.',
    advice: 'The user must set a new password and sign in again.',
    source: CODES,
  },
  {
    codes: [65001, 65004, 90094, 90095, 9002341],
    kind: 'grant-revoked',
    reason: 'consent_missing',
    message: 'Nobody has consented to what the app asks for, or the consent was withdrawn.',
    advice:
      'Send the user through consent again; where the organization demands it, an administrator must consent.',
    source: CODES,
  },
  {
    codes: [50105],
    kind: 'grant-revoked',
    reason: 'user_not_assigned',
    message: 'The user is not assigned to the app.',
    advice:
      'An administrator must assign the user under Enterprise applications, or switch off "Assignment required".',
    source: CODES,
  },
  {
    codes: [50072, 50074, 50076, 50078, 50079, 50158, 53004, 53010, 700020],
    kind: 'grant-revoked',
    reason: 'second_factor_required',
    message: 'The organization requires multi-factor authentication.',
    advice: `${REAUTHENTICATE} The user must pass (or first set up) the second factor.`,
    source: CODES,
  },
  {
    codes: [500121],
    kind: 'grant-revoked',
    reason: 'second_factor_required',
    message: 'The organization requires multi-factor authentication.',
    advice: `${REAUTHENTICATE} The user must pass (or first set up) the second factor.`,
    source: REPORTS,
  },
  {
    codes: [
      53000, 53001, 53002, 53003, 53011, 50005, 50097, 50127, 50129, 50131, 50155, 50187, 530032, 530034,
      530035,
    ],
    ...CONDITIONAL_ACCESS,
    source: CODES,
  },
  {
    codes: [530002, 530003, 530004],
    ...CONDITIONAL_ACCESS,
    source: REPORTS,
  },
  {
    codes: [500212, 500213],
    kind: 'grant-revoked',
    reason: 'cross_tenant_policy',
    message: 'A cross-tenant access policy of one of the organizations blocks this access.',
    advice: 'Both administrators must allow the app and the user in their cross-tenant access settings.',
    source: CODES,
  },
  {
    codes: [50020, 90072, 50014, 16000],
    kind: 'grant-revoked',
    reason: 'wrong_tenant',
    message: 'The account belongs to another tenant than the one the connector names.',
    advice: 'Set the connector’s tenant to common or to the account’s own; then the user signs in again.',
    source: CODES,
  },
]

/** Passing states: it is tried again, and the current token is served as long as it lives. */
const TRANSIENT: readonly AadstsRule[] = [
  {
    codes: [50196, 90055, 90024],
    kind: 'rate-limited',
    reason: 'throttled',
    message: 'Microsoft is throttling the token requests of this app.',
    advice: WAIT,
    source: CODES,
  },
  {
    codes: [90025],
    kind: 'rate-limited',
    reason: 'throttled',
    message: 'Microsoft is throttling the token requests of this app.',
    advice: WAIT,
    source: REPORTS,
  },
  {
    codes: [50000, 50033, 50087, 50088, 40010, 70012, 90006, 90012, 90033, 90090, 90091],
    kind: 'unavailable',
    reason: 'service_failed',
    message: 'Microsoft’s sign-in service failed; it may work again shortly.',
    advice: WAIT,
    source: CODES,
  },
  {
    codes: [50053],
    kind: 'unavailable',
    reason: 'account_locked',
    message: 'Microsoft has locked the account for a while, or blocks this server’s address.',
    advice:
      'It is tried again. If it stays, the administrator finds the cause in the sign-in log under error 50053.',
    source: CODES,
  },
  {
    // contract/auth.md 10.3 counts it as passing; Microsoft's page says that the tenant must authorize the app.
    codes: [90099],
    kind: 'unavailable',
    reason: 'not_authorized_in_tenant',
    message: 'Microsoft does not let the app into this tenant at the moment.',
    advice: 'It is tried again. If it stays, an administrator of the tenant must authorize the app.',
    source: CODES,
  },
]

/** Errors of Microsoft's token endpoint by AADSTS number (contract/auth.md 10.3). Each number stands once. */
export const AADSTS_RULES: readonly AadstsRule[] = [...PERMANENT, ...CONFIGURATION, ...TRANSIENT]

const REFUSED = 'learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow'

/** For numbers that nobody has written down: the OAuth error says whose turn it is. */
export const OAUTH_RULES: { readonly [error: string]: TokenVerdict } = {
  invalid_grant: {
    kind: 'grant-revoked',
    reason: 'refresh_token_refused',
    message: 'Microsoft does not accept the refresh token.',
    advice: `Give the connector the client id that the token was issued to. ${REAUTHENTICATE}`,
    source: REFUSED,
  },
  interaction_required: {
    kind: 'grant-revoked',
    reason: 'interaction_required',
    message: 'Microsoft wants the user to sign in again.',
    advice: REAUTHENTICATE,
    source: REFUSED,
  },
  login_required: {
    kind: 'grant-revoked',
    reason: 'interaction_required',
    message: 'Microsoft wants the user to sign in again.',
    advice: REAUTHENTICATE,
    source: REFUSED,
  },
  consent_required: {
    kind: 'grant-revoked',
    reason: 'consent_missing',
    message: 'The consent of the user is missing.',
    advice:
      'Send the user through consent again; where the organization demands it, an administrator must consent.',
    source: REFUSED,
  },
}

/** 65001 after a scope that was Grantway's choice says nothing about the user (contract/auth.md 10.2). */
export const NOTHING_CONSENTED: TokenVerdict = {
  kind: 'client-misconfigured',
  reason: 'consent_unknown',
  message: 'Nobody has consented to anything that the app may ask for by default.',
  advice:
    'Add the API permissions of Microsoft Graph to the app in Entra, name the scopes in the connector, and send the users through consent.',
  source: 'contract/auth.md 10.2',
}
