import type { ApplicationId } from '../../contract/ids.ts'
import type { ProviderName } from '../../contract/providers.ts'
import type { Secret } from '../../kit/secret.ts'
import type { SeenTokenKey } from '../ports/stores.ts'
import type { Vault } from '../ports/vault.ts'

/** The key of a refresh token in `seen_tokens`: whose it is, for which client, and its digest. */
export function seenTokenKey(
  vault: Vault,
  owner: {
    readonly applicationId: ApplicationId
    readonly provider: ProviderName
    readonly clientId: string
  },
  refreshToken: Secret,
): SeenTokenKey {
  return {
    applicationId: owner.applicationId,
    provider: owner.provider,
    clientId: owner.clientId,
    digest: vault.digest('refresh-token', refreshToken.open()),
  }
}
