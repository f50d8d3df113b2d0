import { applicationId, grantId } from '../../contract/ids.ts'
import { provesAddress } from '../../contract/oauth.ts'
import { unixSeconds } from '../../kit/clock.ts'
import type { TokenInfo } from '../ports/oauth-services.ts'
import type { GrantRecord } from '../ports/records.ts'
import { TOKEN_LIFE_SECONDS } from './issue-tokens.ts'
import type { SigningKeys } from './signing-keys.ts'
import type { TokenDeps } from './token-deps.ts'

/** Makes the id token of a grant: the claims the browser library reads (contract/auth.md 4.6). */
export function signIdToken(
  { clock, issuer }: Pick<TokenDeps, 'clock' | 'issuer'>,
  keys: SigningKeys,
  grant: GrantRecord,
): Promise<string> {
  const now = unixSeconds(clock)
  return keys.sign({
    iss: issuer(),
    aud: grant.applicationId,
    sub: grant.id,
    email: grant.email,
    email_verified: provesAddress(grant.provider),
    ...(grant.name === null ? {} : { name: grant.name }),
    provider: grant.provider,
    iat: now,
    exp: now + TOKEN_LIFE_SECONDS,
  })
}

/** Reads an id token of ours. @returns null for any other, for one that is over, and once its grant is deleted */
export async function readIdToken(
  { database }: Pick<TokenDeps, 'database'>,
  keys: SigningKeys,
  token: string,
): Promise<TokenInfo | null> {
  const claims = await keys.verify(token)
  if (!claims) return null
  const { iss, aud, sub, email, iat, exp } = claims
  // Signed by us, so these are what we wrote; the checks are for the types.
  if (typeof iss !== 'string' || typeof aud !== 'string' || typeof sub !== 'string') return null
  if (typeof email !== 'string' || iat === undefined || exp === undefined) return null
  if (!(await database.stores.grants.find(applicationId(aud), grantId(sub)))) return null
  return { iss, aud, sub, email, iat, exp }
}
