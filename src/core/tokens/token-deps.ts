import type { Clock } from '../../kit/clock.ts'
import type { Ids } from '../../kit/ids.ts'
import type { Logger } from '../../kit/logger.ts'
import type { ApiKeyService } from '../ports/services.ts'
import type { Database } from '../ports/stores.ts'
import type { Vault } from '../ports/vault.ts'

/** What the tokens of ours are made of. */
export interface TokenDeps {
  readonly database: Database
  readonly vault: Vault
  readonly apiKeys: Pick<ApiKeyService, 'authenticate'>
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Logger
  /** The address clients use, without a slash at its end: `iss` of id tokens. Known only once the server listens. */
  readonly issuer: () => string
  /**
   * Limits attempts at `connect/token`. `admit` is asked before anything is looked up and throws (429) when there
   * were too many; `refused` hears of each attempt that failed by the client's fault.
   */
  readonly attempts?: {
    admit(attempt: TokenAttempt): Promise<void>
    refused(attempt: TokenAttempt): Promise<void>
  }
}

interface TokenAttempt {
  readonly clientId: string
  /** null where the caller is not known by one */
  readonly ip: string | null
}
