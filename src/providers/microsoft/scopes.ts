/** Scopes of OpenID Connect: they belong to no resource and get no prefix. */
const OPENID_SCOPES = new Set(['openid', 'profile', 'email', 'offline_access'])

const GRAPH_PREFIX =
  /^https:\/\/(?:(?:dod-)?graph\.microsoft\.(?:com|us)|microsoftgraph\.chinacloudapi\.cn)\/+/i

/** Brings a scope to the form that is stored and returned: short (`Mail.Read`). Foreign resources stay whole. */
export function normalizeScope(scope: string): string {
  const short = scope.trim().replace(GRAPH_PREFIX, '')
  const lower = short.toLowerCase()
  return OPENID_SCOPES.has(lower) ? lower : short
}

/** Normalizes a list; drops doubles (compared without case) and `.default`, which says nothing about a grant. */
export function normalizeScopes(scopes: readonly string[]): readonly string[] {
  const seen = new Map<string, string>()
  for (const scope of scopes.map(normalizeScope)) {
    const key = scope.toLowerCase()
    if (key !== '' && key !== '.default' && !seen.has(key)) seen.set(key, scope)
  }
  return [...seen.values()]
}

/** What a refresh asks for where no scope is known, or where the known ones are refused: all that was consented to. */
export function defaultScope(resource: string): string {
  return `${resource}/.default offline_access`
}

/**
 * The `scope` of a refresh: the grant's Graph scopes and `offline_access`. A token is for one resource, so scopes
 * of others (`https://outlook.office.com/…`) are left out.
 * @see contract/auth.md 10.2
 */
export function refreshScope(resource: string, scopes: readonly string[]): string {
  const known = normalizeScopes(scopes).filter((scope) => !scope.includes('://'))
  const graph = known.filter((scope) => !OPENID_SCOPES.has(scope))
  if (graph.length === 0) return defaultScope(resource)
  const openid = known.filter((scope) => OPENID_SCOPES.has(scope) && scope !== 'offline_access')
  return [...graph.map((scope) => `${resource}/${scope}`), ...openid, 'offline_access'].join(' ')
}
