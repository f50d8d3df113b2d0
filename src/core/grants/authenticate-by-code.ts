import { appError } from '../../contract/errors.ts'
import { ProviderError } from '../../kit/provider-error.ts'
import type { Account, ProviderClient, Tokens } from '../ports/identity.ts'
import type { GrantRecord } from '../ports/records.ts'
import { connectFailure } from '../provider-failure.ts'
import type { AccessTokens } from './access-tokens.ts'
import type { Acquired } from './acquire-tokens.ts'
import { createAuthenticate } from './authenticate.ts'
import type { ConnectInput } from './connect-input.ts'
import { identifyAccount } from './identify-account.ts'
import type { RefreshDeps } from './refresh-flight.ts'
import { seenTokenKey } from './seen-token-key.ts'
import { storePending } from './store-pending.ts'
import { type Authentication, createUpsertGrant, emailKeyOf } from './upsert-grant.ts'

/** A user's consent, on its way back from the provider. */
export interface CodeAuthentication extends Omit<Authentication, 'acquired' | 'account' | 'input'> {
  readonly target: Pick<ConnectInput, 'module' | 'connector' | 'credentialId'> & {
    readonly client: ProviderClient
  }
  /** Trades the code; asked once. */
  readonly exchange: () => Promise<Tokens>
  readonly check: (account: Account, acquired: Acquired) => void
}

const NO_REFRESH_TOKEN =
  'The provider gave no refresh token. Remove this application’s access in the settings of your account there, and sign in again.'

/**
 * Makes a grant of the code that hosted authentication brought back, or renews the one of the same mailbox. What the
 * code brought is committed as a pending secret before anything else; from there on it is a refresh token like any
 * that is posted to connect/custom. Without a new refresh token only a valid grant of the account can go on, with its
 * own.
 *
 * @throws AppError `token.exchange_failed`, those of contract/auth.md 2.5, and whatever `check` throws
 */
export function createAuthenticateByCode(deps: RefreshDeps & { readonly accessTokens: AccessTokens }) {
  const authenticate = createAuthenticate(deps)
  const upsert = createUpsertGrant(deps)

  return async function authenticateByCode({
    target,
    exchange,
    check,
    ...authentication
  }: CodeAuthentication): Promise<GrantRecord> {
    const tokens = await exchange().catch((error: unknown) => {
      throw error instanceof ProviderError ? codeFailure(error) : error
    })
    const { refreshToken } = tokens
    if (!refreshToken) return keepOwnToken(authentication, target, tokens, check)
    const { connector, client } = target
    const secret = { kind: 'refresh-token' as const, refreshToken }
    const owner = {
      applicationId: connector.applicationId,
      provider: connector.provider,
      clientId: client.clientId,
    }
    await storePending(deps, [seenTokenKey(deps.vault, owner, refreshToken)], { secret, tokens })
    const input: ConnectInput = { ...target, material: { secret, publicSettings: {} } }
    let acquired: Acquired | undefined
    const { grant } = await authenticate(
      { ...authentication, input },
      {
        acquired(known) {
          acquired = known
        },
        account(account) {
          if (acquired) check(account, acquired)
        },
      },
    )
    return grant
  }

  async function keepOwnToken(
    authentication: Omit<Authentication, 'acquired' | 'account' | 'input'>,
    target: CodeAuthentication['target'],
    tokens: Tokens,
    check: CodeAuthentication['check'],
  ): Promise<GrantRecord> {
    const secret = { kind: 'none' as const }
    const input: ConnectInput = { ...target, material: { secret, publicSettings: {} } }
    const account = await identifyAccount(input, { kind: 'direct', secret, tokens })
    check(account, { kind: 'direct', secret, tokens })
    const { applicationId, provider } = target.connector
    const existing =
      authentication.onto ??
      (await deps.database.stores.grants.findByMailbox(applicationId, provider, emailKeyOf(account.email)))
    // A refresh token works with the client it was issued to only.
    if (existing?.status !== 'valid' || existing.credentialId !== target.credentialId) {
      throw appError('grant.invalid_authentication', NO_REFRESH_TOKEN)
    }
    const acquired: Acquired = { kind: 'granted', grant: existing, secret, tokens }
    const grant = await upsert({ ...authentication, input, acquired, account })
    if (!grant) throw appError('grant.invalid_authentication', NO_REFRESH_TOKEN)
    return grant
  }
}

/** A refused code is no refused refresh token: the user can simply start again. */
function codeFailure(error: ProviderError) {
  const failure = connectFailure(error, 'code')
  return error.kind === 'grant-revoked' || error.kind === 'invalid-request'
    ? appError('token.exchange_failed', undefined, failure.extras)
    : failure
}
