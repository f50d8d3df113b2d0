import { type AadstsRule, CODES, REPORTS } from './aadsts-rule.ts'

const SECRETS = 'learn.microsoft.com/entra/identity-platform/how-to-add-credentials'
const SECRET =
  'Create a new secret in Entra under Certificates & secrets, and update the connector with its value (not its id).'

const MALFORMED = {
  kind: 'client-misconfigured',
  reason: 'request_refused',
  message: 'Microsoft calls the request malformed: client id, tenant or scope is not well-formed.',
  advice: 'Check client_id, tenant and scopes of the connector.',
} as const
const SCOPE = {
  kind: 'client-misconfigured',
  reason: 'scope_unknown',
  message: 'A requested scope does not exist or was not set up for the app.',
  advice: 'Compare the scopes of the connector with the API permissions of the app in Entra.',
} as const
const ACCOUNT_KIND = {
  kind: 'client-misconfigured',
  reason: 'account_kind_not_served',
  message: 'The app does not serve this kind of account at this tenant.',
  advice:
    'Set the connector’s tenant to what "Supported account types" of the app says: consumers, organizations, common or a directory id.',
} as const
const SECRET_MISSING = {
  kind: 'client-misconfigured',
  reason: 'client_secret_missing',
  message: 'Microsoft wants a client secret from this app and got none.',
  advice: SECRET,
} as const

/** The operator's faults: the connector raises an alarm, every grant stays. */
export const CONFIGURATION: readonly AadstsRule[] = [
  {
    codes: [7000215, 70002],
    kind: 'client-misconfigured',
    reason: 'client_secret_refused',
    message: 'Microsoft rejected the connector’s client secret.',
    advice: SECRET,
    source: CODES,
  },
  {
    codes: [7000222],
    kind: 'client-misconfigured',
    reason: 'client_secret_expired',
    message: 'The connector’s client secret has expired.',
    advice: SECRET,
    source: SECRETS,
  },
  { codes: [7000218], ...SECRET_MISSING, source: CODES },
  { codes: [7000216, 7000219], ...SECRET_MISSING, source: REPORTS },
  {
    codes: [700025],
    kind: 'client-misconfigured',
    reason: 'client_is_public',
    message: 'The app is registered as a public client, which may not send a secret.',
    advice: 'Register the redirect URI as platform Web; then users sign in again.',
    source: CODES,
  },
  {
    codes: [9002327],
    kind: 'client-misconfigured',
    reason: 'client_is_spa',
    message: 'The refresh token was issued to a single-page app: only a browser may use it.',
    advice:
      'Register the redirect URI as platform Web instead of Single-page application; then users sign in again.',
    source: REPORTS,
  },
  {
    codes: [700016, 700011],
    kind: 'client-misconfigured',
    reason: 'client_not_in_tenant',
    message: 'The app does not exist in this tenant.',
    advice:
      'Compare client_id and tenant with Entra. An app for several organizations needs an administrator’s consent in each.',
    source: CODES,
  },
  {
    codes: [70001, 7000112, 1000031],
    kind: 'client-misconfigured',
    reason: 'client_disabled',
    message: 'The app is disabled, or not known to Microsoft.',
    advice:
      'Enable it in Entra under Enterprise applications; compare client_id (the application id, not the object id).',
    source: CODES,
  },
  {
    codes: [500014],
    kind: 'client-misconfigured',
    reason: 'service_disabled',
    message: 'Access to Graph is disabled in this organization.',
    advice: 'Enable Microsoft Graph in Entra under Enterprise applications; a subscription may have lapsed.',
    source: REPORTS,
  },
  {
    codes: [50194],
    kind: 'client-misconfigured',
    reason: 'client_single_tenant',
    message: 'The app serves one organization only and was asked for through a shared address.',
    advice: 'Set the connector’s tenant to the directory id, or make the app multitenant.',
    source: CODES,
  },
  {
    codes: [50011, 70004],
    kind: 'client-misconfigured',
    reason: 'redirect_uri_unknown',
    message: 'The redirect URI is not registered with the app.',
    advice: 'Add it in Entra under Authentication, platform Web, character by character.',
    source: CODES,
  },
  {
    codes: [90002, 90019, 50059, 50128],
    kind: 'client-misconfigured',
    reason: 'tenant_unknown',
    message: 'The tenant of the connector does not exist.',
    advice:
      'Set tenant to the directory id that Entra shows, a verified domain, common, organizations or consumers.',
    source: CODES,
  },
  { codes: [9001023, 9002332, 90124, 90130, 500208], ...ACCOUNT_KIND, source: CODES },
  { codes: [9002331, 9002346], ...ACCOUNT_KIND, source: REPORTS },
  {
    codes: [90038, 90051, 900382, 900432],
    kind: 'client-misconfigured',
    reason: 'national_cloud',
    message: 'The tenant belongs to another national cloud.',
    advice:
      'Set GRANTWAY_MICROSOFT_TOKEN_URL and GRANTWAY_MICROSOFT_GRAPH_URL to the addresses of that cloud.',
    source: CODES,
  },
  {
    codes: [50002, 500021, 500022],
    kind: 'client-misconfigured',
    reason: 'tenant_restricted_by_proxy',
    message: 'A proxy between this server and Microsoft lets only some tenants through.',
    advice: 'Allow the tenant in the tenant restrictions of the proxy, or send these calls past it.',
    source: CODES,
  },
  {
    codes: [70011, 28002, 28003, 50001, 500011, 65002, 65005, 650052, 650054, 650056, 650057, 700022, 700023],
    ...SCOPE,
    source: CODES,
  },
  { codes: [28000, 650053], ...SCOPE, source: REPORTS },
  {
    codes: [900144, 90004, 90008, 90009, 90013, 90014, 90023, 90100, 9002313, 900561],
    ...MALFORMED,
    source: CODES,
  },
  { codes: [900023], ...MALFORMED, source: REPORTS },
  {
    codes: [700027, 50012, 50013],
    kind: 'client-misconfigured',
    reason: 'assertion_refused',
    message: 'Microsoft does not accept the app’s signed assertion.',
    advice: 'Set this server’s clock (NTP), and use a client secret.',
    source: CODES,
  },
  {
    codes: [700024],
    kind: 'client-misconfigured',
    reason: 'assertion_refused',
    message: 'Microsoft does not accept the app’s signed assertion.',
    advice: 'Set this server’s clock (NTP), and use a client secret.',
    source: REPORTS,
  },
]
