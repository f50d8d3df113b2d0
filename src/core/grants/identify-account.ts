import { appError } from '../../contract/errors.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import type { Account } from '../ports/identity.ts'
import { connectFailure } from '../provider-failure.ts'
import type { Acquired } from './acquire-tokens.ts'
import type { ConnectInput } from './connect-input.ts'

/** SDKs give up after 90 s; probes of mail servers run in parallel inside this (contract/auth.md 1.4). */
const IDENTIFY_DEADLINE_MS = 20_000

/**
 * Asks the provider whose account this is.
 * @throws AppError of contract/auth.md 2.5; whatever was exchanged before is stored and not lost
 */
export async function identifyAccount(input: ConnectInput, acquired: Acquired): Promise<Account> {
  const account = await input.module.identity
    .identify({
      client: input.client,
      secret: acquired.secret,
      tokens: acquired.tokens,
      publicSettings: input.material.publicSettings,
      signal: AbortSignal.timeout(IDENTIFY_DEADLINE_MS),
    })
    .catch((error: unknown) => {
      // A token was issued a moment ago, so a refusal here is about the account, not about the refresh token.
      const kind = acquired.tokens ? 'account' : acquired.secret.kind
      throw error instanceof ProviderError ? connectFailure(error, kind) : error
    })
  if (account.email === '') {
    throw appError('grant.invalid_authentication', 'The provider did not tell the address of the account.')
  }
  return account
}
