import { ProviderError } from '../../kit/provider-error.ts'

/**
 * Where Microsoft is reached; one field per `GRANTWAY_MICROSOFT_*_URL` variable. Set by the operator, so trusted.
 * The first three are templates with `{tenant}`; `/v1.0/…` is added to the last.
 */
export interface MicrosoftEndpoints {
  readonly authorizeUrl: string
  readonly tokenUrl: string
  readonly adminConsentUrl: string
  readonly graphUrl: string
}

/** A directory id, a verified domain, or one of `common`, `organizations`, `consumers`. */
export const TENANT_PATTERN = '^[A-Za-z0-9][A-Za-z0-9.-]{0,252}$'
const TENANT = new RegExp(TENANT_PATTERN)

/** Tenants that stand for "whoever signs in"; an app can't act in them without a user. */
const SHARED_TENANTS = new Set(['common', 'organizations', 'consumers'])

/**
 * Puts the tenant into a URL template.
 * @throws ProviderError `client-misconfigured` for text that is no tenant
 */
export function forTenant(template: string, tenant: string): string {
  if (!TENANT.test(tenant)) {
    throw new ProviderError('client-misconfigured', 'The tenant of the connector is not a tenant.', {
      advice: 'Set tenant to a directory id, a verified domain, common, organizations or consumers.',
      answered: true,
    })
  }
  return template.replaceAll('{tenant}', encodeURIComponent(tenant))
}

/** Tells a tenant of one organization from the names that stand for all of them. */
export function isOwnTenant(tenant: string): boolean {
  return !SHARED_TENANTS.has(tenant.toLowerCase())
}

/** Base address of Graph's version 1.0, without a slash at its end. */
export function graphBase(endpoints: MicrosoftEndpoints): string {
  return `${endpoints.graphUrl.replace(/\/+$/, '')}/v1.0`
}

/** Graph of the national clouds (learn.microsoft.com/graph/deployments, checked 2026-11). */
const GRAPH_HOSTS = new Set([
  'graph.microsoft.com',
  'graph.microsoft.us',
  'dod-graph.microsoft.us',
  'microsoftgraph.chinacloudapi.cn',
])

/**
 * The resource that scopes are prefixed with. It is a name, not an address: behind a proxy or in tests it stays
 * that of the world-wide cloud.
 */
export function graphResource(endpoints: MicrosoftEndpoints): string {
  const { hostname } = new URL(endpoints.graphUrl)
  return `https://${GRAPH_HOSTS.has(hostname) ? hostname : 'graph.microsoft.com'}`
}
