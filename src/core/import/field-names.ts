/** Every name a row may use, this version's and those of Nylas v2 (contract/auth.md 9). */
export const FIELD_NAMES = {
  email: ['email', 'email_address'],
  refreshToken: ['refresh_token', 'google_refresh_token', 'microsoft_refresh_token', 'yahoo_refresh_token'],
  scope: ['scope', 'scopes'],
  accountId: ['account_id', 'reauth_account_id'],
} as const

const KNOWN = new Set<string>([
  'provider',
  'settings',
  'tenant',
  'credential_id',
  'grant_id',
  'name',
  'state',
  ...Object.values(FIELD_NAMES).flat(),
])

/** Tells whether a row's field means something here. */
export function isFieldName(name: string): boolean {
  return KNOWN.has(name)
}

/** Names that a misspelt secret would have: such a row must not turn into a placeholder unseen. */
const LIKE_A_SECRET = /token|secret|passw|settings|credential/i

/** Tokens of Nylas itself that v2 customers keep beside an account: of no use here, and no misspelling. */
const OTHER_TOKENS = new Set(['access_token', 'id_token', 'token_type'])

/** Tells whether a field that is not known looks as if it held what a grant lives on. */
export function looksLikeSecret(name: string): boolean {
  return !isFieldName(name) && !OTHER_TOKENS.has(name) && LIKE_A_SECRET.test(name)
}
