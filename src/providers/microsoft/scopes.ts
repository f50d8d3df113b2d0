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

/** What naming the account and a refresh token need: asked for with every sign-in (contract/auth.md 10.1). */
const IDENTITY_SCOPES: readonly string[] = ['openid', 'profile', 'email', 'offline_access']

/**
 * The `scope` of a sign-in: what is asked for, in full, with what identifying needs. `.default` (all that is
 * registered with the app) allows no other scope of Graph beside it. The consent page takes scopes of several
 * resources, the token endpoint those of one.
 * @see learn.microsoft.com/entra/identity-platform/scopes-oidc (checked 2026-11)
 */
export function signInScope(resource: string, scopes: readonly string[], leg: 'authorize' | 'token'): string {
  const asked = normalizeScopes([...scopes, 'User.Read'])
  const graph = scopes.some(isDefault)
    ? ['.default']
    : asked.filter((scope) => !isForeign(scope) && !OPENID_SCOPES.has(scope))
  const foreign = leg === 'authorize' ? asked.filter(isForeign) : []
  return [...graph.map((scope) => `${resource}/${scope}`), ...foreign, ...IDENTITY_SCOPES].join(' ')
}

function isDefault(scope: string): boolean {
  return normalizeScope(scope).toLowerCase() === '.default'
}

/** Of another resource than Graph, for example `https://outlook.office.com/IMAP.AccessAsUser.All`. */
function isForeign(scope: string): boolean {
  return scope.includes('://')
}
