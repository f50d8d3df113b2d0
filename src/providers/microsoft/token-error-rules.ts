import type { ProviderErrorKind } from '../../kit/provider-error.ts'

/** One line of the table: what an AADSTS number means for the grant. */
export interface TokenErrorRule {
  readonly codes: readonly number[]
  readonly kind: ProviderErrorKind
  readonly message: string
  readonly advice: string
  /** Where this is documented or was reported; checked 2026-11. */
  readonly source: string
}

const CODES = 'learn.microsoft.com/entra/identity-platform/reference-error-codes'
const LIFETIMES = 'learn.microsoft.com/entra/identity-platform/refresh-tokens'
const SCOPES = 'learn.microsoft.com/entra/identity-platform/scopes-oidc'
const SECRETS = 'learn.microsoft.com/entra/identity-platform/how-to-add-credentials'

const REAUTHENTICATE = 'Ask the user to sign in again and post the new refresh token.'
const SECRET =
  'Create a new secret in Entra under Certificates & secrets, and update the connector with its value (not its id).'

const REVOKED: readonly TokenErrorRule[] = [
  {
    codes: [70000],
    kind: 'grant-revoked',
    message: 'The refresh token is not valid: malformed, or issued to another app.',
    advice: `Give the connector the client id that the token was issued to. ${REAUTHENTICATE}`,
    source: CODES,
  },
  {
    codes: [70008, 700082],
    kind: 'grant-revoked',
    message: 'The refresh token has expired because it was not used.',
    advice: `${REAUTHENTICATE} Tokens end after 90 days without use.`,
    source: LIFETIMES,
  },
  {
    codes: [700084],
    kind: 'grant-revoked',
    message: 'The refresh token was issued to a single-page app and has ended after 24 hours.',
    advice:
      'Register the redirect URI as platform Web instead of Single-page application; then the user signs in again.',
    source: LIFETIMES,
  },
  {
    codes: [700081],
    kind: 'grant-revoked',
    message: 'The refresh token has reached the end of its longest life.',
    advice: REAUTHENTICATE,
    source: CODES,
  },
  {
    codes: [70043],
    kind: 'grant-revoked',
    message: 'The refresh token has ended: the organization requires a new sign-in after some time.',
    advice: `${REAUTHENTICATE} The administrator can exempt the app from the sign-in frequency of Conditional Access.`,
    source: CODES,
  },
  {
    codes: [50173, 50133, 50132],
    kind: 'grant-revoked',
    message: 'The refresh token was revoked: sessions revoked, or password changed.',
    advice: REAUTHENTICATE,
    source: CODES,
  },
  {
    codes: [50057],
    kind: 'grant-revoked',
    message: 'The user account is disabled.',
    advice: 'An administrator must enable the account; then the user signs in again.',
    source: CODES,
  },
  {
    codes: [50034],
    kind: 'grant-revoked',
    message: 'The user account does not exist in this organization (any more).',
    advice: 'Check the tenant of the connector; the account may have been deleted.',
    source: CODES,
  },
  {
    codes: [50055, 50144],
    kind: 'grant-revoked',
    message: 'The password of the user has expired.',
    advice: 'The user must set a new password and sign in again.',
    source: CODES,
  },
  {
    codes: [65001, 65004, 90094],
    kind: 'grant-revoked',
    message: 'Nobody has consented to what the app asks for, or the consent was withdrawn.',
    advice:
      'Send the user through consent again; where the organization demands it, an administrator must consent.',
    source: SCOPES,
  },
  {
    codes: [50105],
    kind: 'grant-revoked',
    message: 'The user is not assigned to the app.',
    advice:
      'An administrator must assign the user under Enterprise applications, or switch off "Assignment required".',
    source: CODES,
  },
  {
    codes: [50076, 50079, 50078, 50074, 50072, 500121, 50158],
    kind: 'grant-revoked',
    message: 'The organization requires multi-factor authentication.',
    advice: `${REAUTHENTICATE} The user must pass (or first set up) the second factor.`,
    source: CODES,
  },
  {
    codes: [53003, 530003, 530002, 530004, 530032, 53000, 53001, 53002, 50131, 50097],
    kind: 'grant-revoked',
    message: 'A Conditional Access policy of the organization blocks this access.',
    advice:
      'The administrator sees the policy in the sign-in log, and must allow the app, this server’s address or the device.',
    source: CODES,
  },
  {
    codes: [50020, 90072],
    kind: 'grant-revoked',
    message: 'The account belongs to another tenant than the one the connector names.',
    advice: 'Set the connector’s tenant to common or to the account’s own; then the user signs in again.',
    source: CODES,
  },
]

const MISCONFIGURED: readonly TokenErrorRule[] = [
  {
    codes: [7000215, 70002, 700212],
    kind: 'client-misconfigured',
    message: 'Microsoft rejected the connector’s client secret.',
    advice: SECRET,
    source: SECRETS,
  },
  {
    codes: [7000222],
    kind: 'client-misconfigured',
    message: 'The connector’s client secret has expired.',
    advice: SECRET,
    source: SECRETS,
  },
  {
    codes: [7000216, 7000218, 7000219],
    kind: 'client-misconfigured',
    message: 'Microsoft wants a client secret from this app and got none.',
    advice: SECRET,
    source: CODES,
  },
  {
    codes: [700025, 90023],
    kind: 'client-misconfigured',
    message: 'The app is registered as a public client, which may not send a secret.',
    advice: 'Register the redirect URI as platform Web; then users sign in again.',
    source: CODES,
  },
  {
    codes: [700016],
    kind: 'client-misconfigured',
    message: 'The app does not exist in this tenant.',
    advice:
      'Compare client_id and tenant with Entra. An app for several organizations needs an administrator’s consent in each.',
    source: CODES,
  },
  {
    codes: [7000112, 7000114, 500014],
    kind: 'client-misconfigured',
    message: 'The app, or its access to Graph, is disabled.',
    advice: 'Enable it in Entra under Enterprise applications.',
    source: CODES,
  },
  {
    codes: [50194],
    kind: 'client-misconfigured',
    message: 'The app serves one organization only and was asked for through a shared address.',
    advice: 'Set the connector’s tenant to the directory id, or make the app multitenant.',
    source: CODES,
  },
  {
    codes: [50011],
    kind: 'client-misconfigured',
    message: 'The redirect URI is not registered with the app.',
    advice: 'Add it in Entra under Authentication, platform Web, character by character.',
    source: CODES,
  },
  {
    codes: [90002, 90019, 50059],
    kind: 'client-misconfigured',
    message: 'The tenant of the connector does not exist.',
    advice:
      'Set tenant to the directory id that Entra shows, a verified domain, common, organizations or consumers.',
    source: CODES,
  },
  {
    codes: [9001023, 9002331, 9002332, 9002346, 9002341],
    kind: 'client-misconfigured',
    message: 'The app does not serve this kind of account at this tenant.',
    advice:
      'Set the connector’s tenant to what "Supported account types" of the app says: consumers, organizations, common or a directory id.',
    source: CODES,
  },
  {
    codes: [70011, 28000, 28002, 28003, 65002, 650053, 650057, 500011, 65005],
    kind: 'client-misconfigured',
    message: 'A requested scope does not exist or was not set up for the app.',
    advice: 'Compare the scopes of the connector with the API permissions of the app in Entra.',
    source: SCOPES,
  },
  {
    codes: [900144, 90009, 9002313, 90014, 90013, 900023, 7000217],
    kind: 'client-misconfigured',
    message: 'Microsoft calls the request malformed: client id, tenant or scope is not well-formed.',
    advice: 'Check client_id, tenant and scopes of the connector.',
    source: CODES,
  },
  {
    codes: [700027, 700024, 50013],
    kind: 'client-misconfigured',
    message: 'Microsoft does not accept the app’s signed assertion.',
    advice: 'Set this server’s clock (NTP), and use a client secret.',
    source: CODES,
  },
  {
    codes: [70001],
    kind: 'client-misconfigured',
    message: 'The app is not known to Microsoft.',
    advice: 'Compare client_id with Entra; use the application id, not the object id.',
    source: CODES,
  },
]

const PASSING: readonly TokenErrorRule[] = [
  {
    codes: [50196, 90024, 90025, 900561],
    kind: 'rate-limited',
    message: 'Microsoft is throttling the token requests of this app.',
    advice: 'Nothing to do; it is tried again.',
    source: CODES,
  },
  {
    codes: [90033, 90099, 90006, 70012, 50000, 90051, 500082],
    kind: 'unavailable',
    message: 'Microsoft’s sign-in service failed; it may work again shortly.',
    advice: 'Nothing to do; it is tried again.',
    source: CODES,
  },
]

/** Errors of Microsoft's token endpoint by AADSTS number (contract/auth.md 10.3). Each number stands once. */
export const TOKEN_ERROR_RULES: readonly TokenErrorRule[] = [...REVOKED, ...MISCONFIGURED, ...PASSING]
