const PREFIX = 'https://www.googleapis.com/auth/'

/** Google's token answer writes these two short (contract/auth.md 10.1). */
const ALIASES: { readonly [alias: string]: string } = {
  email: `${PREFIX}userinfo.email`,
  profile: `${PREFIX}userinfo.profile`,
}

/** What naming the account needs (contract/auth.md 10.1): asked for with every sign-in. */
export const IDENTITY_SCOPES: readonly string[] = [
  'openid',
  `${PREFIX}userinfo.email`,
  `${PREFIX}userinfo.profile`,
]

/** What a service account asks for where neither the grant nor the connector names scopes. */
export const DEFAULT_SCOPES: readonly string[] = [
  ...IDENTITY_SCOPES,
  `${PREFIX}gmail.modify`,
  `${PREFIX}calendar`,
  `${PREFIX}contacts`,
]

/** Any of these lets `settings.sendAs.list` through (Gmail reference, checked 2026-11). */
const SEND_AS_SCOPES = new Set([
  'https://mail.google.com/',
  ...['gmail.modify', 'gmail.readonly', 'gmail.settings.basic'].map((name) => PREFIX + name),
])

/**
 * Brings a scope to the form that Google's API descriptions use: fully qualified. Short names of Google scopes
 * (`gmail.readonly`) get the prefix; `openid` and URLs stay.
 */
export function normalizeScope(scope: string): string {
  const text = scope.trim()
  const alias = ALIASES[text]
  if (alias) return alias
  return text === 'openid' || text.includes(':') || text === '' ? text : PREFIX + text
}

/** Normalizes a list and drops what is said twice. */
export function normalizeScopes(scopes: readonly string[]): readonly string[] {
  return [...new Set(scopes.map(normalizeScope).filter(Boolean))]
}

/** Tells whether the grant may read its sender addresses; an unknown scope list counts as yes. */
export function mayReadSendAs(scopes: readonly string[]): boolean {
  return scopes.length === 0 || scopes.some((scope) => SEND_AS_SCOPES.has(normalizeScope(scope)))
}
