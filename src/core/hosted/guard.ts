import { appError } from '../../contract/errors.ts'
import type { Acquired } from '../grants/acquire-tokens.ts'
import { emailKeyOf, isOtherIdentity } from '../grants/upsert-grant.ts'
import type { Account } from '../ports/identity.ts'
import type { ProviderModule } from '../ports/provider.ts'
import type { GrantRecord } from '../ports/records.ts'

/** OpenID Connect's own: providers grant them without saying so (contract/auth.md 10.1). */
const UNSAID = new Set(['openid', 'profile', 'email', 'offline_access'])

/**
 * Refuses another account than the one that is being renewed (contract/auth.md 3, `login_hint`). The same account may
 * have got a new address.
 * @throws AppError `grant.reauth_email_invalid`
 */
export function requireSameAccount(
  bound: GrantRecord | null,
  account: Account,
  acquired: Acquired | null,
): void {
  if (!bound) return
  const isKnownIdentity = bound.identityKey !== null && bound.identityKey === account.identityKey
  const isOfOther = acquired?.kind === 'granted' && acquired.grant.id !== bound.id
  if (!isOfOther && (isKnownIdentity || emailKeyOf(account.email) === bound.emailKey)) return
  throw appError(
    'grant.reauth_email_invalid',
    'Another account was signed in with than the one to be connected again.',
  )
}

/**
 * Whether the grant of an address may become that of an account: nobody re-points another's mailbox (design.md
 * section 4, "Who a grant is").
 * @param vouched  the server was named by the address's own domain
 */
export function mayTake(vouched: boolean): (existing: GrantRecord, account: Account) => boolean {
  return (existing, account) => vouched || !isOtherIdentity(existing, account)
}

/**
 * Refuses consent with something left out. Where the provider doesn't say what it granted, nothing is known to miss.
 * @throws AppError `grant.scopes_conflict`; the message names what is missing
 */
export function requireScopes(
  { connector, authorization }: Pick<ProviderModule, 'connector' | 'authorization'>,
  asked: readonly string[],
  granted: readonly string[] | undefined,
): void {
  if (!granted || granted.length === 0) return
  const normalize = (scope: string) => (connector.normalizeScope?.(scope) ?? scope).toLowerCase()
  const known = new Set(granted.map(normalize))
  const missing = asked.filter((scope) => {
    const name = normalize(scope)
    const isNamed = authorization?.namesGranted?.(scope) ?? true
    return isNamed && name !== '.default' && !UNSAID.has(name) && !known.has(name)
  })
  if (missing.length === 0) return
  throw appError(
    'grant.scopes_conflict',
    `These permissions were not granted: ${missing.slice(0, 20).join(' ')}`,
  )
}
