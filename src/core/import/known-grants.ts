import type { GrantId } from '../../contract/ids.ts'
import type { GrantVault } from '../grants/grant-vault.ts'
import type { GrantSecret } from '../ports/identity.ts'
import type { ImportStore } from '../ports/import.ts'
import type { GrantRecord, SeenTokenState } from '../ports/records.ts'
import type { ApplicationId } from '../../contract/ids.ts'
import type { SeenTokenKey } from '../ports/stores.ts'
import type { Candidate } from './resolve-row.ts'

/** What the database holds of the rows of a batch. */
export interface KnownGrants {
  /** the grant of the row's mailbox */
  grantOf(candidate: Candidate): GrantRecord | undefined
  /** state of the row's refresh token */
  tokenOf(candidate: Candidate): SeenTokenState | undefined
  isIdTaken(id: GrantId): boolean
  ownerOfAccountId(accountId: string): GrantId | undefined
  /** the stored secret of a grant; undefined where it has none or was not looked for */
  secretOf(id: GrantId): GrantSecret | undefined
}

/** Looks a batch up by mailbox, refresh token, grant id and account id: one query each. */
export async function lookUp(
  deps: { readonly imports: ImportStore; readonly grantVault: GrantVault },
  applicationId: ApplicationId,
  candidates: readonly Candidate[],
): Promise<KnownGrants> {
  const { imports } = deps
  const [grants, tokens, takenIds, accountIds] = await Promise.all([
    imports.findByMailboxes(
      applicationId,
      candidates.map(({ emailKey }) => emailKey),
    ),
    imports.findSeenTokens(
      applicationId,
      candidates.flatMap(({ token }) => (token ? [token.digest] : [])),
    ),
    imports.findTakenIds(candidates.flatMap(({ row }) => row.grantId ?? [])),
    imports.findAccountIds(
      applicationId,
      candidates.flatMap(({ row }) => row.accountId ?? []),
    ),
  ])
  const byMailbox = new Map(grants.map((grant) => [mailboxKey(grant.provider, grant.emailKey), grant]))
  const byToken = new Map(tokens.map((token) => [tokenKey(token), token.state]))
  const grantOf = (candidate: Candidate) => byMailbox.get(mailboxKey(candidate.module.id, candidate.emailKey))
  // Refresh tokens are known by their digests; what else a grant signs in with is opened and compared.
  const compared = candidates.flatMap((candidate) => {
    const grant = candidate.token || !candidate.input ? undefined : grantOf(candidate)
    return grant ? [grant.id] : []
  })
  const secrets = new Map<GrantId, GrantSecret>()
  for (const record of await imports.findSecrets(compared)) {
    secrets.set(record.grantId, await deps.grantVault.secret(record))
  }
  return {
    grantOf,
    tokenOf: ({ token }) => (token ? byToken.get(tokenKey(token)) : undefined),
    isIdTaken: (id) => takenIds.has(id),
    ownerOfAccountId: (accountId) => accountIds.get(accountId),
    secretOf: (id) => secrets.get(id),
  }
}

/** What tells mailboxes of an application apart. */
export function mailboxKey(provider: string, emailKey: string): string {
  return `${provider} ${emailKey}`
}

/** What tells refresh tokens of an application apart. */
export function tokenKey(key: Pick<SeenTokenKey, 'provider' | 'clientId' | 'digest'>): string {
  return `${key.provider} ${key.digest} ${key.clientId}`
}
